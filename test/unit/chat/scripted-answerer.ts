// Servers whose answers a test speaks, part by part.
import type { Answerer } from '../../../src/chat/answer/answer-run.ts'
import type { ChatRequest, PartialAnswer, StreamPart } from '../../../src/providers/provider.ts'

/** One request, and the hand that answers it. */
export class ScriptedAnswer implements AsyncIterable<StreamPart> {
  readonly model: string
  readonly request: Omit<ChatRequest, 'model'>
  readonly signal: AbortSignal
  /** What had come of the answer that this one goes on with. */
  readonly partial: PartialAnswer | undefined
  /** Whether nobody listens any more. */
  isLeft = false
  /** Whether it was said where a continuation begins. */
  isJoined = false
  readonly #coming: Array<IteratorResult<StreamPart> | { error: unknown }> = []
  #wake: (() => void) | undefined

  constructor(model: string, request: Omit<ChatRequest, 'model'>, signal: AbortSignal, partial?: PartialAnswer) {
    this.model = model
    this.request = request
    this.signal = signal
    this.partial = partial
  }

  say(...parts: StreamPart[]): void {
    this.#coming.push(...parts.map((value) => ({ done: false as const, value })))
    this.#wake?.()
  }

  finish(reason: 'stop' | 'length' | 'load' | 'unload' | 'unknown' = 'stop', usage = {}): void {
    this.say({ type: 'finish', reason, usage })
  }

  fail(error: unknown): void {
    this.#coming.push({ error })
    this.#wake?.()
  }

  /** Ends without a last part, which no sound server does. */
  breakOff(): void {
    this.#coming.push({ done: true, value: undefined })
    this.#wake?.()
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamPart> {
    return {
      next: () => this.#next(),
      return: () => {
        this.isLeft = true
        return new Promise(() => {}) // a stream that is stuck answers nobody
      },
    }
  }

  async #next(): Promise<IteratorResult<StreamPart>> {
    while (this.#coming.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const next = this.#coming.shift()
    if (!next || 'error' in next) throw next?.error
    return next
  }
}

export class ScriptedAnswerer implements Answerer {
  readonly answers: ScriptedAnswer[] = []
  /** Thrown by the next request before it becomes one. */
  refusal: unknown

  get last(): ScriptedAnswer {
    const last = this.answers.at(-1)
    if (!last) throw new Error('nothing was asked')
    return last
  }

  stream(model: string, request: Omit<ChatRequest, 'model'>, { signal }: { signal: AbortSignal }): ScriptedAnswer {
    const answer = new ScriptedAnswer(model, request, signal)
    this.answers.push(answer)
    if (this.refusal !== undefined) throw this.refusal
    return answer
  }
  resume(
    model: string,
    request: Omit<ChatRequest, 'model'>,
    partial: PartialAnswer,
    { signal }: { signal: AbortSignal },
  ): ScriptedAnswer {
    const answer = new ScriptedAnswer(model, request, signal, partial)
    this.answers.push(answer)
    if (this.refusal !== undefined) throw this.refusal
    return answer
  }
}
