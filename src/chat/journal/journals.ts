// The folder of the journals: begun, gone on with, and left over by Neovims that are gone. Not here: what is written into
// one (journal.ts).
import { randomUUID } from 'node:crypto'
import { constants, copyFile, link, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { type ChatRecord, emptyRecord, isBlank } from '../record/record.ts'
import { Journal } from './journal.ts'
import { ENDING, SystemJournalFile } from './journal-file.ts'
import { type Replayed, replay } from './lines.ts'
import { isAlive, isSameOwner, type Owner } from './owner.ts'
import { settleUnfinished } from './unfinished.ts'

export interface JournalsDeps {
  /** Known only after the handshake, as the owner is. */
  folder(): string
  /** Whose the chats are: the Neovim, which outlives its hosts. */
  owner(): Promise<Owner>
  clock: Clock
  /** Told once of a disk that does not take what is written. */
  onTrouble(error: unknown): void
  /** Told where a journal is kept of which not everything was understood. */
  onDamage(path: string): void
}

/** A journal whose owner is gone. */
export interface LeftJournal {
  key: string
  record: ChatRecord
  /** When it was last written, in milliseconds since the epoch. */
  changed: number
  /** Whether all of it was in the chat's file when it was written last. */
  isFiled: boolean
}

export interface Resumed {
  journal: Journal
  record: ChatRecord
}

interface Found extends Replayed {
  key: string
  changed: number
  bytes: number
}

/** Of a name that is no journal's any more. */
const DAMAGED = '.damaged'
const TELL_AGAIN_MS = 60_000

export class Journals {
  readonly #deps: JournalsDeps
  /** What was found in files that have not changed since. */
  readonly #known = new Map<string, Found>()
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(deps: JournalsDeps) {
    this.#deps = deps
  }

  /** A new journal. Its file is there with the first word. */
  begin(record: ChatRecord = emptyRecord, key: string = randomUUID()): Journal {
    return new Journal(key, record, this.#journalDeps(key))
  }

  /** Goes on with a journal of this Neovim's; an unknown one, and another's, is a new and empty one. */
  async resume(key: string): Promise<Resumed> {
    const [found, owner] = await Promise.all([this.#read(key), this.#deps.owner()])
    if (!found) return { journal: this.begin(emptyRecord, isKey(key) ? key : undefined), record: emptyRecord }
    if (found.owner && !isSameOwner(found.owner, owner) && (await this.#isTaken(found)))
      return { journal: this.begin(), record: emptyRecord }
    return this.#goOn(found, found.owner !== undefined && isSameOwner(found.owner, owner))
  }

  /** What Neovims that are gone have left over, newest first. Of what nothing can be read, it is told where it is kept. */
  async left(): Promise<LeftJournal[]> {
    const all = await this.#allAndUnfinished()
    const left = await Promise.all(all.map(async (found) => ((await this.#isTaken(found)) ? [] : [found])))
    for (const { key, record, isDamaged } of left.flat())
      if (isDamaged && isBlank(record) && (await this.#keepAside(key))) await rm(this.#path(key), { force: true })
    return left
      .flat()
      .filter(({ record }) => !isBlank(record))
      .map(({ key, record, changed, isFiled }) => ({ key, record, changed, isFiled }))
      .toSorted((one, other) => other.changed - one.changed)
  }

  /** Makes a left-over journal ours; `undefined` when it is not there any more, or is somebody's. */
  async take(key: string): Promise<Resumed | undefined> {
    const found = await this.#read(key)
    if (!found || (await this.#isTaken(found))) return undefined
    // Only one of two can give it another name.
    const own = randomUUID()
    try {
      await rename(this.#path(key), this.#path(own))
    } catch {
      return undefined
    }
    return this.#goOn({ ...found, key: own }, false)
  }

  /** Removes a left-over journal for good; one that is somebody's stays. @returns whether it is gone */
  async drop(key: string): Promise<boolean> {
    const found = await this.#read(key)
    if (found && (await this.#isTaken(found))) return false
    if (found?.isDamaged && !(await this.#keepAside(key))) return false
    if (found) await rm(this.#path(key), { force: true })
    return true
  }

  async #goOn({ key: former, record, isWhole, isDamaged, bytes }: Found, isOurs: boolean): Promise<Resumed> {
    // What is not understood today is never written over.
    const key = isDamaged && !(await this.#keepAside(former)) ? randomUUID() : former
    const deps = this.#journalDeps(key)
    const isSound = isWhole && isOurs
    const isOpen =
      isSound &&
      (await deps.file.resume().then(
        () => true,
        () => false,
      ))
    const journal = new Journal(key, record, deps, isOpen ? bytes : undefined)
    if (!isOpen) journal.renew()
    return { journal, record }
  }

  /** The file as it is stays beside the others. @returns whether it does */
  async #keepAside(key: string): Promise<boolean> {
    const [path, aside] = [this.#path(key), this.#path(key) + DAMAGED]
    try {
      // Not every file system has links.
      await link(path, aside).catch(() => copyFile(path, aside, constants.COPYFILE_EXCL))
    } catch {
      return false
    }
    this.#deps.onDamage(aside)
    return true
  }

  async #isTaken({ owner, changed }: Found): Promise<boolean> {
    return owner !== undefined && (await isAlive(owner, { touched: changed, now: this.#deps.clock.now() }))
  }

  async #allAndUnfinished(): Promise<Found[]> {
    const all = await this.#all()
    const isMore = await settleUnfinished({
      ...{ folder: this.#deps.folder(), now: this.#deps.clock.now() },
      isTaken: async ({ owner }, trace) => owner !== undefined && (await isAlive(owner, trace)),
      records: all.map(({ record }) => record),
      names: all.map(({ key }) => key + ENDING),
    })
    return isMore ? await this.#all() : all
  }

  async #all(): Promise<Found[]> {
    const names = await readdir(this.#deps.folder()).catch(() => [])
    const keys = names.filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length))
    for (const key of this.#known.keys()) if (!keys.includes(key)) this.#known.delete(key)
    const all: Found[] = []
    // One after the other: each may be long.
    for (const key of keys) {
      const found = await this.#read(key)
      if (found) all.push(found)
    }
    return all
  }

  async #read(key: string): Promise<Found | undefined> {
    if (!isKey(key)) return undefined
    try {
      const path = this.#path(key)
      const { mtimeMs, size } = await stat(path)
      const known = this.#known.get(key)
      if (known?.changed === mtimeMs && known.bytes === size) return known
      const text = await readFile(path)
      const found = { key, changed: mtimeMs, bytes: text.length, ...replay(text.toString('utf8')) }
      this.#known.set(key, found)
      return found
    } catch {
      return undefined
    }
  }

  #path(key: string): string {
    return join(this.#deps.folder(), key + ENDING)
  }

  #journalDeps(key: string) {
    const { clock, owner } = this.#deps
    return {
      file: new SystemJournalFile(this.#path(key)),
      clock,
      owner,
      onTrouble: (error: unknown) => this.#tell(error),
    }
  }

  /** Several chats have one disk. */
  #tell(error: unknown): void {
    const now = this.#deps.clock.now()
    if (now - this.#toldAt < TELL_AGAIN_MS) return
    this.#toldAt = now
    this.#deps.onTrouble(error)
  }
}

/** What is given as a key may be anything, and is to be a file of this folder. */
function isKey(key: string): boolean {
  return /^[\w-]+$/.test(key)
}
