// What is made of a chat whose host is gone: what was written down of it, what stands in the editor, and the mark of an
// answer that nobody ends any more. Pure.
import type { Conversation, Note, Turn } from './conversation.ts'
import { current, historyOf } from './history.ts'
import type { Change, ChatRecord, Draft, Meta } from './record.ts'
import { parse, renderShown } from './transcript/format.ts'

export interface TakenOver {
  /** To be done to the record. */
  changes: Change[]
  /** What could not be read as it was meant, one sentence each. */
  problems: string[]
}

/** @param transcript what the host that is gone has left in the editor; it may be ahead of the record, or behind it */
export function takeOver(record: ChatRecord, transcript = ''): TakenOver {
  const { changes, problems, conversation } = reconciled(record, transcript)
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

function reconciled(record: ChatRecord, transcript: string): TakenOver & { conversation: Conversation } {
  const conversation = current(record.history)
  const same = { changes: [], problems: [], conversation }
  if (transcript.trim() === '' || transcript === renderShown(record.history)) return same
  const parsed = parse(transcript)
  if (isBehind(parsed.conversation.turns, conversation.turns)) return same
  const { turns } = parsed.conversation
  return { changes: [{ type: 'rewrite', turns }], problems: parsed.problems, conversation: parsed.conversation }
}

/** Whether the editor shows less than is known: it was written to a moment later. */
function isBehind(shown: readonly Turn[], known: readonly Turn[]): boolean {
  const last = known[shown.length - 1]
  const cut = shown.at(-1)
  if (!last || !cut || shown.length > known.length) return false
  const before = historyOf({ turns: known.slice(0, shown.length - 1) })
  if (renderShown(before) !== renderShown(historyOf({ turns: shown.slice(0, -1) }))) return false
  const isBeginning = (text: string, whole: string) => whole.startsWith(text.trimEnd())
  return (
    cut.role === last.role && isBeginning(cut.text, last.text) && isBeginning(cut.thinking ?? '', last.thinking ?? '')
  )
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
