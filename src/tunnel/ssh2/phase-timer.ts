// One deadline at a time for the phases of a login; it stands still while a person is asked.
import type { Clock } from '../../core/clock.ts'
import type { Prompts } from '../transport.ts'

export class PhaseTimer {
  readonly #clock: Clock
  readonly #onExpired: (phase: string, ms: number) => void
  #current: { phase: string; ms: number; left: number; since: number } | undefined
  #running: AbortController | undefined
  #pauses = 0

  constructor(clock: Clock, onExpired: (phase: string, ms: number) => void) {
    this.#clock = clock
    this.#onExpired = onExpired
  }

  /** Starts a phase that may last `ms`, in place of the one before. */
  start(phase: string, ms: number): void {
    this.#halt()
    this.#current = { phase, ms, left: ms, since: this.#clock.now() }
    if (this.#pauses === 0) this.#run()
  }

  pause(): void {
    if (this.#pauses++ > 0 || !this.#current) return
    this.#current.left -= this.#clock.now() - this.#current.since
    this.#halt()
  }

  resume(): void {
    if (--this.#pauses === 0 && this.#current) this.#run()
  }

  stop(): void {
    this.#halt()
    this.#current = undefined
  }

  #run(): void {
    const current = this.#current
    if (!current) return
    const running = new AbortController()
    this.#running = running
    current.since = this.#clock.now()
    this.#clock.sleep(Math.max(0, current.left), running.signal).then(
      () => {
        if (!running.signal.aborted) this.#onExpired(current.phase, current.ms)
      },
      () => {},
    )
  }

  #halt(): void {
    this.#running?.abort()
    this.#running = undefined
  }
}

/** Does something that is none of the server's business, with the timer standing still meanwhile. */
export async function paused<T>(timer: PhaseTimer, work: () => Promise<T>): Promise<T> {
  timer.pause()
  try {
    return await work()
  } finally {
    timer.resume()
  }
}

/** The same prompts, with the timer standing still while one is open. */
export function pausing(prompts: Prompts, timer: PhaseTimer): Prompts {
  return {
    secret: (question, signal) => paused(timer, () => prompts.secret(question, signal)),
    choose: (question, signal) => paused(timer, () => prompts.choose(question, signal)),
  }
}
