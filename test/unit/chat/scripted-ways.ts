// Ways to servers that a test opens and closes.
import type { Ways } from '../../../src/chat/answer/patience.ts'

export class ScriptedWays implements Ways {
  isBack = true
  tryAt: number | undefined
  /** How often somebody wanted a way tried at once. */
  tries = 0
  /** Those who wait for a way. */
  readonly #waiting = new Set<{ resolve: () => void; reject: (error: unknown) => void }>()

  get waiting(): number {
    return this.#waiting.size
  }

  comeBack(): void {
    this.isBack = true
    for (const { resolve } of this.#waiting) resolve()
    this.#waiting.clear()
  }

  /** Tells whoever waits why a way does not come back. */
  refuse(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error)
    this.#waiting.clear()
  }

  async whenBack(_model: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.isBack) return
    await new Promise<void>((resolve, reject) => {
      const waiter = { resolve, reject }
      this.#waiting.add(waiter)
      const leave = () => {
        this.#waiting.delete(waiter)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  tryNow(): void {
    this.tries++
  }

  nextTry(): number | undefined {
    return this.tryAt
  }
}
