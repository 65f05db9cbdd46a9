// One attempt to connect, shared by all who wait for it, each of whom is told its outcome once. What follows from the
// outcome is connection.ts's.
import type { LinkPhase, Session } from './transport.ts'

export interface Waiter {
  onPhase?: ((phase: LinkPhase) => void) | undefined
  /** Nobody sits before it: a question put to a person would come out of the blue. */
  isUnattended?: boolean | undefined
}

export class Attempt {
  /** Told once, whatever becomes of the attempt itself. */
  readonly outcome: Promise<Session>
  readonly #controller = new AbortController()
  readonly #waiters = new Set<Waiter>()
  #reject: (reason: unknown) => void = () => {}
  #phase: LinkPhase = 'connecting'

  /** @param connect begins in the next turn, so that a phase told at once finds the attempt in place. */
  constructor(connect: (attempt: Attempt) => Promise<Session>) {
    this.outcome = new Promise((resolve, reject) => {
      this.#reject = reject
      Promise.resolve()
        .then(() => connect(this))
        .then(resolve, reject)
    })
    this.outcome.catch(() => {})
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get isWaitedFor(): boolean {
    return this.#waiters.size > 0
  }

  /** Whether somebody waits who may be asked. */
  get isAttended(): boolean {
    return [...this.#waiters].some(({ isUnattended }) => !isUnattended)
  }

  /** Whether the phase is new. */
  enter(phase: LinkPhase): boolean {
    if (this.#phase === phase) return false
    this.#phase = phase
    return true
  }

  /** Tells all who wait of the phase. */
  tellPhase(): void {
    for (const waiter of [...this.#waiters]) waiter.onPhase?.(this.#phase)
  }

  /** Who waits is told at once, even when the attempt itself does not heed its signal. */
  giveUp(reason: unknown): void {
    this.#reject(reason)
    this.#controller.abort(reason)
  }

  /** @param onLeave the waiter was aborted and does not wait any more. */
  wait(waiter: Waiter, signal: AbortSignal | undefined, onLeave: () => void): Promise<Session> {
    this.#waiters.add(waiter)
    waiter.onPhase?.(this.#phase)
    return new Promise<Session>((resolve, reject) => {
      const leave = () => {
        reject(signal?.reason)
        this.#waiters.delete(waiter)
        onLeave()
      }
      signal?.addEventListener('abort', leave, { once: true })
      const stay = () => signal?.removeEventListener('abort', leave)
      this.outcome.finally(stay).then(resolve, reject)
    })
  }
}
