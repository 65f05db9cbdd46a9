// One chat's journal: whatever happens to the chat is on the disk within a second. Not here: what its lines mean (lines.ts),
// whose it is and where (journals.ts).
import type { Clock } from '../../core/clock.ts'
import { type Change, type ChatRecord, isBlank } from '../record/record.ts'
import type { JournalFile } from './journal-file.ts'
import { enqueue, type Filed, headPieces, lineOf } from './lines.ts'
import type { Owner } from './owner.ts'

export interface JournalDeps {
  file: JournalFile
  clock: Clock
  owner(): Promise<Owner>
  /** Told once of a disk that does not take it, and again only after it took something. */
  onTrouble(error: unknown): void
}

/** From a change until the system has it: what the death of the host may cost. */
const WRITE_AFTER_MS = 200
/** From a change until the disk has it, but for the disk's own time: what the death of the machine may cost. */
const SYNC_AFTER_MS = 700
const RETRY_AFTER_MS = 2_000
/** The file is begun anew when it has become so many times longer than its head; a short one never. */
const GROWTH = 4
const SHORT_BYTES = 512 * 1024

export class Journal {
  /** By which it is found again. */
  readonly key: string
  readonly #deps: JournalDeps
  #record: ChatRecord
  #waiting: Array<Change | Filed> = []
  /** The file is to be begun anew with the record as it is then. */
  #needsHead: boolean
  #bytes = { head: 0, all: 0 }
  /** When what waits, and what is not on the disk for certain, was changed first. */
  #waitingSince: number | undefined
  #unsyncedSince: number | undefined
  /** After a failure: when it is tried again. */
  #retryAt = 0
  #isClosed = false
  #work: Promise<void> | undefined
  #flushing: Array<() => void> = []
  #wake = new AbortController()

  /** @param there the length in bytes of a file that is there, holds just this record and may be appended to */
  constructor(key: string, record: ChatRecord, deps: JournalDeps, there?: number) {
    this.key = key
    this.#record = record
    this.#deps = deps
    this.#needsHead = there === undefined
    if (there !== undefined) this.#bytes = { head: there, all: there }
  }

  /** Notes a change and the record after it. Nothing waits for it, and it never throws. */
  write(change: Change, record: ChatRecord): void {
    this.#record = record
    if (this.#isClosed || (this.#needsHead && this.#bytes.all === 0 && isBlank(record))) return
    if (!this.#needsHead) enqueue(this.#waiting, change)
    this.#start()
  }

  /** Has the record written down as a whole, as after it was taken over from somewhere else. */
  renew(): void {
    this.#needsHead = true
    this.#waiting = []
    this.#start()
  }

  /**
   * Notes that all of a record is in the chat's file, so that it was no loss if that file went away later. Nothing is noted
   * when the chat has gone on since.
   */
  filed(record: ChatRecord): void {
    if (this.#isClosed || this.#needsHead || this.#record !== record) return
    this.#waiting.push({ type: 'filed' })
    this.#start()
  }

  /** Resolves when all that was noted is on the disk, or cannot be had there. Never rejects. */
  async flush(): Promise<void> {
    if (!this.#work) return
    await new Promise<void>((resolve) => {
      this.#flushing.push(resolve)
      this.#wake.abort()
    })
  }

  /** Ends it; with `keep` all of it is on the disk then, else its file is gone. Never rejects. */
  async close({ keep }: { keep: boolean }): Promise<void> {
    if (keep) await this.flush()
    this.#isClosed = true
    this.#wake.abort()
    await this.#work
    const { file, onTrouble } = this.#deps
    await file[keep ? 'close' : 'remove']().catch(onTrouble)
  }

  #start(): void {
    if (this.#waitingSince === undefined) this.#wake.abort()
    this.#waitingSince ??= this.#deps.clock.now()
    this.#work ??= this.#untilDone().finally(() => {
      this.#work = undefined
      // Something may have come after the last look.
      if (this.#waitingSince !== undefined && !this.#isClosed) return this.#start()
      for (const resolve of this.#flushing.splice(0)) resolve()
    })
  }

  async #untilDone(): Promise<void> {
    while (!this.#isClosed && (this.#waitingSince !== undefined || this.#unsyncedSince !== undefined)) {
      await this.#pause()
      if (this.#isClosed) return
      const served = this.#flushing.splice(0)
      try {
        await this.#step(served.length > 0)
      } catch (error) {
        this.#fail(error)
      }
      for (const resolve of served) resolve()
    }
  }

  /** Until something is due, or what is due may have changed. */
  async #pause(): Promise<void> {
    const { clock } = this.#deps
    const ms = Math.max(Math.min(this.#writeAt, this.#syncAt), this.#retryAt) - clock.now()
    if (ms > 0 && this.#flushing.length === 0) await clock.sleep(ms, this.#wake.signal).catch(() => {})
    if (!this.#isClosed) this.#wake = new AbortController()
  }

  async #step(isHurried: boolean): Promise<void> {
    const { clock, file } = this.#deps
    const isDue = (at: number) => isHurried || clock.now() >= Math.max(at, this.#retryAt)
    if (this.#waitingSince !== undefined && isDue(this.#writeAt)) {
      if (this.#needsHead) await this.#begin()
      else await this.#append(this.#waitingSince)
      this.#retryAt = 0
    }
    if (this.#unsyncedSince === undefined || !isDue(this.#syncAt)) return
    this.#unsyncedSince = undefined
    // Somebody has removed the file, or taken it for left over.
    if (!(await file.sync())) await this.#begin()
  }

  get #writeAt(): number {
    return (this.#waitingSince ?? Number.POSITIVE_INFINITY) + WRITE_AFTER_MS
  }

  get #syncAt(): number {
    return (this.#unsyncedSince ?? Number.POSITIVE_INFINITY) + SYNC_AFTER_MS
  }

  async #begin(): Promise<void> {
    // Before the record is taken: what comes meanwhile is either in it or waits, and never both.
    const owner = await this.#deps.owner()
    this.#needsHead = false
    this.#waiting = []
    this.#waitingSince = undefined
    this.#unsyncedSince = undefined
    const bytes = await this.#deps.file.begin(headPieces(owner, this.#record))
    this.#bytes = { head: bytes, all: bytes }
  }

  async #append(since: number): Promise<void> {
    const lines = this.#waiting.map(lineOf).join('')
    this.#waiting = []
    this.#waitingSince = undefined
    this.#unsyncedSince ??= since
    this.#bytes.all += await this.#deps.file.append(lines)
    if (this.#bytes.all > Math.max(SHORT_BYTES, GROWTH * this.#bytes.head)) this.renew()
  }

  /** What of the file can be trusted is not known any more, so it is begun anew. */
  #fail(error: unknown): void {
    if (this.#retryAt === 0) this.#deps.onTrouble(error)
    this.#retryAt = this.#deps.clock.now() + RETRY_AFTER_MS
    this.#unsyncedSince = undefined
    this.#needsHead = true
    this.#waiting = []
    this.#waitingSince ??= this.#deps.clock.now()
  }
}
