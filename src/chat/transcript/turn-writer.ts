// One turn as transcript text, piece by piece as it comes. Reading it back is format.ts's.
import type { Turn } from '../record/conversation.ts'
import { type Closers, footerLine } from './footer.ts'
import {
  answerHeading,
  Escaper,
  escapeBoundaries,
  noteHeading,
  type SectionName,
  THINKING_HEADING,
  turnHeading,
  type Variant,
} from './grammar.ts'
import { closerOf } from './markdown-blocks.ts'

/**
 * Gives the text to append for each part of a turn: `head`, any number of `thinking` and then `text`, and `end`.
 * However the parts are cut, the pieces together are what `renderTurn` gives for the whole turn.
 */
export class TurnWriter {
  readonly #pieces: string[] = []
  readonly #closed: Closers = {}
  readonly #heading: string
  #escaper = new Escaper()
  #section: SectionName | undefined
  /** What stands in the open section. */
  #content: string[] = []
  #isTimeInHeading = false
  #isBehind = false

  constructor(turn: Pick<Turn, 'role' | 'model' | 'at'>, variant?: Variant) {
    this.#heading = turnHeading(turn, variant)
  }

  /** All pieces given so far. */
  get soFar(): string {
    return this.#pieces.join('')
  }

  /** Thinking came after the answer's text had begun. It can only be shown by rendering the turn anew. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  head(): string {
    return this.#give(`${this.#heading}\n\n`)
  }

  thinking(chunk: string): string {
    if (chunk === '') return ''
    if (this.#section === 'text') {
      this.#isBehind = true
      return ''
    }
    return this.#give(this.#enter('thinking', `${THINKING_HEADING}\n\n`) + this.#escaped(chunk))
  }

  /** @param thinkingMs what the answer's heading tells when this is its first text */
  text(chunk: string, thinkingMs?: number): string {
    if (chunk === '') return ''
    const hasThought = this.#section === 'thinking'
    if (hasThought) this.#isTimeInHeading = thinkingMs !== undefined
    const heading = hasThought ? `${answerHeading(thinkingMs)}\n\n` : ''
    return this.#give(this.#enter('text', heading) + this.#escaped(chunk))
  }

  /** Closes what is open, and adds the note and the footer of the ended turn. */
  end({ note, end, usage, thinkingMs, seams, parameters, attachments, extra }: Turn): string {
    const closed = this.#close()
    const noted = note ? this.#wholeSection('note', `${noteHeading(note.code, end)}\n\n`, note.text) : ''
    const footer = footerLine({
      ...(end === undefined ? {} : { end }),
      ...(usage === undefined ? {} : { usage }),
      ...(thinkingMs === undefined || this.#isTimeInHeading ? {} : { thinkingMs }),
      ...(seams === undefined ? {} : { seams }),
      ...(parameters === undefined ? {} : { parameters }),
      ...(attachments === undefined ? {} : { attachments }),
      ...(extra === undefined ? {} : { extra }),
      closed: this.#closed,
    })
    return this.#give(closed + noted + (footer === undefined ? '' : `${footer}\n\n`))
  }

  #wholeSection(section: SectionName, heading: string, text: string): string {
    this.#section = section
    this.#content = [escapeBoundaries(text)]
    return heading + this.#content[0] + this.#close()
  }

  #enter(section: SectionName, heading: string): string {
    if (this.#section === section) return ''
    const closed = this.#close()
    this.#section = section
    return closed + heading
  }

  #escaped(chunk: string): string {
    const text = this.#escaper.push(chunk)
    this.#content.push(text)
    return text
  }

  /** Looks once, at a section's end, for a Markdown block that is left open, and closes it. */
  #close(): string {
    if (this.#section === undefined) return ''
    const held = this.#escaper.end()
    const closer = closerOf(this.#content.join('') + held)
    if (closer !== '') this.#closed[this.#section] = closer
    this.#content = []
    this.#escaper = new Escaper()
    this.#section = undefined
    return `${held}${closer === '' ? '' : `\n${closer}`}\n\n`
  }

  #give(piece: string): string {
    if (piece !== '') this.#pieces.push(piece)
    return piece
  }
}

/** A whole turn as transcript text. */
export function renderTurn(turn: Turn, variant?: Variant): string {
  const writer = new TurnWriter(turn, variant)
  writer.head()
  writer.thinking(turn.thinking ?? '')
  writer.text(turn.text, turn.thinkingMs)
  writer.end(turn)
  return writer.soFar
}
