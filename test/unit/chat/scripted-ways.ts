// Ways to servers that a test opens and closes.
import type { Ways } from '../../../src/chat/patience.ts'

export class ScriptedWays implements Ways {
  isBack = true
  tryAt: number | undefined
  /** Why a way does not come back; told to whoever waits. */
  refusal: unknown
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

  nextTry(): number | undefined {
    return this.tryAt
  }
}
