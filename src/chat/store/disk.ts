// Files that are written whole or not at all, and never over what somebody else wrote. Not here: what stands in them.
// write-file-atomic is not used: where the disk is full it takes a short write for a whole one, and puts half a file in
// place of a good one.
import { isUtf8 } from 'node:buffer'
import { createHash, randomUUID } from 'node:crypto'
import { constants, copyFile, mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { changedUnderneath } from './failures.ts'

/** How a file was when it was last read or written here. */
export interface Stamp {
  inode: number
  /** Milliseconds since the epoch. */
  changed: number
  bytes: number
  hash: string
}

/** Of temporary files; they begin with a dot, so that nobody takes one for a chat. */
export const UNFINISHED = '.unfinished'

/** The folder, and those above it, for nobody else. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
}

/** @returns also whether the text says all that stands there @throws the system's own error */
export async function readWhole(path: string): Promise<{ text: string; stamp: Stamp; isExact: boolean }> {
  const handle = await open(path, 'r')
  try {
    // First, so that whatever is written meanwhile makes it another.
    const { ino, mtimeMs } = await handle.stat()
    const bytes = await handle.readFile()
    return {
      text: bytes.toString('utf8'),
      stamp: { inode: ino, changed: mtimeMs, bytes: bytes.length, hash: hashOf(bytes) },
      isExact: isUtf8(bytes),
    }
  } finally {
    await handle.close()
  }
}

/** Whether the file is as it was. A file that was only touched, or restored with the same text, is. `gone` when there is none. */
export async function standing(path: string, stamp: Stamp): Promise<'same' | 'changed' | 'gone'> {
  try {
    const { ino, mtimeMs, size } = await stat(path)
    if (ino === stamp.inode && mtimeMs === stamp.changed && size === stamp.bytes) return 'same'
    return size === stamp.bytes && hashOf(await readFile(path)) === stamp.hash ? 'same' : 'changed'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone'
    throw error
  }
}

/**
 * Puts a text in place of a file that is as the stamp tells, or of none; forced to the disk when it resolves.
 * @returns how the file is then; `anew` when the former one was gone
 * @throws PluginError STORE_CHANGED; the system's own error. Then nothing was changed, and nothing is left behind.
 */
export async function replaceFile(
  path: string,
  text: string,
  former: Stamp | undefined,
): Promise<{ stamp: Stamp; anew: boolean }> {
  const bytes = Buffer.from(text)
  const fresh = join(dirname(path), `.${randomUUID()}${UNFINISHED}`)
  try {
    const changed = await written(fresh, bytes)
    const found = former === undefined ? 'same' : await standing(path, former)
    if (found === 'changed') throw changedUnderneath(path)
    await rename(fresh, path)
    await syncFolder(dirname(path))
    return { stamp: { ...changed, bytes: bytes.length, hash: hashOf(bytes) }, anew: found === 'gone' }
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {})
    throw error
  }
}

/** Takes the first name that nobody has, with an empty file. @throws the system's own error */
export async function takeName(folder: string, nameFor: (nth: number) => string): Promise<string> {
  for (let nth = 1; ; nth++) {
    const path = join(folder, nameFor(nth))
    const handle = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await handle?.close()
    if (handle) return path
  }
}

/** Gives up a name that was taken, unless something was written there. */
export async function giveNameBack(path: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined)
  if (stats?.size === 0) await rm(path, { force: true }).catch(() => {})
}

/** Moves a file to where a name was taken for it, to another disk too; it keeps its time. @throws the system's own error */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    const { atime, mtime } = await stat(from)
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    await utimes(to, atime, mtime)
    await forceToDisk(to)
    await rm(from)
  }
}

async function written(path: string, bytes: Buffer): Promise<{ inode: number; changed: number }> {
  const handle = await open(path, 'wx', 0o600)
  try {
    // Goes on after a short write, until all is written or the disk says why not.
    await handle.writeFile(bytes)
    await handle.sync()
    const { ino, mtimeMs } = await handle.stat()
    return { inode: ino, changed: mtimeMs }
  } finally {
    await handle.close()
  }
}

/** What is about to be removed elsewhere. */
async function forceToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  await handle.sync().finally(() => handle.close())
  await syncFolder(dirname(path))
}

/** A name that was given is on the disk only with its folder. Some file systems refuse it, and need it not. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().catch(() => {})
  await folder.close()
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64')
}
