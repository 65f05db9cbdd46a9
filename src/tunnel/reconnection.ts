// Who needs a link though it is down, and when it is tried for them by itself. The try is connection.ts's, the rule of its time
// back-off.ts's.
import type { Clock } from '../core/clock.ts'
import type { PluginError } from '../core/errors.ts'
import { mayRetry, retryDelay } from './back-off.ts'
import { WaitingList } from './waiting-list.ts'

export interface ReconnectionOptions {
  clock: Clock
  /** In [0, 1). */
  random: () => number
}

export class Reconnection {
  readonly #options: ReconnectionOptions
  readonly #waiting = new WaitingList()
  #pause: { over: AbortController; until: number } | undefined
  /** It was up and is not ended by anybody's will: worth keeping up. */
  #hasBeenUp = false
  #isKeptUp = false
  /** Made by itself since the link was last sound. */
  #tries = 0

  constructor(options: ReconnectionOptions) {
    this.#options = options
  }

  /** Whether somebody waits for the link, whoever it is that has it tried. */
  get isAwaited(): boolean {
    return !this.#waiting.isEmpty
  }

  get isWanted(): boolean {
    return this.isAwaited || (this.#isKeptUp && this.#hasBeenUp)
  }

  /** When it is tried again, while a retry waits. */
  get retryAt(): number | undefined {
    return this.#pause?.until
  }

  /** Resolves when the link has come up. */
  wait(signal: AbortSignal, onLeave: () => void): Promise<void> {
    return this.#waiting.add(signal, onLeave)
  }

  keepUp(isKeptUp: boolean): void {
    this.#isKeptUp = isKeptUp
  }

  cameUp(): void {
    this.#hasBeenUp = true
    this.#waiting.resolveAll()
  }

  /** The next try is a first one: the link was sound, or there is news. */
  startOver(): void {
    this.#tries = 0
  }

  /** Nobody shall have it tried any more; who waits is told why. */
  end(reason: PluginError): void {
    this.#hasBeenUp = false
    this.#tries = 0
    this.endPause()
    this.#waiting.rejectAll(reason)
  }

  /** Milliseconds until the next try; `undefined` when nobody needs one, or none would help: then who waits is told. */
  nextDelay(error: PluginError | undefined): number | undefined {
    if (!this.isWanted) return undefined
    if (!error) return 0
    if (mayRetry(error)) return retryDelay(this.#tries, error, this.#options.random)
    this.end(error)
    return undefined
  }

  /** Counts the try that is made now. */
  countTry(): void {
    this.endPause()
    this.#tries++
  }

  pause(ms: number, thenTry: () => void): void {
    const { clock } = this.#options
    const pause = { over: new AbortController(), until: clock.now() + ms }
    this.#pause = pause
    clock.sleep(ms, pause.over.signal).then(
      () => {
        if (this.#pause === pause) thenTry()
      },
      () => {},
    )
  }

  endPause(): void {
    this.#pause?.over.abort()
    this.#pause = undefined
  }
}
