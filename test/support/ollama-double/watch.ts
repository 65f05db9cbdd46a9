/** Lets tests wait for a state instead of sleeping: probes run again at each change. */

export class Watch {
  readonly #probes = new Set<{ check: () => boolean; fail: (error: Error) => void }>()
  #closed: Error | undefined

  /** Resolves with the first value that `probe` returns other than undefined; rejects when the watch closes. */
  until<Value>(probe: () => Value | undefined): Promise<Value> {
    return new Promise((resolve, reject) => {
      const check = (): boolean => {
        const value = probe()
        if (value !== undefined) resolve(value)
        return value !== undefined
      }
      if (check()) return
      if (this.#closed !== undefined) return reject(this.#closed)
      this.#probes.add({ check, fail: reject })
    })
  }

  readonly changed = (): void => {
    for (const probe of this.#probes) if (probe.check()) this.#probes.delete(probe)
  }

  close(error: Error): void {
    this.#closed = error
    for (const probe of this.#probes) probe.fail(error)
    this.#probes.clear()
  }
}
