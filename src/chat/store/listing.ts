// What is in the folder of the saved chats. Not here: what stands in the files.
import { type Stats, statSync } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { localTime } from '../record/conversation.ts'
import { notFound, readFailure } from './failures.ts'
import { ENDING, readFileName, titleIn } from './file-name.ts'

export interface Listed {
  /** Without the folder. */
  file: string
  title: string
  /** As it stands in the file's name; empty when it does not tell. */
  model: string
  /** Local time, `YYYY-MM-DD HH:MM:SS`. */
  created: string
  /** When it was last written, in milliseconds since the epoch. */
  changed: number
  bytes: number
}

/** The event loop is held for no longer: asking for ten thousand files one by one would cost three times as much. */
const SLICE_MS = 4
const ASKED_AT_ONCE = 16

/** So many that asking for all would be noticed, and how many are shown meanwhile. */
const MANY = 2_000
const TIME_LENGTH = 'YYYYMMDD-HHMMSS'.length
const AT_ONCE = 50

/** How every chat's file of ours ends: with a line of its block. Nothing else begins a line so. */
const BLOCK_LINE = /^<!-- ◆ [a-z]+ .* -->$/s
const TAIL_BYTES = 16 * 1024

/**
 * Everything that may be a chat, newest first. No folder is an empty one.
 * @throws PluginError STORE_UNREADABLE; the signal's reason
 */
export async function listed(folder: string, signal?: AbortSignal): Promise<Listed[]> {
  const found: Listed[] = []
  for await (const part of listedInParts(folder, signal)) found.push(...part)
  return found.sort(byChange)
}

/**
 * The same in two parts where there are many: those that were begun last are there at once, and all others when each was
 * asked for. A chat that was begun long ago and went on lately is then in the second part.
 */
export async function* listedInParts(folder: string, signal?: AbortSignal): AsyncGenerator<Listed[]> {
  const names = (await namesIn(folder)).filter((file) => file.endsWith(ENDING) && !file.startsWith('.'))
  const byName = names.length < MANY ? names : lastBegunFirst(names, AT_ONCE)
  let found: Listed[] = []
  let since = performance.now()
  for (const [index, file] of byName.entries()) {
    found.push(...seen(folder, file))
    if (byName.length >= MANY && index === AT_ONCE - 1) {
      yield found.sort(byChange)
      found = []
    }
    if (index % ASKED_AT_ONCE > 0 || performance.now() - since < SLICE_MS) continue
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
    since = performance.now()
  }
  yield found.sort(byChange)
}

/** The path of a chat's file. @throws PluginError STORE_NOT_FOUND for what can be none of this folder */
export function chatPath(folder: string, file: string): string {
  const path = join(folder, file)
  if (/[/\\\0]/.test(file) || file.startsWith('.') || !file.endsWith(ENDING)) throw notFound(path)
  return path
}

/**
 * Whether the plugin wrote this file: its name is one of ours, and so is its last line. Files in which other programs put
 * something at the end belong to whoever did, and so do links, which would be replaced by what they lead to.
 */
export async function isOurs(folder: string, file: string): Promise<boolean> {
  if (!readFileName(file)) return false
  const stats = await lstat(join(folder, file)).catch(() => undefined)
  if (!stats?.isFile()) return false
  const handle = await open(join(folder, file), 'r').catch(() => undefined)
  try {
    const { size = 0 } = (await handle?.stat()) ?? {}
    for (let bytes = TAIL_BYTES; handle; bytes *= 8) {
      const start = Math.max(0, size - bytes)
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(size - start), position: start })
      const text = buffer.subarray(0, bytesRead).toString('utf8').trimEnd()
      const lineStart = text.lastIndexOf('\n')
      if (lineStart !== -1 || start === 0) return BLOCK_LINE.test(text.slice(lineStart + 1))
    }
    return false
  } catch {
    return false
  } finally {
    await handle?.close()
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw readFailure(error, folder)
  })
}

/** Those that were begun last come first, so many of them; sorting all would take as long as asking for a thousand files. */
function lastBegunFirst(names: readonly string[], count: number): string[] {
  const last: { file: string; time: string }[] = []
  for (const file of names) {
    const time = timeIn(file)
    if (last.length === count && time <= (last.at(-1)?.time ?? '')) continue
    const place = last.findIndex((other) => other.time < time)
    last.splice(place === -1 ? last.length : place, 0, { file, time })
    if (last.length > count) last.pop()
  }
  const first = new Set(last.map(({ file }) => file))
  return [...first, ...names.filter((file) => !first.has(file))]
}

function byChange(one: Listed, other: Listed): number {
  return other.changed - one.changed
}

/** The digits of the time in one of our names, without looking closer. */
function timeIn(file: string): string {
  return file.slice(-TIME_LENGTH - ENDING.length)
}

/** Nothing of a file that is gone meanwhile, is none, or has nothing in it yet. @throws PluginError STORE_UNREADABLE */
function seen(folder: string, file: string): Listed[] {
  const stats = statsOf(join(folder, file))
  if (!stats?.isFile() || stats.size === 0) return []
  const { mtimeMs: changed, size: bytes } = stats
  const created = readFileName(file)?.created ?? localTime(changed)
  return [{ file, ...titleIn(file), created, changed, bytes }]
}

/** `undefined` where there is no file, be it that links lead to each other. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return undefined
    throw readFailure(error, path)
  }
}
