// An answer on its way into the transcript, from the request to the end of its turn. Not here: how its stream is followed
// and timed (answer.ts), what is asked next (session.ts).
import type { Clock } from '../core/clock.ts'
import type { PluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ChatRequest, StreamPart } from '../providers/provider.ts'
import type { ChatState } from '../rpc/protocol.ts'
import { Answer, type AnswerPart } from './answer.ts'
import { type AnswerText, localTime, messages } from './conversation.ts'
import { type Outcome, outcomeOfFailure, outcomeOfFinish } from './outcome.ts'
import type { SessionStates } from './session-states.ts'
import type { Transcript } from './transcript.ts'

/** What is needed of the servers. `model` is `server:model`. */
export interface Answerer {
  stream(
    model: string,
    request: Omit<ChatRequest, 'model'>,
    options: { signal: AbortSignal },
  ): AsyncIterable<StreamPart>
}

export type RequestSettings = Pick<ChatRequest, 'options' | 'think' | 'keepAlive'>

export interface AnswerRunDeps {
  answerer: Answerer
  transcript: Transcript
  states: SessionStates
  clock: Clock
  log: Log
  settings(): RequestSettings
  /** The state has changed. */
  onMove(): void
}

export class AnswerRun {
  readonly #model: string
  readonly #deps: AnswerRunDeps
  readonly #answer: Answer
  #hasTurn = false

  constructor(model: string, deps: AnswerRunDeps) {
    this.#model = model
    this.#deps = deps
    this.#answer = new Answer(deps.clock)
  }

  stop(reason: PluginError): void {
    this.#answer.stop(reason)
  }

  /** Asks in the same turn of the event loop. Resolves when the ended turn stands in the transcript; never rejects. */
  async run(): Promise<Outcome> {
    const outcome = await this.#outcome()
    try {
      this.#finishTurn(outcome)
      await this.#deps.transcript.settle()
    } catch (error) {
      this.#deps.log.error('the end of an answer could not be written', { error })
    }
    return outcome
  }

  async #outcome(): Promise<Outcome> {
    const answer = this.#answer
    try {
      const last = await answer.follow(
        (signal) => this.#deps.answerer.stream(this.#model, this.#request(), { signal }),
        (part) => this.#take(part),
      )
      return outcomeOfFinish(last, answer.received)
    } catch (thrown) {
      if (answer.isStopped) return { end: 'stopped' }
      this.#deps.log.warn('answer failed', { model: this.#model, error: thrown })
      return outcomeOfFailure(thrown, answer.received)
    }
  }

  #request(): Omit<ChatRequest, 'model'> {
    const { options, think, keepAlive } = this.#deps.settings()
    return { messages: messages(this.#deps.transcript.conversation), options, think, keepAlive }
  }

  #take(part: AnswerPart): void {
    switch (part.type) {
      case 'phase':
        this.#believe(part.phase)
        return
      case 'thinking':
      case 'text':
        if (part.text !== '') this.#takeText(part)
    }
  }

  #takeText(part: AnswerText): void {
    const { transcript, states, onMove } = this.#deps
    this.#beginTurn()
    this.#answer.note(part)
    transcript.extendAnswer(part, this.#answer.thinkingMs)
    if (!states.move(part.type === 'thinking' ? 'thinking' : 'writing')) return
    onMove()
    transcript.hurry()
  }

  /** A provider that tells an impossible phase has a defect, for which the answer need not die. */
  #believe(phase: ChatState['phase']): void {
    try {
      if (this.#deps.states.move(phase)) this.#deps.onMove()
    } catch {
      // The refused move has been logged.
    }
  }

  #beginTurn(): void {
    if (this.#hasTurn) return
    this.#hasTurn = true
    const at = localTime(this.#deps.clock.now())
    this.#deps.transcript.beginAnswer({ role: 'assistant', model: this.#model, at, text: '' })
  }

  /** An answer that was stopped before its first word leaves no turn. */
  #finishTurn(outcome: Outcome): void {
    const { end, note } = outcome
    if (note) this.#beginTurn()
    if (!this.#hasTurn) return
    this.#deps.transcript.endAnswer({ end, ...(note ? { note } : {}), ...this.#answer.measured(outcome) })
  }
}
