// The words of the transcript's format 1: boundary lines, headings, escaping. How they make up a turn: turn-writer.ts
// writes it and format.ts reads it; the footer is in footer.ts.
import type { Role } from '../../providers/provider.ts'
import type { AnswerEnd, Turn } from '../record/conversation.ts'

export const TURN_MARK = '## ◆ '
export const SECTION_MARK = '### ◆ '
export const FOOTER_MARK = '<!-- ◆ '
export const FOOTER_END = ' -->'

/** The sections that hold text of strangers. */
export type SectionName = 'thinking' | 'text' | 'note'

export const THINKING_HEADING = `${SECTION_MARK}thinking`

const MARKS = [TURN_MARK, SECTION_MARK, FOOTER_MARK]
const LONGEST_MARK = Math.max(...MARKS.map((mark) => mark.length))

// `m` lets a line begin also after a carriage return and U+2028, since some Markdown programs see it so.
const FORGED = /^\\*(?:## ◆ |### ◆ |<!-- ◆ )/gm
/** A boundary where a line begins; found amid a line too. */
export const MARK = /## ◆ |### ◆ |<!-- ◆ /g
const ESCAPED = /^\\(?=\\*(?:## ◆ |### ◆ |<!-- ◆ ))/gm
const LINE_END = /[\n\r\u2028\u2029]/
const LINE_ENDS = ['\n', '\r', '\u2028', '\u2029']

/** How a turn is headed, unless by its model. */
export const ROLE_LABELS: Readonly<Record<Role, string>> = { user: 'You', system: 'System', assistant: 'Assistant' }
const SEPARATOR = ' · '
/** Which of its variants a turn is. */
const VARIANT = /^‹\d+\/\d+›$/
const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/
const THOUGHT = /^thought for (\d+)\.(\d{3}) s$/

/** How a note is headed, by the end of its turn. */
const NOTE_LABELS: Record<AnswerEnd, string> = {
  done: 'note',
  length: 'cut off',
  stopped: 'stopped',
  failed: 'failed',
  interrupted: 'interrupted',
}

/** Which of the turns that may stand in one place is shown there, from 1, and how many there are. */
export interface Variant {
  index: number
  count: number
}

export type SectionHeading =
  | { section: 'thinking' }
  | { section: 'text'; thinkingMs?: number }
  | { section: 'note'; code: string }

export function turnHeading({ role, model, at }: Pick<Turn, 'role' | 'model' | 'at'>, variant?: Variant): string {
  const label = role === 'assistant' && model ? modelLabel(model) : ROLE_LABELS[role]
  const parts = [label, ...(at === '' ? [] : [at]), ...(variant ? [`‹${variant.index}/${variant.count}›`] : [])]
  return TURN_MARK + parts.join(SEPARATOR)
}

/**
 * Reads any line that begins with `TURN_MARK`; what stands where the time should is given as `unread`. Which variant it is
 * follows from the history, and is passed over.
 */
export function readTurnHeading(line: string): { turn: Turn; unread?: string } {
  const [label = '', ...parts] = line.slice(TURN_MARK.length).split(SEPARATOR)
  const rest = VARIANT.test(parts.at(-1) ?? '') ? parts.slice(0, -1) : parts
  const time = rest.join(SEPARATOR)
  const at = TIME.test(time) ? time : ''
  const unread = at === '' && time !== '' ? { unread: time } : {}
  return { turn: { ...speaker(label), text: '', at }, ...unread }
}

export function answerHeading(thinkingMs: number | undefined): string {
  const thought = thinkingMs === undefined ? '' : `${SEPARATOR}thought for ${(thinkingMs / 1000).toFixed(3)} s`
  return `${SECTION_MARK}answer${thought}`
}

export function noteHeading(code: string, end: AnswerEnd | undefined): string {
  return SECTION_MARK + NOTE_LABELS[end ?? 'done'] + SEPARATOR + percentEscaped(code)
}

/** What a line that begins with `SECTION_MARK` heads; `undefined` when this version does not know it. */
export function readSectionHeading(line: string): SectionHeading | undefined {
  const heading = line.slice(SECTION_MARK.length)
  const [label = '', detail, ...rest] = heading.split(SEPARATOR)
  if (rest.length > 0) return undefined
  if (heading === 'thinking') return { section: 'thinking' }
  if (label === 'answer') return readAnswerHeading(detail)
  if (!Object.values(NOTE_LABELS).includes(label) || detail === undefined) return undefined
  return { section: 'note', code: percentUnescaped(detail) }
}

/** Text in which no line can be taken for a boundary. */
export function escapeBoundaries(text: string): string {
  return text.replace(FORGED, '\\$&')
}

export function unescapeBoundaries(text: string): string {
  return text.replace(ESCAPED, '')
}

/**
 * `escapeBoundaries` for text that comes in pieces. Holds back only what stands at a line's beginning and may still become a
 * boundary: seven characters at most, since backslashes are all the same and need not wait.
 */
export class Escaper {
  #held = ''
  /** Nothing but backslashes has been given out of this line yet. */
  #atLineStart = true

  push(chunk: string): string {
    if (!this.#atLineStart && !LINE_END.test(chunk)) return chunk
    const text = this.#held + chunk
    const first = this.#atLineStart ? 0 : text.search(LINE_END)
    const lastLine = Math.max(...LINE_ENDS.map((sign) => text.lastIndexOf(sign))) + 1
    const tail = text.slice(lastLine).replace(/^\\+/, '')
    this.#held = isBeginningOfMark(tail) ? tail : ''
    this.#atLineStart = tail === this.#held
    return text.slice(0, first) + escapeBoundaries(text.slice(first, text.length - this.#held.length))
  }

  /** What was held back, at the end of the text. */
  end(): string {
    const held = this.#held
    this.#held = ''
    return held
  }
}

function isBeginningOfMark(text: string): boolean {
  return text.length < LONGEST_MARK && MARKS.some((mark) => mark !== text && mark.startsWith(text))
}

function speaker(label: string): Pick<Turn, 'role' | 'model'> {
  if (label === ROLE_LABELS.user) return { role: 'user' }
  if (label === ROLE_LABELS.system) return { role: 'system' }
  if (label === ROLE_LABELS.assistant || label === '') return { role: 'assistant' }
  return { role: 'assistant', model: percentUnescaped(label) }
}

/** A model may be called `You`, or have a separator in its name. */
function modelLabel(model: string): string {
  const isTaken = Object.values(ROLE_LABELS).includes(model)
  return isTaken ? percentCode(model.slice(0, 1)) + model.slice(1) : percentEscaped(model)
}

function percentEscaped(text: string): string {
  return text.replace(/[%·\p{C}\p{Zl}\p{Zp}]|^\s|\s$/gu, percentCode)
}

function percentCode(text: string): string {
  const bytes = [...new TextEncoder().encode(text)]
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

function percentUnescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function readAnswerHeading(detail: string | undefined): SectionHeading | undefined {
  if (detail === undefined) return { section: 'text' }
  const [, seconds, thousandths] = THOUGHT.exec(detail) ?? []
  return seconds === undefined ? undefined : { section: 'text', thinkingMs: Number(seconds + thousandths) }
}
