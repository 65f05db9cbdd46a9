// The file of a chat whose host was killed between naming the file and writing down how it is called.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { inSlices } from '../../core/steps.ts'
import { current } from '../record/history.ts'
import type { ChatRecord, Meta } from '../record/record.ts'
import { parsingChat } from '../transcript/chat-file.ts'
import { readWhole } from './disk.ts'
import { readFileName } from './file-name.ts'
import { isOurs } from './listing.ts'

export interface Strayed {
  path: string
  /** What was written there of its name. */
  named: Pick<Meta, 'created' | 'title' | 'titled'>
}

/**
 * Looks for a file that was begun when the chat was, and in which nothing stands that is not in the chat.
 * @param former the name that is written down, and under which there is no file any more
 */
export async function strayed(folder: string, record: ChatRecord, former?: string): Promise<Strayed | undefined> {
  const created =
    (former && readFileName(former)?.created) ?? record.meta.created ?? current(record.history).turns[0]?.at
  if (created === undefined) return undefined
  for (const file of await readdir(folder).catch(() => [])) {
    if (file === former || readFileName(file)?.created !== created) continue
    const found = await read(join(folder, file))
    if (!found || !isAllIn(found, record) || !(await isOurs(folder, file))) continue
    const { title, titled } = found.meta
    const named = { created, ...(title === undefined ? {} : { title }), ...(titled === undefined ? {} : { titled }) }
    return { path: join(folder, file), named }
  }
  return undefined
}

/** Whether all that is in the one is in the other; what still grew when it was written may have gone on since. */
export function isAllIn({ history }: ChatRecord, other: ChatRecord): boolean {
  const known = new Set(other.history.entries.map(({ turn }) => turn.text))
  return history.entries.every(
    ({ turn: { text } }) => known.has(text) || [...known].some((whole) => whole.startsWith(text)),
  )
}

/** `undefined` for one without a word, as it is before it is written. */
async function read(path: string): Promise<ChatRecord | undefined> {
  const text = (await readWhole(path).catch(() => undefined))?.text
  const record = text === undefined ? undefined : (await inSlices(parsingChat(text))).record
  return record && record.history.entries.length > 0 ? record : undefined
}
