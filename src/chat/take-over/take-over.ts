// What is made of a chat whose host is gone: what was written down of it, what stands in the editor, and the mark of an
// answer that nobody ends any more. Pure.

import type { Standing } from '../picture/picture.ts'
import { linesOf, Piece, piecesOf, textOf } from '../picture/pieces.ts'
import type { Conversation, Note, Turn } from '../record/conversation.ts'
import { changed, current, type HistoryChange } from '../record/history.ts'
import type { Change, ChatRecord, Draft, Meta } from '../record/record.ts'
import { parse } from '../transcript/format.ts'
import { newlines } from '../transcript/slices.ts'
import { renderTurn } from '../transcript/turn-writer.ts'

export interface TakenOver {
  /** To be done to the record. */
  changes: Change[]
  /** What could not be read as it was meant, one sentence each. */
  problems: string[]
}

/** What the host that is gone has left in the editor; it may be ahead of the record, or behind it. */
export interface Left {
  /** The turns with which it begins and which were found to be those of the record. */
  above?: readonly Piece[]
  /** What stands below them. */
  text: string
}

export function takeOver(record: ChatRecord, left: Left = { text: '' }): TakenOver {
  const { changes, problems, conversation } = reconciled(record, left)
  const last = conversation.turns.at(-1)
  if (last && isCut(last)) changes.push({ type: 'finish', end: { end: 'interrupted', note: cutNote(last) } })
  const answered = conversation.turns.findLast((turn) => turn.model !== undefined)?.model
  const isUnknown = record.meta.model === undefined || record.history.entries.length === 0
  if (isUnknown && answered !== undefined) changes.push({ type: 'meta', set: { model: answered } })
  // They come back into the prompt.
  if (record.meta.queue) changes.push({ type: 'meta', set: { queue: null } })
  return { changes, problems }
}

/** What belongs into the prompt of a chat that comes back: the prompts that waited, and then what was being written. */
export function draftOf({ draft, queue = [] }: Meta): Draft | undefined {
  if (!draft && queue.length === 0) return undefined
  const { text = '', editing, aside } = draft ?? {}
  // What is edited is not to be mixed with a prompt.
  if (editing !== undefined) return { text, editing, aside: joined(...queue, aside) }
  return { text: joined(...queue, text) }
}

function joined(...texts: ReadonlyArray<string | undefined>): string {
  return texts.filter((text) => text !== undefined && text.trim() !== '').join('\n\n')
}

/** What stands in the editor: the turns that read as they are to, and then perhaps something else. */
export function standingOf(pieces: readonly Piece[], { above = [], text }: Left): Standing | undefined {
  if (above.length === 0 && text.trim() === '') return undefined
  let count = above.length
  let at = 0
  for (const { text: wanted } of pieces.slice(count)) {
    if (!text.startsWith(wanted, at)) break
    at += wanted.length
    count += 1
  }
  const rest = text.slice(at)
  const lines = linesOf(above) + newlines(text) + (text === '' || text.endsWith('\n') ? 1 : 2)
  const below = pieces.slice(above.length, count)
  return { pieces: [...above, ...below, ...(rest === '' ? [] : [Piece.open(rest)])], lines }
}

function reconciled(record: ChatRecord, { above = [], text }: Left): TakenOver & { conversation: Conversation } {
  const conversation = current(record.history)
  const same = { changes: [], problems: [], conversation }
  if (above.length === 0 && text.trim() === '') return same
  if (text === textOf(piecesOf(record.history, above.length), text.length)) return same
  const { conversation: below, problems } = parse(text)
  const head = conversation.turns.slice(0, above.length)
  const shown = { turns: [...head, ...below.turns] }
  const changes = differences(conversation.turns, shown.turns)
  if (!changes) return { changes: [{ type: 'rewrite', turns: shown.turns }], problems, conversation: shown }
  const history = changes.reduce(changed, record.history)
  return { changes, problems, conversation: current(history) }
}

/** What has to be done to what is known where only its end is another: the editor is written to a moment later. */
function differences(known: readonly Turn[], shown: readonly Turn[]): HistoryChange[] | undefined {
  const differing = known.findIndex((turn, index) => !shown[index] || !isSame(turn, shown[index]))
  const count = differing === -1 ? known.length : differing
  const [last, ...others] = known.slice(count)
  const [cut, ...added] = shown.slice(count)
  if (!last) return cut ? [{ type: 'append', turns: [cut, ...added] }] : []
  if (!cut) return [last, ...others].flatMap(unseen)
  if (others.length > 0 || last.role !== 'assistant' || cut.role !== 'assistant' || last.end !== undefined)
    return undefined
  if (isBeginning(cut, last) && added.length === 0) return []
  if (!isBeginning(last, cut)) return undefined
  const more: Turn = { ...last, ...cut }
  if (added.length === 0 && more.note === undefined) delete more.end
  return [{ type: 'reopen', turn: more }, ...(added.length === 0 ? [] : [{ type: 'append' as const, turns: added }])]
}

/** A prompt that was never shown is the editor's still, which has given it back; an answer is kept. */
function unseen(_turn: Turn, _index: number, turns: readonly Turn[]): HistoryChange[] {
  return turns.some(({ role }) => role === 'user') ? [{ type: 'drop' }] : []
}

function isSame(one: Turn, other: Turn): boolean {
  return one === other || asShown(renderTurn(one)) === asShown(renderTurn(other))
}

/** As an editor has it: halves of characters are none in UTF-8. */
function asShown(text: string): string {
  return Buffer.from(text).toString()
}

function isBeginning(short: Turn, long: Turn): boolean {
  const begins = (part = '', whole = '') => asShown(whole).startsWith(asShown(part).trimEnd())
  return begins(short.text, long.text) && begins(short.thinking, long.thinking)
}

/** Whether it is an answer that was under way: as it is known, or as it is read from a transcript. */
function isCut({ role, end, note }: Turn): boolean {
  return role === 'assistant' && (end === undefined || (end === 'interrupted' && note === undefined))
}

function cutNote({ text, thinking }: Turn): Note {
  const hasWords = text !== '' || thinking !== undefined
  const next = hasWords
    ? 'gR, or :Ollama resume, goes on with it where it stopped; gr asks anew.'
    : 'gr asks the last question again.'
  return { code: 'HOST_EXITED', text: `The host, or its Neovim, ended while the answer came.\n${next}` }
}
