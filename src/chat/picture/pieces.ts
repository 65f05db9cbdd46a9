// The shown turns as what stands in an editor, to tell what of it differs from what shall stand there. Pure.
import type { Turn } from '../record/conversation.ts'
import { current, type History } from '../record/history.ts'
import { shownVariants } from '../record/variants.ts'
import type { Variant } from '../transcript/grammar.ts'
import { newlines } from '../transcript/slices.ts'
import { renderTurn } from '../transcript/turn-writer.ts'

/** A turn's text, made when it is asked for. A turn is never changed, so the same one reads the same. */
export class Piece {
  readonly #turn: Turn | undefined
  readonly #variant: Variant | undefined
  /** Only of a turn that is not whole yet. */
  readonly #text: string = ''
  #lines: number | undefined

  private constructor(turn: Turn | undefined, variant: Variant | undefined, text?: string) {
    this.#turn = turn
    this.#variant = variant
    if (turn === undefined) this.#text = text ?? ''
    else if (text !== undefined) this.#lines = newlines(text)
  }

  /** @param text of the turn, where it is at hand */
  static of(turn: Turn, variant?: Variant, text?: string): Piece {
    return new Piece(turn, variant, text)
  }

  /** What stands there of a turn that is being written. */
  static open(text: string): Piece {
    return new Piece(undefined, undefined, text)
  }

  get isOpen(): boolean {
    return this.#turn === undefined
  }

  get text(): string {
    const text = this.#turn ? renderTurn(this.#turn, this.#variant) : this.#text
    this.#lines = newlines(text)
    return text
  }

  get lines(): number {
    return this.#lines ?? newlines(this.text)
  }

  isSame(other: Piece): boolean {
    const isSameVariant =
      this.#variant?.index === other.#variant?.index && this.#variant?.count === other.#variant?.count
    return this.#turn !== undefined && this.#turn === other.#turn && isSameVariant
  }
}

/** The turns of the version that is shown. @param from the first one, from 0; counted from the end when negative */
export function piecesOf(history: History, from = 0): Piece[] {
  const variants = shownVariants(history).slice(from)
  return current(history)
    .turns.slice(from)
    .map((turn, index) => Piece.of(turn, variants[index]))
}

/** How many pieces are the same at the beginning of both. */
export function commonCount(standing: readonly Piece[], wanted: readonly Piece[]): number {
  const differing = wanted.findIndex((piece, index) => !standing[index]?.isSame(piece))
  return differing === -1 ? wanted.length : differing
}

export function linesOf(pieces: readonly Piece[]): number {
  return pieces.reduce((lines, piece) => lines + piece.lines, 0)
}

/** All of them as one text, in steps. */
export function* rendering(pieces: readonly Piece[]): Generator<number, string> {
  const texts: string[] = []
  for (const { text } of pieces) {
    texts.push(text)
    yield text.length
  }
  return texts.join('')
}

/** All of them as one text; `undefined` when it is longer than wanted, in UTF-16 units. */
export function textOf(pieces: readonly Piece[], longest: number): string | undefined {
  let text = ''
  for (const piece of pieces) {
    text += piece.text
    if (text.length > longest) return undefined
  }
  return text
}
