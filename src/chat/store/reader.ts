// Many files read one after another, for whoever looks through them. Not here: what is looked for.
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** Of a small file no more than this. */
const SMALL_BYTES = 512 * 1024
/** No chat is longer. */
const MOST_BYTES = 64 * 1024 * 1024
/** What a disk may take for each small file, in milliseconds, and what all may take besides before it counts as slow. */
const USUAL_MS = 0.5
const PATIENCE_MS = 25
/** So many files are then read in the background before it is tried again: it may be the machine that was busy. */
const TRIED_AGAIN_AFTER = 100
const READERS = 6
/** What is no file any more must not be waited for. */
const OPEN = constants.O_RDONLY | constants.O_NONBLOCK

/**
 * Reads small files at once: to have each read in the background takes four times as long. Large ones are
 * read there, and all while the disk is slow.
 */
export class Reader {
  readonly #small = Buffer.allocUnsafe(SMALL_BYTES)
  #waited = 0
  #background = 0

  /** How many may be asked for before the first is there. */
  get atOnce(): number {
    return this.#background > 0 ? READERS : 1
  }

  /**
   * Has a file's bytes used, which are the reader's again when `use` returns. What cannot be read, or is too long, is not.
   * @param bytes how long it is thought to be
   */
  read<Result>(
    path: string,
    bytes: number,
    use: (bytes: Buffer) => Result,
  ): Result | Promise<Result | undefined> | undefined {
    if (bytes > MOST_BYTES) return undefined
    if (this.#background > 0) this.#background--
    if (this.#background > 0 || bytes >= SMALL_BYTES) return inBackground(path, use)
    const began = performance.now()
    const length = this.#readNow(path)
    this.#waited = Math.max(0, this.#waited + performance.now() - began - USUAL_MS)
    if (this.#waited > PATIENCE_MS) {
      this.#waited = 0
      this.#background = TRIED_AGAIN_AFTER
    }
    if (length === undefined) return undefined
    // It has grown.
    return length === SMALL_BYTES ? inBackground(path, use) : use(this.#small.subarray(0, length))
  }

  #readNow(path: string): number | undefined {
    let file: number | undefined
    try {
      file = openSync(path, OPEN)
      return readSync(file, this.#small, 0, SMALL_BYTES, 0)
    } catch {
      return undefined
    } finally {
      if (file !== undefined) closeSync(file)
    }
  }
}

async function inBackground<Result>(path: string, use: (bytes: Buffer) => Result): Promise<Result | undefined> {
  const bytes = await readFile(path).catch(() => undefined)
  return bytes && use(bytes)
}
