// Those who wait for a link to be back, however often it must be tried. Each is told once: that it is, or why it will not be.

interface Entry {
  resolve: () => void
  reject: (reason: unknown) => void
}

export class WaitingList {
  readonly #entries = new Set<Entry>()

  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  /** @param onLeave the signal was aborted, whose reason the promise rejects with. */
  add(signal: AbortSignal, onLeave: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const over = new AbortController()
      const settle = (act: () => void) => {
        this.#entries.delete(entry)
        over.abort()
        act()
      }
      const entry: Entry = { resolve: () => settle(resolve), reject: (reason) => settle(() => reject(reason)) }
      this.#entries.add(entry)
      const leave = () => {
        entry.reject(signal.reason)
        onLeave()
      }
      signal.addEventListener('abort', leave, { signal: over.signal })
    })
  }

  resolveAll(): void {
    for (const { resolve } of [...this.#entries]) resolve()
  }

  rejectAll(reason: unknown): void {
    for (const { reject } of [...this.#entries]) reject(reason)
  }
}
