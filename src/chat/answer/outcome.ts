// What the end of an answer means: for its turn, for the chat's state, and for the reader. Pure.
import { type ErrorRecord, type PluginError, toPluginError, toRecord } from '../../core/errors.ts'
import type { StreamPart, Usage } from '../../providers/provider.ts'
import type { ChatState } from '../../rpc/shapes.ts'
import type { AnswerEnd, Note, Turn } from '../record/conversation.ts'

export interface Outcome {
  end: AnswerEnd
  /** What the reader is told under the answer. */
  note?: Note
  /** Why it failed. */
  error?: ErrorRecord
  usage?: Usage
  /** The server is away, which passes: `unreached` before anything was asked, `cut` when an answer may have been under way. */
  loss?: 'unreached' | 'cut'
}

export type Finish = Extract<StreamPart, { type: 'finish' }>

/** What had come of the answer when it ended. */
export interface Received {
  thinking: boolean
  text: boolean
}

/** Whether cut answers are gone on with. */
export type ResumePolicy = 'auto' | 'ask' | 'never'

/** The codes of failures that cut an answer which was coming well; the last, when the user ended the connection. */
const CUTS: readonly string[] = ['SSH_DISCONNECTED', 'API_INCOMPLETE', 'CANCELLED']

/** The codes of failures that pass by themselves and hindered the request from being asked at all. */
const UNREACHED: readonly string[] = [
  'SSH_UNREACHABLE',
  'SSH_HOST_NOT_FOUND',
  'SSH_CONNECTION_TIMEOUT',
  'SSH_DROPPED_EARLY',
  'API_UNAVAILABLE',
]

export function outcomeOfFinish({ reason, usage }: Finish, received: Received): Outcome {
  switch (reason) {
    case 'length':
      return { end: 'length', usage, note: cutNote }
    case 'stop':
    case 'load':
    case 'unload':
    case 'unknown':
      return received.text ? { end: 'done', usage } : { end: 'done', usage, note: emptyNote(received, reason) }
  }
}

export function outcomeOfFailure(thrown: unknown, received: Received): Outcome {
  const plugin = toPluginError(thrown)
  const error = toRecord(plugin)
  const loss = lossOf(plugin)
  const wasComing = received.text || received.thinking
  return {
    end: wasComing && (loss !== undefined || CUTS.includes(plugin.code)) ? 'interrupted' : 'failed',
    error,
    note: { code: error.code, text: error.hint === undefined ? error.message : `${error.message}\n${error.hint}` },
    ...(loss === undefined ? {} : { loss }),
  }
}

/** Whether a failure passes by itself. */
export function lossOf(error: PluginError): Outcome['loss'] {
  if (UNREACHED.includes(error.code)) return 'unreached'
  // A body that broke has its cause; an answer that only ended too early has none, and would do so again.
  const isCut = error.code === 'SSH_DISCONNECTED' || (error.code === 'API_INCOMPLETE' && error.cause !== undefined)
  return isCut ? 'cut' : undefined
}

/** What is told under an answer that was cut, by what will become of it. */
export function interruptedNote({ code, message, hint }: ErrorRecord, goesOn: 'itself' | 'asked' | 'never'): Note {
  const next = {
    itself: 'It goes on by itself when the server is back; <C-c> leaves it as it is.',
    asked: 'gR, or :Ollama resume, goes on with it where it stopped; gr asks anew.',
    never: hint ?? 'gr asks anew.',
  }[goesOn]
  return { code, text: `${message}\n${next}` }
}

/** The note of an answer that was gone on with in a way that may show; joined with what else is to be told. */
export function withSeamNote(outcome: Outcome, { seams = [], text }: Pick<Turn, 'seams' | 'text'>): Outcome {
  if (outcome.end === 'interrupted' || outcome.end === 'failed') return outcome
  const last = seams.findLast(({ method }) => method === 'continue' || method === 'anew')
  if (!last) return outcome
  const before = text
    .slice(Math.max(0, last.at - 40), last.at)
    .replace(/\s+/g, ' ')
    .trim()
  const said =
    last.method === 'anew'
      ? 'The answer was cut before it had a text that could be gone on with, so the model was asked anew.'
      : `The answer was cut, and the model was asked for the rest: after “${before}” the seam may be imperfect.`
  const { note } = outcome
  return { ...outcome, note: note ? { ...note, text: `${note.text}\n${said}` } : { code: 'ANSWER_SEAM', text: said } }
}

/** The chat's state after an answer that ended so. */
export function endedState(end: AnswerEnd): NonNullable<ChatState['ended']> {
  return end === 'length' ? 'done' : end
}

/** Tokens per second. */
export function rateOf({ answerTokens, answerMs }: Usage): number | undefined {
  return answerTokens && answerMs ? answerTokens / (answerMs / 1000) : undefined
}

const cutNote: Note = {
  code: 'ANSWER_CUT',
  text: 'The answer was cut: it reached its limit of tokens.\nRaise the option num_predict, or num_ctx when the context window was full.',
}

/** Of an answer that was stopped before its first word. */
export const stoppedNote: Note = {
  code: 'CHAT_STOPPED',
  text: 'Stopped before the first word of the answer.\ngr asks again.',
}

function emptyNote({ thinking }: Received, reason: Finish['reason']): Note {
  const what = thinking ? 'The model thought, but answered nothing' : 'The model answered nothing'
  const why = reason === 'load' || reason === 'unload' ? ` (the server only ${reason}ed it)` : ''
  return { code: 'ANSWER_EMPTY', text: `${what}${why}.\nAsk again, or put the question in other words.` }
}
