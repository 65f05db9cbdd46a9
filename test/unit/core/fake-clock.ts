// Time that moves only when a test says so.
import type { Clock } from '../../../src/core/clock.ts'

interface Sleeper {
  at: number
  wake: () => void
}

export class FakeClock implements Clock {
  #now = 0
  readonly #sleepers = new Set<Sleeper>()
  /** Every duration that was ever slept, in order. */
  readonly slept: number[] = []

  now(): number {
    return this.#now
  }

  /** How many are asleep: what a finished operation must leave at zero. */
  get timers(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      this.slept.push(ms)
      const giveUp = () => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const sleeper = { at: this.#now + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** Lets `ms` pass, waking each sleeper at its time and letting what it does happen before the next one. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = next.at
      next.wake()
      await settle()
    }
    this.#now = end
  }

  #next(end: number): Sleeper | undefined {
    return [...this.#sleepers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
  }
}

/** Lets everything happen that needs neither time nor the network. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
