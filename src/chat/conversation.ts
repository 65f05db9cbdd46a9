// A conversation as a value: turns, edits, versions. Not here: how it is written (transcript/), who answers it.
import { PluginError } from '../core/errors.ts'
import type { Message, Role, SeamMethod, Usage } from '../providers/provider.ts'

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
 * Replaces the text of a turn, counted from 1, and drops what follows it. An assistant's turn stays one, as if it had
 * answered so: what was told of the former answer goes, what it thought stays.
 * @throws PluginError CHAT_NO_TURN
 */
export function replaceFrom(conversation: Conversation, turn: number, text: string): Conversation {
  const { note: _note, usage: _usage, seams: _seams, ...kept } = turnAt(conversation, turn)
  const replaced: Turn = kept.role === 'assistant' ? { ...kept, text, end: 'done' } : { ...kept, text }
  return { turns: [...conversation.turns.slice(0, turn - 1), replaced] }
}

/** @throws PluginError CHAT_NO_TURN */
export function turnAt(conversation: Conversation, turn: number): Turn {
  const found = conversation.turns[turn - 1]
  if (found) return found
  throw new PluginError('CHAT_NO_TURN', `This chat has no turn ${turn}`, {
    hint: `It has ${conversation.turns.length}: it may have changed meanwhile.`,
  })
}

/** The conversation up to its last question, which can so be asked once more. The same value when nothing answers it. */
export function withoutAnswer(conversation: Conversation): Conversation {
  const asked = conversation.turns.findLastIndex((turn) => turn.role !== 'assistant') + 1
  return asked === conversation.turns.length ? conversation : { turns: conversation.turns.slice(0, asked) }
}

/** The conversation without its last turn. */
export function withoutLast(conversation: Conversation): Conversation {
  return { turns: conversation.turns.slice(0, -1) }
}

/** The last turn, when it is an answer that was begun and not ended by the model. */
export function cutAnswer({ turns }: Conversation): Turn | undefined {
  const last = turns.at(-1)
  const isCut = last?.role === 'assistant' && last.end !== undefined && last.end !== 'done'
  return isCut && (last.text !== '' || last.thinking !== undefined) ? last : undefined
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

/** The versions of a conversation, never empty, and which of them is shown. */
export interface History {
  versions: readonly Conversation[]
  cursor: number
}

export function startHistory(conversation: Conversation): History {
  return { versions: [conversation], cursor: 0 }
}

export function current({ versions, cursor }: History): Conversation {
  return versions[cursor] ?? emptyConversation
}

/** The shown version has grown; it stays the same version. */
export function amend(history: History, conversation: Conversation): History {
  return { ...history, versions: history.versions.with(history.cursor, conversation) }
}

/**
 * A new version after the shown one. Versions that were stepped back over are kept: stepping back from the new one goes
 * first to the version it was made of, and then through all of them.
 */
export function push(history: History, conversation: Conversation): History {
  const isLast = history.cursor === history.versions.length - 1
  const versions = [...history.versions, ...(isLast ? [] : [current(history)]), conversation]
  return { versions, cursor: versions.length - 1 }
}

/** The same value when there is no version on that side. */
export function step(history: History, by: -1 | 1): History {
  const cursor = history.cursor + by
  return cursor < 0 || cursor >= history.versions.length ? history : { ...history, cursor }
}

function withLast(conversation: Conversation, change: (last: Turn) => Turn): Conversation {
  const last = conversation.turns.at(-1)
  return last ? { turns: conversation.turns.with(-1, change(last)) } : conversation
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
