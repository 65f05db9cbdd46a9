// A saved chat that is opened: to be read, to be taken up, or by the host that comes after another.
import { basename } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../core/clock.ts'
import { PluginError } from '../../core/errors.ts'
import { inSlices } from '../../core/steps.ts'
import { localTime, type Turn } from '../record/conversation.ts'
import type { Entry, History } from '../record/history.ts'
import type { ChatRecord } from '../record/record.ts'
import { parsingChat, renderChat } from '../transcript/chat-file.ts'
import type { TurnCache } from '../transcript/turn-cache.ts'
import { ChatFile } from './chat-file.ts'
import type { Claims } from './claims.ts'
import { readWhole } from './disk.ts'
import { readFailure } from './failures.ts'
import { chatPath, isOurs } from './listing.ts'
import { calledAs } from './naming.ts'
import { isAllIn } from './strayed.ts'

export interface Read {
  record: ChatRecord
  /** What could not be read as it was meant, one sentence each. */
  problems: string[]
}

export interface TakenUp extends Read {
  /** Absent when the chat is to have a file of its own. */
  file?: ChatFile
}

/** @throws PluginError STORE_NOT_FOUND, STORE_UNREADABLE */
export async function readChat(folder: string, file: string): Promise<Read> {
  const { text } = await whole(chatPath(folder, file))
  return await called(file, text)
}

/**
 * Reads a saved chat in order to go on with it. One that the plugin did not write or could not write back as it is, and one
 * of which a copy is wanted, stays as it is, and the chat gets a file of its own.
 * @throws PluginError CHAT_IN_USE, STORE_NOT_FOUND, STORE_UNREADABLE, STORE_UNWRITABLE
 */
export async function takeUp(
  folder: string,
  file: string,
  { isCopy, claims, clock }: { isCopy: boolean; claims: Claims; clock: Clock },
): Promise<TakenUp> {
  const path = chatPath(folder, file)
  const own = isCopy || !(await isOurs(folder, file)) ? undefined : await claimed(path, claims)
  if (own) return own
  const { record, problems } = await readChat(folder, file)
  const created = isCopy ? { created: localTime(clock.now()) } : {}
  const told = `${file} stays as it is; the chat goes on in a file of its own`
  return { record: { ...record, meta: { ...record.meta, ...created } }, problems: [...problems, told] }
}

/** `undefined` when it holds bytes that are no text, which would be lost. */
async function claimed(path: string, claims: Claims): Promise<TakenUp | undefined> {
  const file = basename(path)
  await claims.claim(file)
  try {
    const { text, stamp, isExact } = await whole(path)
    if (isExact) {
      const { record, problems } = await called(file, text)
      const meta = { ...record.meta, file: path }
      return { record: { ...record, meta }, problems, file: new ChatFile(path, stamp, claims) }
    }
  } catch (error) {
    await claims.release(file)
    throw error
  }
  await claims.release(file)
  return undefined
}

/**
 * The file that an earlier host saved a chat in. What is there and not in the chat was written by somebody else, and counts
 * as changed.
 * @returns also whether the chat is there as it is now
 * @throws PluginError CHAT_IN_USE, STORE_UNREADABLE
 */
export async function reclaimed(
  path: string,
  record: ChatRecord,
  { claims, texts }: { claims: Claims; texts: TurnCache },
): Promise<{ file: ChatFile; isWhole: boolean }> {
  const file = basename(path)
  await claims.claim(file)
  try {
    const { text, stamp } = await whole(path)
    const { record: filed } = await inSlices(parsingChat(text))
    const isKnown = isAllIn(filed, record)
    const own = new ChatFile(path, isKnown ? stamp : { ...stamp, bytes: -1 }, claims)
    if (!isKnown) return { file: own, isWhole: false }
    await texts.prepare(record.history)
    return { file: own, isWhole: renderChat(record, texts.render) === text }
  } catch (error) {
    if (error instanceof PluginError && error.code === 'STORE_NOT_FOUND') {
      return { file: new ChatFile(path, { inode: 0, changed: 0, bytes: -1, hash: '' }, claims), isWhole: false }
    }
    await claims.release(file)
    throw error
  }
}

/** Whether all that was said in a chat, and what stands in its prompt, is in its file, however that went on since. */
export async function isWholeIn({ meta, history }: ChatRecord): Promise<boolean> {
  const { file, draft, queue } = meta
  if (file === undefined || queue !== undefined) return false
  const found = await readWhole(file).catch(() => undefined)
  if (!found) return false
  const { record: kept } = await inSlices(parsingChat(found.text))
  if (draft !== undefined && !isDeepStrictEqual(draft, kept.meta.draft)) return false
  // The same words may have been said twice.
  const left = counted(kept.history)
  return [...counted(history)].every(([words, count]) => (left.get(words) ?? 0) >= count)
}

/** What was said in the versions of a history, and how often. */
function counted({ entries, versions }: History): Map<string, number> {
  const numbers = new Set<number>()
  for (const version of versions) for (const number of version) numbers.add(number)
  const counts = new Map<string, number>()
  for (const number of numbers) {
    const words = wordsOf((entries[number] as Entry).turn)
    counts.set(words, (counts.get(words) ?? 0) + 1)
  }
  return counts
}

/** As they are in a file, which takes no halves of characters. */
function wordsOf({ role, text, thinking = '' }: Turn): string {
  return [role, text, thinking].map((part) => Buffer.from(part).toString()).join('\0')
}

async function called(file: string, text: string): Promise<Read> {
  const { record, problems } = await inSlices(parsingChat(text))
  return { record: calledAs(file, record), problems }
}

async function whole(path: string): ReturnType<typeof readWhole> {
  return await readWhole(path).catch((error: unknown) => {
    throw readFailure(error, path)
  })
}
