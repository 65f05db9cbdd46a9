// An answer on its way into the transcript, from the first request to the end of its turn, through as many lost links as
// there are. Not here: how its stream is followed and timed (answer.ts), how long a server is waited for (patience.ts),
// what is asked next (session.ts).
import type { Clock } from '../../core/clock.ts'
import { type ErrorRecord, type PluginError, toPluginError, toRecord } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { ChatRequest, PartialAnswer, StreamPart } from '../../providers/provider.ts'
import type { ChatState, Waiting } from '../../rpc/shapes.ts'
import { type RequestSettings, requestParameters } from '../parameters.ts'
import { type AnswerText, localTime, messages, type Turn, withoutAnswer } from '../record/conversation.ts'
import type { SessionStates } from '../session-states.ts'
import type { Transcript } from '../transcript.ts'
import { Answer, type AnswerPart } from './answer.ts'
import {
  interruptedNote,
  lossOf,
  type Outcome,
  outcomeOfFailure,
  outcomeOfFinish,
  stoppedNote,
  withSeamNote,
} from './outcome.ts'
import { Patience, type Ways } from './patience.ts'

type Request = Omit<ChatRequest, 'model'>

/** What is needed of the servers. `model` is `server:model`. */
export interface Answerer {
  /** `isQuiet`: nobody is told of the request. */
  stream(
    model: string,
    request: Request,
    options: { signal: AbortSignal; isQuiet?: boolean },
  ): AsyncIterable<StreamPart>
  /** Goes on with an answer to the same request that was cut. */
  resume(
    model: string,
    request: Request,
    partial: PartialAnswer,
    options: { signal: AbortSignal },
  ): AsyncIterable<StreamPart>
}

export interface AnswerRunDeps {
  answerer: Answerer
  ways: Ways
  transcript: Transcript
  states: SessionStates
  clock: Clock
  log: Log
  settings(): RequestSettings
  /** The state has changed, or what is told of it. */
  onMove(): void
}

/** An answer that is asked for again and again and gets nowhere has another fault than its link. */
const MOST_FRUITLESS_CUTS = 5

export class AnswerRun {
  readonly #model: string
  readonly #deps: AnswerRunDeps
  readonly #answer: Answer
  readonly #patience: Patience
  /** Whether there is a turn for the answer, and whether that takes words now. */
  #turn: 'none' | 'open' | 'ended' = 'none'
  /** Why the answer was cut last. */
  #loss: ErrorRecord | undefined
  #isWaiting = false
  #leavesMark = true
  /** How long the answer ever was: only what is more than that is worth another try. */
  #longest = 0

