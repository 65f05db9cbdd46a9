// Whether a buffer begins with the turns that are known, told by what an editor can count without reading them. Pure.
import { createHash } from 'node:crypto'
import { type Piece, piecesOf } from '../picture/pieces.ts'
import type { History } from '../record/history.ts'

/** The first turns of a buffer, and what they measure. */
export interface Above {
  turns: number
  lines: number
  bytes: number
  /** SHA-256 of a line for each turn: the row of its heading, from 0, and the heading. */
  sum: string
}

/** @returns the turns; `undefined` when the buffer begins otherwise */
export function turnsAbove(history: History, above: Above): Piece[] | undefined {
  const pieces = piecesOf(history).slice(0, above.turns)
  const hash = createHash('sha256')
  let [lines, bytes] = [0, 0]
  for (const piece of pieces) {
    const { text } = piece
    hash.update(`${lines} ${text.slice(0, text.indexOf('\n'))}\n`)
    lines += piece.lines
    bytes += Buffer.byteLength(text)
  }
  const isSameSize = pieces.length === above.turns && lines === above.lines && bytes === above.bytes
  return isSameSize && hash.digest('hex') === above.sum ? pieces : undefined
}
