// Some lines of a saved chat, for whoever looks for one: its beginning, for which only that much of a long file is read, or
// where what was searched for stands.
import { open, readFile } from 'node:fs/promises'
import { newlines } from '../transcript/slices.ts'
import { readFailure } from './failures.ts'
import { type Mark, marksIn, placeIn, shownIn, type Word } from './words.ts'

export interface Excerpt {
  text: string
  /** How many lines stand above it. */
  above: number
  /** Where the words stand in it. */
  marks: Mark[]
}

const CHUNK_BYTES = 64 * 1024
/** No preview needs more of lines without an end. */
const MOST_BYTES = 512 * 1024
/** So many lines are shown above the one that was found, and so much of a long one before the word, in UTF-16 units. */
const LEAD_LINES = 4
const LEAD = 2_000

/** Whole lines of what the transcript shows. @throws PluginError STORE_NOT_FOUND, STORE_UNREADABLE */
export async function excerpt(path: string, lines: number): Promise<string> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw readFailure(error, path)
  })
  try {
    const chunks: Buffer[] = []
    let bytes = 0
    let isWhole = false
    while (!isWhole && bytes < MOST_BYTES && linesIn(chunks) <= lines) {
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(CHUNK_BYTES), position: bytes })
      chunks.push(buffer.subarray(0, bytesRead))
      bytes += bytesRead
      isWhole = bytesRead === 0
    }
    return shown(Buffer.concat(chunks).toString('utf8'), lines, isWhole)
  } catch (error) {
    throw readFailure(error, path)
  } finally {
    await handle.close()
  }
}

/**
 * Whole lines around where words were found, with all of them marked; the beginning, where they were found in no text.
 * @param found the words that were found there @throws PluginError STORE_NOT_FOUND, STORE_UNREADABLE
 */
export async function excerptAround(
  path: string,
  lines: number,
  { found, words }: { found: readonly Word[]; words: readonly Word[] },
): Promise<Excerpt> {
  if (found.length === 0) {
    const text = await excerpt(path, lines)
    return { text, above: 0, marks: marksIn(text.split('\n'), words) }
  }
  const bytes = await readFile(path).catch((error: unknown) => {
    throw readFailure(error, path)
  })
  const whole = shownIn(bytes.toString('utf8'))
  const place = placeIn(whole, found)
  const start = place ? Math.max(startAbove(whole, place.start, LEAD_LINES), place.at - LEAD) : 0
  const text = shown(whole.slice(start, start + MOST_BYTES), lines, true)
  return { text, above: newlines(whole.slice(0, start)), marks: marksIn(text.split('\n'), words) }
}

/** Where the line begins that is so many above one that begins there. */
function startAbove(text: string, start: number, lines: number): number {
  let from = start
  for (let line = 0; line < lines && from > 0; line++) from = text.lastIndexOf('\n', from - 2) + 1
  return from
}

function shown(text: string, lines: number, isWhole: boolean): string {
  const all = shownIn(text).split('\n')
  // A line that was cut may be cut within a character.
  const whole = isWhole || all.length === 1 || all.length > lines ? all : all.slice(0, -1)
  return whole
    .slice(0, lines)
    .join('\n')
    .replace(/\uFFFD+$/u, '')
    .trimEnd()
}

function linesIn(chunks: readonly Buffer[]): number {
  return chunks.reduce((count, chunk) => count + chunk.filter((byte) => byte === 0x0a).length, 0)
}
