// The wait for a server that is away, and when it is asked again. What is asked of it, and what of a failure is worth a
// wait, is not known here.
import type { Clock } from '../../core/clock.ts'
import { type PluginError, toPluginError } from '../../core/errors.ts'

/** What is needed to know of the ways to the servers. `model` is `server:model`. */
export interface Ways {
  /**
   * Resolves when the way to a model's server is there again.
   * @throws PluginError why it does not come by itself; the signal's reason when aborted
   */
  whenBack(model: string, signal: AbortSignal): Promise<void>
  /** Has the way tried now, whatever it waits for. */
  tryNow(model: string): void
  /** When the way is tried next, in milliseconds since the epoch, if that is known. */
  nextTry(model: string): number | undefined
}

export interface PatienceDeps {
  clock: Clock
  ways: Ways
  /** Whether a failure passes by itself. */
  passes(error: PluginError): boolean
  /** What is waited for has changed. */
  onChange(): void
}

const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 30_000

export class Patience {
  readonly #model: string
  readonly #deps: PatienceDeps
  #failures = 0
  #nextTry: number | undefined
  #hurry = new AbortController()

  constructor(model: string, deps: PatienceDeps) {
    this.#model = model
    this.#deps = deps
  }

  /** Waits that were for nothing, since the last word came. */
  get failures(): number {
    return this.#failures
  }

  /** In milliseconds since the epoch. */
  get nextTry(): number | undefined {
    return this.#nextTry ?? this.#deps.ways.nextTry(this.#model)
  }

  /** Something came: the next wait begins with the shortest delay again. */
  encourage(): void {
    this.#failures = 0
  }

  /** Tries at once. */
  hurry(): void {
    this.#hurry.abort()
    this.#deps.ways.tryNow(this.#model)
  }

  /**
   * Resolves when it makes sense to ask again.
   * @throws PluginError why it never will; the signal's reason when aborted
   */
  async wait(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#sleep(delayAfter(this.#failures++), signal)
      try {
        return await this.#deps.ways.whenBack(this.#model, signal)
      } catch (thrown) {
        signal.throwIfAborted()
        const error = toPluginError(thrown)
        if (!this.#deps.passes(error)) throw error
      }
    }
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (ms === 0) return
    const { clock, onChange } = this.#deps
    this.#hurry = new AbortController()
    this.#nextTry = clock.now() + ms
    onChange()
    await clock.sleep(ms, AbortSignal.any([signal, this.#hurry.signal])).catch(() => {})
    this.#nextTry = undefined
    signal.throwIfAborted()
    onChange()
  }
}

/** The first wait is the way's own; a server that is away behind a sound way is asked ever less often. */
function delayAfter(failures: number): number {
  return failures === 0 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1))
}
