// A conversation as a value: its turns and what is sent of them. Not here: its versions (history.ts), how it is written
// (transcript/), who answers it.
import { PluginError } from '../../core/errors.ts'
import type { ChatRequest, Message, Role, SeamMethod, Usage } from '../../providers/provider.ts'

/** How an answer ended. `length`: cut by the server's limit; `interrupted`: the way to the server was lost. */
export type AnswerEnd = 'done' | 'length' | 'stopped' | 'failed' | 'interrupted'

/** Something to be read under an answer, with what to do next. The code is stable. */
export interface Note {
  code: string
  text: string
}

export interface TurnUsage extends Usage {
  /** From the request's start to the first part of the answer, in milliseconds. */
  firstTokenMs?: number
}

/** Where an answer that was cut goes on, in UTF-16 units of its text, and how it was gone on with. */
export interface Seam {
  at: number
  method: SeamMethod
}

/** What a request was made with, as far as it was chosen. Never without a field. */
export type TurnParameters = Partial<Pick<ChatRequest, 'options' | 'think' | 'keepAlive'>>

/** What was sent with a prompt: where it came from, or what it held. */
export interface Attachment {
  name: string
  /** Media type, like `image/png`. */
  type: string
  path?: string
  /** In base64. */
  data?: string
}

export interface Turn {
  role: Role
  text: string
  /** Local time, `YYYY-MM-DD HH:MM:SS`; empty when a hand-written transcript does not tell. */
  at: string
  /** `server:model`; of an assistant's turn only. */
  model?: string
  /** Never empty when present. */
  thinking?: string
  /** Whole milliseconds from the first word of thinking to the first of the answer. */
  thinkingMs?: number
  note?: Note
  /** Never empty when present. */
  seams?: readonly Seam[]
  /** Never without a field when present. */
  usage?: TurnUsage
  /** Of an assistant's turn. */
  parameters?: TurnParameters
  /** Never empty when present. */
  attachments?: readonly Attachment[]
  /** Absent while the answer comes, and in turns that no one answers. */
  end?: AnswerEnd
  /** What a newer version wrote into the turn's footer and this one does not know. */
  extra?: Readonly<Record<string, unknown>>
}

export interface Conversation {
  turns: readonly Turn[]
}

/** A part of an answer that is text. */
export interface AnswerText {
  type: 'thinking' | 'text'
  text: string
}

/** What becomes of the last turn when its answer ends. */
export type TurnEnd = Required<Pick<Turn, 'end'>> & Pick<Turn, 'note' | 'usage' | 'thinkingMs'>

export const emptyConversation: Conversation = { turns: [] }

export function append(conversation: Conversation, ...turns: readonly Turn[]): Conversation {
  return { turns: [...conversation.turns, ...turns] }
}

/** Adds a part to the last turn. */
export function extend(conversation: Conversation, part: AnswerText): Conversation {
  return withLast(conversation, (last) =>
    part.type === 'thinking'
      ? { ...last, thinking: (last.thinking ?? '') + part.text }
      : { ...last, text: last.text + part.text },
  )
}

/** Ends the last turn. */
export function finish(conversation: Conversation, end: TurnEnd): Conversation {
  return withLast(conversation, (last) => ({ ...last, ...end }))
}

/**
 * A turn with another text, sent `at` that time. An assistant's turn stays one, as if it had answered so: what was told of
 * the former answer goes, what it thought and when it came stay.
 */
export function rewritten(turn: Turn, text: string, at: string): Turn {
  const { note: _note, usage: _usage, seams: _seams, ...kept } = turn
  return kept.role === 'assistant' ? { ...kept, text, end: 'done' } : { ...kept, text, at }
}

/** @throws PluginError CHAT_NO_TURN */
export function turnAt(conversation: Conversation, turn: number): Turn {
  const found = conversation.turns[turn - 1]
  if (found) return found
  throw new PluginError('CHAT_NO_TURN', `This chat has no turn ${turn}`, {
    hint: `It has ${conversation.turns.length}: it may have changed meanwhile.`,
  })
}

/** How many turns there are up to the last question, which can so be asked once more. */
export function askedTurns({ turns }: Conversation): number {
  return turns.findLastIndex((turn) => turn.role !== 'assistant') + 1
}

/** The conversation up to its last question. The same value when nothing answers it. */
export function withoutAnswer(conversation: Conversation): Conversation {
  const asked = askedTurns(conversation)
  return asked === conversation.turns.length ? conversation : { turns: conversation.turns.slice(0, asked) }
}

/** The last turn, when it is an answer that was begun and not ended by the model. */
export function cutAnswer({ turns }: Conversation): Turn | undefined {
  const last = turns.at(-1)
  const isCut = last?.role === 'assistant' && last.end !== undefined && last.end !== 'done'
  return isCut && (last.text !== '' || last.thinking !== undefined) ? last : undefined
}

/** Whether a turn is an answer that a person has stopped before its first word: only a mark is left of it. */
export function isStoppedMark(turn: Turn | undefined): boolean {
  return turn?.role === 'assistant' && turn.end === 'stopped' && turn.text === '' && turn.thinking === undefined
}

/** What a server is sent: all that the transcript shows but thinking, notes, and answers that never got a word. */
export function messages(conversation: Conversation): Message[] {
  return conversation.turns
    .filter((turn) => turn.role !== 'assistant' || turn.text !== '')
    .map((turn) => ({ role: turn.role, content: turn.text }))
}

/** Local time as a turn tells it; `ms` since the epoch. */
export function localTime(ms: number): string {
  const time = new Date(ms)
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(twoDigits).join('-')
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(':')}`
}

function withLast(conversation: Conversation, change: (last: Turn) => Turn): Conversation {
  const last = conversation.turns.at(-1)
  return last ? { turns: conversation.turns.with(-1, change(last)) } : conversation
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
