// Where removed chats wait for a week: each removal is a folder of its own, with a manifest that says what and why.
// Not here: which chats are removed.
import { randomInt } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, rename, rm, rmdir, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Clock } from '../../core/clock.ts'
import { localTime } from '../record/conversation.ts'
import { giveNameBack, makeFolder, moveFile, replaceFile, takeName } from './disk.ts'
import { writeFailure } from './failures.ts'
import { ENDING, fileName, readFileName } from './file-name.ts'

/** `cleanup`: it was too old. */
export type Why = 'clear' | 'delete' | 'cleanup'

export interface TrashDeps {
  /** Known only after the handshake. */
  folder(): string
  /** Of the saved chats. */
  chats(): string
  clock: Clock
}

const KEPT_MS = 7 * 24 * 60 * 60 * 1_000
const MANIFEST = 'manifest.json'
const BATCH = /^\d{8}-\d{6}(?:-\d+)?$/

const manifest = z.object({
  why: z.enum(['clear', 'delete', 'cleanup']),
  /** Milliseconds since the epoch. */
  at: z.number(),
  files: z.array(z.string()),
})

interface Batch {
  path: string
  why: Why
  at: number
}

export class Trash {
  readonly #deps: TrashDeps
  /** One after the other, so that what is brought back was removed wholly. */
  #work: Promise<unknown> = Promise.resolve()

  constructor(deps: TrashDeps) {
    this.#deps = deps
  }

  /**
   * Moves chats here; those that are gone meanwhile are passed over.
   * @returns the files that were moved, and where to
   * @throws PluginError STORE_UNWRITABLE, STORE_FULL: what was moved before is in the trash
   */
  take(files: readonly string[], why: Why): Promise<{ files: string[]; batch: string }> {
    return this.#inTurn(() => this.#take(files, why))
  }

