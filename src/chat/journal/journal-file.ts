// A journal's file: begun anew as a whole, appended to, forced to the disk. What stands in it is lines.ts's.
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Of a journal's name. */
export const ENDING = '.jsonl'
/** After that, while it is begun anew. */
export const UNFINISHED = '.new'

/** Of text put together before the event loop goes on. */
const SLICE = 256 * 1024

/** What a journal needs of its file. Everything rejects with the system's own error. */
export interface JournalFile {
  /** Begins the file anew, whole or not at all, and forces it to the disk. @returns its length in bytes */
  begin(pieces: Iterable<string>): Promise<number>
  /** Goes on with a file that is there. */
  resume(): Promise<void>
  /** Hands it to the system, which has it written should this process die. @returns the bytes */
  append(text: string): Promise<number>
  /** Forces to the disk what was appended. @returns false when the file is not there any more */
  sync(): Promise<boolean>
  close(): Promise<void>
  remove(): Promise<void>
}

export class SystemJournalFile implements JournalFile {
  readonly #path: string
  #handle: FileHandle | undefined

  constructor(path: string) {
    this.#path = path
  }

  async begin(pieces: Iterable<string>): Promise<number> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    const fresh = this.#path + UNFINISHED
    await rm(fresh, { force: true })
    const handle = await open(fresh, 'wx', 0o600)
    try {
      let bytes = 0
      for (const slice of slices(pieces)) bytes += await written(handle, slice)
      await handle.sync()
      await rename(fresh, this.#path)
      await syncFolder(dirname(this.#path))
      await this.close()
      this.#handle = handle
      return bytes
    } catch (error) {
      await handle.close().catch(() => {})
      await rm(fresh, { force: true }).catch(() => {})
      throw error
    }
  }

  async resume(): Promise<void> {
    this.#handle = await open(this.#path, 'a', 0o600)
  }

  async append(text: string): Promise<number> {
    if (!this.#handle) throw new Error('The journal is not open')
    return await written(this.#handle, text)
  }

  async sync(): Promise<boolean> {
    const handle = this.#handle
    if (!handle) return false
    await handle.datasync()
    const [own, there] = await Promise.all([handle.stat(), stat(this.#path).catch(() => undefined)])
    return there?.ino === own.ino
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  async remove(): Promise<void> {
    await this.close()
    await rm(this.#path, { force: true })
  }
}

async function written(handle: FileHandle, text: string): Promise<number> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten
  return bytes.length
}

function* slices(pieces: Iterable<string>): Generator<string> {
  let slice = ''
  for (const piece of pieces) {
    slice += piece
    if (slice.length < SLICE) continue
    yield slice
    slice = ''
  }
  yield slice
}

/** A name that was given is on the disk only with its folder. Some file systems refuse it, and need it not. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().catch(() => {})
  await folder.close()
}