  /** @param cut goes on with the transcript's last turn, which was cut */
  constructor(model: string, deps: AnswerRunDeps, cut?: Turn) {
    this.#model = model
    this.#deps = deps
    this.#answer = new Answer(deps.clock)
    this.#patience = new Patience(model, {
      ...deps,
      passes: (error) => lossOf(error) !== undefined,
      onChange: deps.onMove,
    })
    if (!cut) return
    this.#turn = 'ended'
    this.#answer.received.text = cut.text !== ''
    this.#answer.received.thinking = cut.thinking !== undefined
  }

  /** What it waits for, when it does. */
  get waiting(): Waiting | undefined {
    const error = this.#loss
    if (!error || !this.#isWaiting) return undefined
    const { nextTry } = this.#patience
    return {
      server: this.#model.split(':', 1)[0] ?? '',
      error,
      has_answer: this.#turn !== 'none',
      ...(nextTry === undefined ? {} : { next_try: nextTry }),
    }
  }

  /** Whether nothing of it stands in the transcript. */
  get isWordless(): boolean {
    return this.#turn === 'none'
  }

  /** @param leavesMark whether one that has no word yet is told of in the transcript */
  stop(reason: PluginError, { leavesMark = true } = {}): void {
    // Who asks twice has been answered once.
    if (this.#answer.isStopped) return
    this.#leavesMark = leavesMark
    this.#answer.stop(reason)
  }

  /** Has what is waited for tried now. */
  hurry(): void {
    this.#patience.hurry()
  }

  /** Asks in the same turn of the event loop. Resolves when the ended turn stands in the transcript; never rejects. */
  async run(): Promise<Outcome> {
    const outcome = await this.#untilEnded()
    try {
      this.#endTurn(outcome)
      await this.#deps.transcript.settle()
    } catch (error) {
      this.#deps.log.error('the end of an answer could not be written', { error })
    }
    return outcome
  }

  async #untilEnded(): Promise<Outcome> {
    for (;;) {
      const outcome = await this.#attempt()
      const { error } = outcome
      if (!error || !this.#isWorthWaiting(outcome)) return this.#explained(outcome)
      const ended = await this.#wait(outcome, error)
      if (ended) return ended
      this.#believe(this.#turn === 'none' ? 'connecting' : 'resuming')
    }
  }

  async #attempt(): Promise<Outcome> {
    const answer = this.#answer
    const isResuming = this.#turn !== 'none'
    try {
      const last = await answer.follow(
        (signal) => this.#ask(signal),
        (part) => this.#take(part, isResuming),
      )
      return outcomeOfFinish(last, answer.received)
    } catch (thrown) {
      if (answer.isStopped) return this.#left()
      this.#deps.log.warn('answer failed', { model: this.#model, error: thrown })
      return outcomeOfFailure(thrown, answer.received)
    }
  }

  #ask(signal: AbortSignal): AsyncIterable<StreamPart> {
    const { answerer, transcript, settings } = this.#deps
    const { options, think, keepAlive } = settings()
    const request = { messages: messages(withoutAnswer(transcript.conversation)), options, think, keepAlive }
    if (this.#turn === 'none') return answerer.stream(this.#model, request, { signal })
    const { text, thinking = '' } = this.#last()
    return answerer.resume(this.#model, request, { text, thinking }, { signal })
  }

  #isWorthWaiting({ loss }: Outcome): boolean {
    const isAuto = this.#deps.settings().resume === 'auto'
    if (loss === 'unreached') return this.#turn === 'none' || isAuto
    return loss === 'cut' && isAuto && this.#patience.failures < MOST_FRUITLESS_CUTS
  }

  /** The end, when it does not go on after the wait. */
  async #wait(outcome: Outcome, error: ErrorRecord): Promise<Outcome | undefined> {
    // What became of later attempts is told while it waits.
    const isNew = this.#turn === 'open' || (this.#turn === 'ended' && this.#loss === undefined)
    if (isNew) this.#endTurn({ ...outcome, note: interruptedNote(error, 'itself') })
    this.#loss = error
    this.#isWaiting = true
    this.#believe('waiting')
    try {
      await this.#patience.wait(this.#answer.signal)
      return undefined
    } catch (thrown) {
      if (this.#answer.isStopped) return this.#left()
      const failure = toRecord(toPluginError(thrown))
      if (this.#turn === 'none') return outcomeOfFailure(thrown, this.#answer.received)
      return { end: 'interrupted', error: failure, note: interruptedNote(failure, 'asked') }
    } finally {
      this.#isWaiting = false
    }
  }

  /** It was stopped: an answer that was cut before stays as it is. */
  #left(): Outcome {
    if (this.#turn === 'none' && this.#leavesMark) return { end: 'stopped', note: stoppedNote }
    if (this.#turn !== 'ended') return { end: 'stopped' }
    const { end = 'stopped', note: told } = this.#last()
    const note = this.#loss ? interruptedNote(this.#loss, 'asked') : told
    return { end, ...(note ? { note } : {}) }
  }

  /** The outcome with what the reader can do about an answer that was cut and does not go on. */
  #explained(outcome: Outcome): Outcome {
    const { end, error } = outcome
    if (end !== 'interrupted' || !error) return outcome
    const isNever = this.#deps.settings().resume === 'never'
    return { ...outcome, note: interruptedNote(error, isNever ? 'never' : 'asked') }
  }

  #take(part: AnswerPart, isResuming: boolean): void {
    // One that was on its way when it was stopped: what shall stand in the transcript then is settled.
    if (this.#answer.isStopped) return
    switch (part.type) {
      case 'phase':
        this.#believe(isResuming ? resumingPhase(part.phase) : part.phase)
        return
      case 'seam':
        this.#join(part)
        return
      case 'thinking':
      case 'text':
        if (part.text !== '') this.#takeText(part)
    }
  }

  /** Opens the turn again where the continuation begins. */
  #join({ method, back }: Extract<StreamPart, { type: 'seam' }>): void {
    const { usage: _usage, end: _end, note: _note, ...turn } = this.#last()
    const isAnew = method === 'anew'
    const text = isAnew ? '' : turn.text.slice(0, turn.text.length - back)
    const seams = [...(turn.seams ?? []), { at: text.length, method }]
    if (isAnew) {
      this.#answer.forget()
      delete turn.thinking
      delete turn.thinkingMs
    }
    this.#deps.transcript.reopenAnswer({ ...turn, text, seams }, isAnew)
    this.#turn = 'open'
  }

  #takeText(part: AnswerText): void {
    const { transcript, states, onMove } = this.#deps
    this.#beginTurn()
    this.#answer.note(part)
    transcript.extendAnswer(part, this.#answer.thinkingMs)
    this.#measureProgress()
    if (!states.move(part.type === 'thinking' ? 'thinking' : 'writing')) return
    onMove()
    transcript.hurry()
  }

  /** An answer that is cut at the same place each time it begins anew gets nowhere. */
  #measureProgress(): void {
    const { text, thinking = '' } = this.#last()
    if (text.length + thinking.length <= this.#longest) return
    this.#longest = text.length + thinking.length
    this.#patience.encourage()
  }

  /** A provider that tells an impossible phase has a defect, for which the answer need not die. */
  #believe(phase: ChatState['phase'] | undefined): void {
    if (phase === undefined) return
    try {
      if (this.#deps.states.move(phase)) this.#deps.onMove()
    } catch {
      // The refused move has been logged.
    }
  }

  #beginTurn(): void {
    if (this.#turn !== 'none') return
    this.#turn = 'open'
    const at = localTime(this.#deps.clock.now())
    const parameters = requestParameters(this.#deps.settings())
    const made = Object.keys(parameters).length === 0 ? {} : { parameters }
    this.#deps.transcript.beginAnswer({ role: 'assistant', model: this.#model, at, text: '', ...made })
  }

  /** An answer that has neither a word nor a note leaves no turn. */
  #endTurn(outcome: Outcome): void {
    if (outcome.note) this.#beginTurn()
    if (this.#turn === 'none') return
    const { transcript } = this.#deps
    if (this.#turn === 'ended') this.#reopenAsItIs()
    this.#turn = 'ended'
    const { end, note } = withSeamNote(outcome, this.#last())
    transcript.endAnswer({ end, ...(note ? { note } : {}), ...this.#answer.measured(outcome) })
  }

  #reopenAsItIs(): void {
    const { end: _end, note: _note, ...turn } = this.#last()
    this.#deps.transcript.reopenAnswer(turn)
  }

  #last(): Turn {
    return this.#deps.transcript.last as Turn
  }
}

/** What is told of a continuation on its way: that the server is reading would say too little. */
function resumingPhase(phase: ChatState['phase']): ChatState['phase'] | undefined {
  if (phase === 'loading' || phase === 'busy') return phase
  return phase === 'reading' ? 'resuming' : undefined
}
