/** A fair limit on how many may run at once; who waits is served in order and may leave. */

export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Resolves with the function that gives the slot back, which may be called more than once. */
  acquire(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const onAbort = (): void => {
        this.#waiting.delete(take)
        reject(signal.reason)
      }
      const take = (): void => {
        this.#free -= 1
        this.#waiting.delete(take)
        signal.removeEventListener('abort', onAbort)
        resolve(this.#releaser())
      }
      if (this.#free > 0) return take()
      this.#waiting.add(take)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #releaser(): () => void {
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#free += 1
      const [next] = this.#waiting
      next?.()
    }
  }
}
