// The transcript as a whole: a conversation to text and back. The words of the format are in grammar.ts,
// the writing of one turn is turn-writer.ts's. Files are not opened here.
import { atOnce } from '../../core/steps.ts'
import type { Conversation, Note, Turn } from '../record/conversation.ts'
import { current, type History } from '../record/history.ts'
import { shownVariants } from '../record/variants.ts'
import { type Footer, readFooter } from './footer.ts'
import {
  FOOTER_MARK,
  MARK,
  readSectionHeading,
  readTurnHeading,
  SECTION_MARK,
  type SectionHeading,
  TURN_MARK,
  unescapeBoundaries,
} from './grammar.ts'
import type { RenderTurn } from './turn-cache.ts'
import { renderTurn } from './turn-writer.ts'

export interface Parsed {
  conversation: Conversation
  /** What was not as this version writes it, one sentence each. Its text is kept in every case. */
  problems: string[]
}

/** A boundary line and what stands under it, up to the next one. The first block of a text has no boundary. */
interface Block {
  /** From 1. To be asked in order. */
  lineNumber(): number
  boundary: string
  /** `undefined` when nothing stands there, which is less than an empty text. */
  content: string | undefined
}

/** A turn on its way: its texts as they stand in the file. */
interface Draft {
  turn: Turn
  thinking?: string
  text?: string
  thinkingMs?: number
  note?: Note
  footer?: Footer
}

export function render(conversation: Conversation): string {
  return conversation.turns.map((turn) => renderTurn(turn)).join('')
}

/** The version that is shown, each heading with the number of its variant. @param count only so many turns of it */
export function renderShown(history: History, count?: number, one: RenderTurn = renderTurn): string {
  const variants = shownVariants(history)
  const turns = current(history).turns.slice(0, count)
  return turns.map((turn, index) => one(turn, variants[index])).join('')
}

/**
 * Reads any text. What render wrote comes back as it was; of other text nothing is lost: what stands before the first
 * heading becomes a user's turn, and whatever this version does not know is kept as text of its turn.
 */
export function parse(text: string): Parsed {
  return atOnce(parsing(text))
}

/** As `parse`, in steps. */
export function* parsing(text: string): Generator<number, Parsed> {
  const problems: string[] = []
  const drafts: Draft[] = []
  for (const block of blocksOf(text)) {
    const problem = take(block, drafts)
    if (problem !== undefined) problems.push(`Line ${block.lineNumber()}: ${problem}`)
    yield block.content?.length ?? 0
  }
  const turns: Turn[] = []
  for (const draft of drafts) {
    turns.push(turnOf(draft))
    yield (draft.text?.length ?? 0) + (draft.thinking?.length ?? 0)
  }
  return { conversation: { turns }, problems }
}

function* blocksOf(text: string): Generator<Block> {
  const end = text.endsWith('\n') ? text.length - 1 : text.length
  const starts = boundariesOf(text)
  let lineNumber = 1
  let counted = 0
  yield { lineNumber: () => 1, boundary: '', content: contentOf(text, 0, (starts[0] ?? end + 1) - 1) }
  for (const [index, start] of starts.entries()) {
    const lineEnd = endOfLine(text, start)
    const lineNumberHere = () => {
      for (; counted < start; counted = endOfLine(text, counted) + 1) lineNumber++
      return lineNumber
    }
    const content = contentOf(text, lineEnd + 1, (starts[index + 1] ?? end + 1) - 1)
    yield { lineNumber: lineNumberHere, boundary: text.slice(start, lineEnd), content }
  }
}

