// The file of one living chat: made under a name that nobody has, claimed, replaced, renamed, let go. Not here: what is
// written into it, and when (saver.ts).
import { basename, dirname } from 'node:path'
import type { Claims } from './claims.ts'
import { giveNameBack, makeFolder, moveFile, replaceFile, type Stamp, standing, takeName } from './disk.ts'
import { changedUnderneath, writeFailure } from './failures.ts'
import { type FileName, fileName, readFileName } from './file-name.ts'

export class ChatFile {
  readonly #claims: Claims
  #path: string
  #stamp: Stamp

  /** @param path of a file that is claimed already */
  constructor(path: string, stamp: Stamp, claims: Claims) {
    this.#path = path
    this.#stamp = stamp
    this.#claims = claims
  }

  get path(): string {
    return this.#path
  }

  /** Without the folder. */
  get file(): string {
    return basename(this.#path)
  }

  /** What it is called, as its name tells. */
  get name(): string | undefined {
    return readFileName(this.file)?.name
  }

  /** A file that was not there before. @throws PluginError STORE_FULL, STORE_UNWRITABLE; then there is none */
  static async create(folder: string, name: FileName, text: string, claims: Claims): Promise<ChatFile> {
    return await writing(folder, async () => {
      await makeFolder(folder)
      return await withName(
        folder,
        (nth) => fileName(name, nth),
        claims,
        async (path) => {
          const { stamp } = await replaceFile(path, text, undefined)
          return new ChatFile(path, stamp, claims)
        },
      )
    })
  }

  /** @returns whether the former file was gone @throws PluginError STORE_CHANGED, STORE_FULL, STORE_UNWRITABLE; then it is as it was */
  async write(text: string): Promise<boolean> {
    return await writing(this.#path, async () => {
      await makeFolder(dirname(this.#path))
      const { stamp, anew } = await replaceFile(this.#path, text, this.#stamp)
      this.#stamp = stamp
      return anew
    })
  }

  /** Whether somebody else has written it since. @throws PluginError STORE_UNWRITABLE */
  async isChanged(): Promise<boolean> {
    return await writing(this.#path, async () => (await standing(this.#path, this.#stamp)) === 'changed')
  }

  /** Whether what was written last stands there still. Never rejects. */
  async isAsWritten(): Promise<boolean> {
    return (await standing(this.#path, this.#stamp).catch(() => undefined)) === 'same'
  }

  /** Calls it otherwise; its model and its time stay. @throws PluginError STORE_CHANGED, STORE_FULL, STORE_UNWRITABLE; then it is as it was */
  async rename(name: string): Promise<void> {
    const ours = readFileName(this.file)
    if (!ours || fileName({ ...ours, name }) === this.file) return
    await writing(this.#path, async () => {
      if (await this.isChanged()) throw changedUnderneath(this.#path)
      const former = this.file
      const nameFor = (nth: number) => fileName({ ...ours, name }, nth)
      this.#path = await withName(dirname(this.#path), nameFor, this.#claims, async (path) => {
        await moveFile(this.#path, path)
        return path
      })
      await this.#claims.release(former)
    })
  }

  /** Another chat may have it. */
  async release(): Promise<void> {
    await this.#claims.release(this.file)
  }
}

/** Takes a name and claims it, for what puts a file there; gives both back when that fails. */
async function withName<Result>(
  folder: string,
  nameFor: (nth: number) => string,
  claims: Claims,
  put: (path: string) => Promise<Result>,
): Promise<Result> {
  const path = await takeName(folder, nameFor)
  try {
    await claims.claim(basename(path))
    return await put(path)
  } catch (error) {
    await claims.release(basename(path))
    await giveNameBack(path)
    throw error
  }
}

async function writing<Result>(path: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body()
  } catch (error) {
    throw writeFailure(error, path)
  }
}
