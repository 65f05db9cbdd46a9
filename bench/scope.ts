// What was started and has to be ended, in one place.

export class Scope {
  readonly #closings: (() => Promise<void> | void)[] = []

  /** Ends with the scope. Returns what it was given. */
  own<Thing>(thing: Thing, close: (thing: Thing) => Promise<void> | void): Thing {
    this.#closings.push(() => close(thing))
    return thing
  }

  /** Runs `work` with a scope that ends with it, and with this one at the latest. */
  async nested<Value>(work: (scope: Scope) => Promise<Value>): Promise<Value> {
    const inner = this.own(new Scope(), (scope) => scope.close())
    try {
      return await work(inner)
    } finally {
      await inner.close()
    }
  }

  /** Ends everything, the newest first; a failure of one does not spare the others. */
  async close(): Promise<void> {
    for (let close = this.#closings.pop(); close; close = this.#closings.pop()) {
      await Promise.resolve(close()).catch((error: unknown) => process.stderr.write(`bench: ${String(error)}\n`))
    }
  }
}
