// Many small pieces to few writes, one of them under way at a time. What a write is, and where it goes, is its owner's.
import type { Clock } from '../../core/clock.ts'

/** What a write tells: how long the text has become in lines, or that there is no place for it any more. */
export type Written = { lines: number } | 'gone'

export interface WriterDeps {
  clock: Clock
  /** Its answer is the back-pressure: meanwhile the pending text grows. */
  append(text: string): Promise<Written>
  /** Told once of a write that failed; after it the writer drops everything. */
  onError(error: unknown): void
}

/** `open` takes text; after `gone` and `failed` text is dropped, and only the owner can know what to do. */
export type WriterState = 'open' | 'gone' | 'failed'

/** Between the starts of two writes, in milliseconds. Figures: more often costs the editor more than it shows. */
const SHORTEST_INTERVAL_MS = 33
const LONGEST_INTERVAL_MS = 250
/** A transcript's highlighting costs its length with every write, so long ones are written less often. */
const LINES_PER_MS = 100

/** Writes the first text at once, and then what has come meanwhile, at an interval by the transcript's length. */
export class Writer {
  readonly #deps: WriterDeps
  #state: WriterState = 'open'
  #pending: string[] = []
  #isPumping = false
  /** When the next write may start. */
  #dueAt = Number.NEGATIVE_INFINITY
  /** Those who wait in `flush`, and whether their text is already on its way. */
  #waiting: Array<() => void> = []
  #hurry = new AbortController()

  constructor(deps: WriterDeps) {
    this.#deps = deps
  }

  get state(): WriterState {
    return this.#state
  }

  push(text: string): void {
    if (text === '' || this.#state !== 'open') return
    this.#pending.push(text)
    if (!this.#isPumping) void this.#pump()
  }

  /** Writes what was pushed without waiting for the interval. Resolves when it is written or dropped; never rejects. */
  async flush(): Promise<void> {
    if (!this.#isPumping) return
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      this.#hurry.abort()
    })
  }

  async #pump(): Promise<void> {
    this.#isPumping = true
    while (this.#pending.length > 0) {
      const wait = this.#dueAt - this.#deps.clock.now()
      // Without an await where none is needed: the first text leaves in the same turn of the event loop.
      if (wait > 0 && !this.#hurry.signal.aborted)
        await this.#deps.clock.sleep(wait, this.#hurry.signal).catch(() => {})
      this.#hurry = new AbortController()
      const served = this.#waiting
      this.#waiting = []
      await this.#write()
      for (const resolve of served) resolve()
    }
    this.#isPumping = false
    for (const resolve of this.#waiting) resolve()
    this.#waiting = []
    this.#hurry = new AbortController()
  }

  async #write(): Promise<void> {
    const startedAt = this.#deps.clock.now()
    const text = this.#pending.join('')
    this.#pending = []
    try {
      const written = await this.#deps.append(text)
      if (written === 'gone') return this.#drop('gone')
      this.#dueAt = startedAt + intervalMs(written.lines)
    } catch (error) {
      this.#drop('failed')
      this.#deps.onError(error)
    }
  }

  #drop(state: 'gone' | 'failed'): void {
    this.#state = state
    this.#pending = []
  }
}

function intervalMs(lines: number): number {
  return Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, lines / LINES_PER_MS))
}