/** Where the boundary lines begin. */
function boundariesOf(text: string): number[] {
  const found: number[] = []
  for (const { index } of text.matchAll(MARK)) {
    // A line of ours ends with a line feed only, wherever other programs see ends of lines.
    if (index === 0 || text[index - 1] === '\n') found.push(index)
  }
  return found
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

/** The lines between, without one blank line at either end: that much belongs to the format. */
function contentOf(text: string, from: number, to: number): string | undefined {
  if (from > to) return undefined
  const start = from === to || text[from] === '\n' ? from + 1 : from
  if (start > to) return undefined
  const end = start === to || text[to - 1] === '\n' ? to - 1 : to
  return start > end ? undefined : text.slice(start, end)
}

/** Adds a block to the drafts; returns what was wrong with it. */
function take(block: Block, drafts: Draft[]): string | undefined {
  if (block.boundary.startsWith(TURN_MARK)) return takeTurn(block, drafts)
  if (block.boundary === '' && (block.content ?? '').trim() === '') return undefined
  const last = drafts.at(-1)
  const draft = last ?? { turn: { role: 'user', text: '', at: '' } }
  if (!last) drafts.push(draft)
  if (block.boundary.startsWith(SECTION_MARK)) return takeSection(block, draft)
  if (block.boundary.startsWith(FOOTER_MARK)) return takeFooter(block, draft)
  addStray(draft, block.content)
  return 'text before the first heading is taken for a prompt'
}

function takeTurn({ boundary, content }: Block, drafts: Draft[]): string | undefined {
  const { turn, unread } = readTurnHeading(boundary)
  const kept = unread === undefined ? turn : { ...turn, extra: { heading: unread } }
  drafts.push({ turn: kept, ...(content === undefined ? {} : { text: content }) })
  return unread === undefined ? undefined : `"${unread}" is no time`
}

function takeSection({ boundary, content }: Block, draft: Draft): string | undefined {
  const heading = readSectionHeading(boundary)
  if (heading && isInPlace(heading, draft)) {
    fill(draft, heading, content ?? '')
    return undefined
  }
  addStray(draft, boundary, content)
  return `"${boundary}" is kept as text`
}

function takeFooter({ boundary, content }: Block, draft: Draft): string | undefined {
  const footer = draft.footer ? undefined : readFooter(boundary)
  if (footer) {
    draft.footer = footer
    addStray(draft, content)
    return content === undefined || content.trim() === '' ? undefined : 'text after the end of a turn is kept in it'
  }
  addStray(draft, boundary, content)
  return 'a footer that cannot be read is kept as text'
}

/** Whether a section stands where this version writes it: the first of its kind, in order. */
function isInPlace(heading: SectionHeading, draft: Draft): boolean {
  if (draft.footer || draft.note) return false
  switch (heading.section) {
    case 'thinking':
      return draft.thinking === undefined && draft.text === undefined
    case 'text':
      return draft.thinking !== undefined && draft.text === undefined
    case 'note':
      return true
  }
}

function fill(draft: Draft, heading: SectionHeading, content: string): void {
  switch (heading.section) {
    case 'thinking':
      draft.thinking = content
      return
    case 'text':
      draft.text = content
      if (heading.thinkingMs !== undefined) draft.thinkingMs = heading.thinkingMs
      return
    case 'note':
      draft.note = { code: heading.code, text: content }
  }
}

function addStray(draft: Draft, ...parts: ReadonlyArray<string | undefined>): void {
  const texts = [draft.text, ...parts].filter((text) => text !== undefined && text.trim() !== '')
  if (texts.length > 0) draft.text = texts.join('\n\n')
}

function turnOf(draft: Draft): Turn {
  const { closed = {}, ...footer } = draft.footer ?? {}
  const thinking = original(draft.thinking ?? '', closed.thinking)
  const { note } = draft
  const extra = { ...draft.turn.extra, ...footer.extra }
  return {
    ...draft.turn,
    ...(draft.turn.role === 'assistant' ? { end: 'interrupted' as const } : {}),
    ...footer,
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
    ...(draft.thinkingMs === undefined ? {} : { thinkingMs: draft.thinkingMs }),
    ...(thinking === '' ? {} : { thinking }),
    ...(note ? { note: { code: note.code, text: original(note.text, closed.note) } } : {}),
    text: original(draft.text ?? '', closed.text),
  }
}

/** What a section held before it was written. */
function original(content: string, closer: string | undefined): string {
  const isClosed = closer !== undefined && content.endsWith(`\n${closer}`)
  return unescapeBoundaries(isClosed ? content.slice(0, -closer.length - 1) : content)
}
