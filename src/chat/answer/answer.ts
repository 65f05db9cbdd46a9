// One answer while it comes: its streams, its end by abort, its times. Where its words go is answer-run.ts's.
import type { Clock } from '../../core/clock.ts'
import { PluginError } from '../../core/errors.ts'
import type { StreamPart } from '../../providers/provider.ts'
import type { AnswerText, Turn, TurnUsage } from '../record/conversation.ts'
import type { Finish, Outcome, Received } from './outcome.ts'

export type AnswerPart = Exclude<StreamPart, Finish>

/** The one owner of an answer's requests: of the first, and of those that go on with it. */
export class Answer {
  received: Received = { thinking: false, text: false }
  readonly #clock: Clock
  readonly #controller = new AbortController()
  readonly #startedAt: number
  #firstAt: number | undefined
  #thinkingAt: number | undefined
  #thinkingMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startedAt = clock.now()
  }

  get isStopped(): boolean {
    return this.#controller.signal.aborted
  }

  /** Aborted when it is stopped. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** From the first thinking to the first text, in whole milliseconds. */
  get thinkingMs(): number | undefined {
    return this.#thinkingMs
  }

  stop(reason: PluginError): void {
    this.#controller.abort(reason)
  }

  /** It begins anew: what came before is of no account. */
  forget(): void {
    this.received = { thinking: false, text: false }
    this.#thinkingAt = undefined
    this.#thinkingMs = undefined
  }

  /** Notes the time and kind of a part that has come. */
  note({ type }: AnswerText): void {
    const now = this.#clock.now()
    this.#firstAt ??= now
    if (type === 'text' && this.#thinkingAt !== undefined) this.#thinkingMs ??= Math.round(now - this.#thinkingAt)
    if (type === 'thinking' && !this.received.text) this.#thinkingAt ??= now
    this.received[type] = true
  }

  /** What was measured here and what the server told. */
  measured({ usage: told }: Outcome): Pick<Turn, 'usage' | 'thinkingMs'> {
    const first = this.#firstAt === undefined ? {} : { firstTokenMs: Math.round(this.#firstAt - this.#startedAt) }
    const usage: TurnUsage = { ...told, ...first }
    return {
      ...(Object.keys(usage).length === 0 ? {} : { usage }),
      ...(this.#thinkingMs === undefined ? {} : { thinkingMs: this.#thinkingMs }),
    }
  }

  /**
   * Hands every part to `take`, and returns the last one. Ends at once when stopped, whatever the stream does then.
   * @throws whatever the stream or `take` throws; the reason it was stopped with; API_INCOMPLETE for a stream without end
   */
  async follow(
    open: (signal: AbortSignal) => AsyncIterable<StreamPart>,
    take: (part: AnswerPart) => void,
  ): Promise<Finish> {
    const { signal } = this.#controller
    signal.throwIfAborted()
    const iterator = open(signal)[Symbol.asyncIterator]()
    const over = new AbortController()
    const next = endedBy(signal, over.signal, () => iterator.next())
    try {
      for (let result = await next(); !result.done; result = await next()) {
        if (result.value.type === 'finish') return result.value
        take(result.value)
      }
    } finally {
      over.abort()
      leave(iterator)
    }
    throw new PluginError('API_INCOMPLETE', 'The answer stopped coming before it was done', { hint: 'Ask again.' })
  }
}

/**
 * `next`, but rejecting with the signal's reason as soon as that is aborted; until it is over.
 * One listener serves all calls: one for each part would cost more than the parts.
 */
function endedBy<T>(signal: AbortSignal, over: AbortSignal, next: () => Promise<T>): () => Promise<T> {
  let giveUp: (reason: unknown) => void = () => {}
  signal.addEventListener('abort', () => giveUp(signal.reason), { once: true, signal: over })
  return () =>
    new Promise((resolve, reject) => {
      giveUp = reject
      if (signal.aborted) reject(signal.reason)
      else next().then(resolve, reject)
    })
}

/** Tells the stream that nobody listens any more. It may be stuck, so nobody waits for it either. */
function leave(iterator: AsyncIterator<StreamPart>): void {
  try {
    void iterator.return?.().catch(() => {})
  } catch {
    // It is of no interest how a stream that was left dies.
  }
}
