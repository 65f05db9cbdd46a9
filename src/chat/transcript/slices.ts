// Cuts a transcript's text so that an editor can show it piece by piece, its end first. What a piece means is not known here.

export interface Slice {
  text: string
  /** How many lines stand above it. */
  above: number
}

/** In UTF-16 units: what an editor takes in without a delay that a person would feel. */
export const SLICE_LENGTH = 120_000

const HEADING = '\n## ◆ '

/**
 * The text in pieces, from its end to its beginning. Each but the first to come ends with a newline; a piece begins with a
 * turn's heading where turns are short enough, else with a line.
 */
export function* slicesFromEnd(text: string, length = SLICE_LENGTH): Generator<Slice> {
  const starts = [text.length]
  while ((starts.at(-1) ?? 0) > 0) starts.push(startBefore(text, starts.at(-1) ?? 0, length))
  if (starts.length === 1) yield { text, above: 0 }
  const pieces = starts.slice(1).map((start, index) => text.slice(start, starts[index]))
  let above = pieces.reduce((lines, piece) => lines + newlines(piece), 0)
  for (const piece of pieces) {
    // The last line of all may lack its newline, but nothing stands above by it.
    above -= newlines(piece)
    yield { text: piece, above }
  }
}

/** Where the piece that ends at `end` begins. */
function startBefore(text: string, end: number, length: number): number {
  const earliest = end - length
  if (earliest <= 0) return 0
  for (const mark of [HEADING, '\n']) {
    const found = text.indexOf(mark, earliest)
    if (found !== -1 && found + 1 < end) return found + 1
  }
  return text.lastIndexOf('\n', earliest - 1) + 1
}

export function newlines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1
  return count
}