  /**
   * Puts chats here that are in no file, each as its text and by the name of the file that it comes back as.
   * @throws PluginError STORE_UNWRITABLE, STORE_FULL
   */
  put(texts: ReadonlyMap<string, string>, why: Why): Promise<{ files: string[]; batch: string }> {
    return this.#inTurn(() =>
      this.#fill([...texts.keys()], why, async (file, path) => {
        await replaceFile(path, texts.get(file) ?? '', undefined)
        return true
      }),
    )
  }

  #take(files: readonly string[], why: Why): Promise<{ files: string[]; batch: string }> {
    return this.#fill(files, why, (file, path) => move(join(this.#deps.chats(), file), path))
  }

  /** @param bring puts a file where it is told; answers whether there was one */
  async #fill(
    files: readonly string[],
    why: Why,
    bring: (file: string, path: string) => Promise<boolean>,
  ): Promise<{ files: string[]; batch: string }> {
    if (files.length === 0) return { files: [], batch: '' }
    const folder = this.#deps.folder()
    try {
      const batch = await this.#newBatch()
      const at = this.#deps.clock.now()
      // Before anything is moved, so that whatever ends this halfway can be brought back.
      await replaceFile(
        join(folder, batch, MANIFEST),
        `${JSON.stringify({ why, at, files }, undefined, 2)}\n`,
        undefined,
      )
      const moved: string[] = []
      for (const file of files) {
        if (await bring(file, join(folder, batch, file))) moved.push(file)
      }
      return { files: moved, batch }
    } catch (error) {
      throw writeFailure(error, folder)
    }
  }

  /**
   * Brings back what was removed last. What a person removed comes before what was too old, which counts as written now: else
   * it would be removed again at once.
   * @returns how many chats came back @throws PluginError STORE_UNWRITABLE, STORE_FULL
   */
  restore(): Promise<number> {
    return this.#inTurn(() => this.#restore())
  }

  async #restore(): Promise<number> {
    const batches = await this.#batches()
    const [byPerson, byAge] = [
      batches.filter(({ why }) => why !== 'cleanup'),
      batches.filter(({ why }) => why === 'cleanup'),
    ]
    const chats = this.#deps.chats()
    try {
      await makeFolder(chats)
      for (const batch of [...byPerson, ...byAge]) {
        const count = await this.#bringBackAll(batch)
        if (count > 0) return count
      }
      return 0
    } catch (error) {
      throw writeFailure(error, chats)
    }
  }

  async #bringBackAll(batch: Batch): Promise<number> {
    // One that is only begun is let be.
    const path = (await chatsIn(batch.path)).length === 0 ? undefined : await this.#takenOut(batch)
    if (path === undefined) return 0
    let count = 0
    for (const file of await chatsIn(path)) if (await this.#bringBack(join(path, file), file, batch.why)) count++
    await rm(join(path, MANIFEST), { force: true })
    // Never with something in it.
    await rmdir(path).catch(() => {})
    return count
  }

  /**
   * Gives a removal another name: what another Neovim would still put into it then stays where it is, and of two that bring it
   * back one does. `undefined` when it is gone.
   */
  async #takenOut({ path }: Batch): Promise<string | undefined> {
    const own = join(this.#deps.folder(), `${this.#time()}-${randomInt(2 ** 40)}`)
    return await rename(path, own).then(
      () => own,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
        return undefined
      },
    )
  }

  /** @returns whether it was there still */
  async #bringBack(from: string, file: string, why: Why): Promise<boolean> {
    const name = await takeName(this.#deps.chats(), (nth) => anotherName(file, nth))
    try {
      if (!(await move(from, name))) {
        await giveNameBack(name)
        return false
      }
    } catch (error) {
      await giveNameBack(name)
      throw error
    }
    const now = new Date(this.#deps.clock.now())
    if (why === 'cleanup') await utimes(name, now, now)
    return true
  }

  /** Removes for good what has been here for a week. Never rejects: what cannot be removed is tried again the next time. */
  async empty(): Promise<void> {
    const due = (await this.#batches()).filter(({ at }) => this.#deps.clock.now() - at > KEPT_MS)
    for (const { path } of due) await rm(path, { recursive: true, force: true }).catch(() => {})
  }

  async #newBatch(): Promise<string> {
    const folder = this.#deps.folder()
    await makeFolder(folder)
    const time = this.#time()
    for (let nth = 1; ; nth++) {
      const batch = nth === 1 ? time : `${time}-${nth}`
      const isNew = await mkdir(join(folder, batch), { mode: 0o700 }).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error
          return false
        },
      )
      if (isNew) return batch
    }
  }

  #time(): string {
    return localTime(this.#deps.clock.now()).replace(/[-:]/g, '').replace(' ', '-')
  }

  #inTurn<Result>(body: () => Promise<Result>): Promise<Result> {
    const done = this.#work.then(body)
    this.#work = done.catch(() => {})
    return done
  }

  /** Newest first. */
  async #batches(): Promise<Batch[]> {
    const folder = this.#deps.folder()
    const names = (await readdir(folder).catch(() => [])).filter((name) => BATCH.test(name))
    const batches = await Promise.all(names.map((name) => batchAt(join(folder, name))))
    return batches.flatMap((batch) => batch ?? []).sort((one, other) => other.at - one.at)
  }
}

/** The name a file comes back by, when its own was taken meanwhile. */
export function anotherName(file: string, nth: number): string {
  if (nth === 1) return file
  const ours = readFileName(file)
  return ours ? fileName(ours, nth) : `${file.slice(0, -ENDING.length)}-${nth}${ENDING}`
}

async function chatsIn(batch: string): Promise<string[]> {
  const found = await readdir(batch, { withFileTypes: true }).catch(() => [])
  return found.filter((entry) => entry.name.endsWith(ENDING) && !entry.isDirectory()).map(({ name }) => name)
}

/** @returns whether there is such a file */
async function move(from: string, to: string): Promise<boolean> {
  try {
    if ((await lstat(from)).isDirectory()) return false
    await moveFile(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Without a manifest that can be read, it is as old as its folder. */
async function batchAt(path: string): Promise<Batch | undefined> {
  try {
    const read = manifest.safeParse(JSON.parse(await readFile(join(path, MANIFEST), 'utf8').catch(() => '{}')))
    if (read.success) return { path, why: read.data.why, at: read.data.at }
    return { path, why: 'cleanup', at: (await stat(path)).mtimeMs }
  } catch {
    return undefined
  }
}
