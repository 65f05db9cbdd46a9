// What the end of an answer means: for its turn, for the chat's state, and for the reader. Pure.
import { type ErrorRecord, toPluginError, toRecord } from '../core/errors.ts'
import type { StreamPart, Usage } from '../providers/provider.ts'
import type { ChatState } from '../rpc/protocol.ts'
import type { AnswerEnd, Note } from './conversation.ts'

export interface Outcome {
  end: AnswerEnd
  /** What the reader is told under the answer. */
  note?: Note
  /** Why it failed. */
  error?: ErrorRecord
  usage?: Usage
}

export type Finish = Extract<StreamPart, { type: 'finish' }>

/** What had come of the answer when it ended. */
export interface Received {
  thinking: boolean
  text: boolean
}

/** The codes of failures that cut an answer which was coming well. */
const CUTS: readonly string[] = ['SSH_DISCONNECTED', 'API_INCOMPLETE']

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
  const wasComing = received.text || received.thinking
  return {
    end: wasComing && CUTS.includes(plugin.code) ? 'interrupted' : 'failed',
    error,
    note: { code: error.code, text: error.hint === undefined ? error.message : `${error.message}\n${error.hint}` },
  }
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

function emptyNote({ thinking }: Received, reason: Finish['reason']): Note {
  const what = thinking ? 'The model thought, but answered nothing' : 'The model answered nothing'
  const why = reason === 'load' || reason === 'unload' ? ` (the server only ${reason}ed it)` : ''
  return { code: 'ANSWER_EMPTY', text: `${what}${why}.\nAsk again, or put the question in other words.` }
}
