// What a person searches saved chats for: words, and where they stand in a text. Pure; no file is read here.
import { newlines } from '../transcript/slices.ts'

export interface Match {
  /** From 1. */
  line: number
  /** The line, or what of a long one stands around the word. */
  text: string
  /** Where in the line the word begins, in bytes. */
  column: number
}

/** Where a word stands in a text, in UTF-16 units. */
export interface Place {
  /** Of its line. */
  start: number
  at: number
}

/** A word in one of a few lines. */
export interface Mark {
  /** From 0. */
  line: number
  /** In bytes. */
  from: number
  to: number
}

/** A word to be looked for in any case, also as other programs compose its letters. */
export interface Word {
  /** In text. */
  pattern: RegExp
  /** In bytes read as Latin-1, which is much cheaper: where this is not, the word is not. */
  bytes: RegExp
  /** The word, and as other programs compose it. */
  forms: readonly string[]
}

/** Longest text of a match, in UTF-16 units, and how much of it stands before the word. */
const LONGEST = 200
const BEFORE = 24
/** Of a word that stands everywhere, so many places are compared. */
const MOST_PLACES = 500
/** And so many marked: nobody looks at more, and an editor has to draw them. */
const MOST_MARKS = 1_000

/** Where what the transcript does not show begins. */
const BLOCK = /^<!-- ◆ [a-z]/m
const BLOCK_BYTES = Buffer.from('\n<!-- ◆ chat ')
const ASCII = /^[\x00-\x7f]$/

export function wordsOf(query: string): Word[] {
  const words = query.split(/\s+/u).filter((word) => word !== '')
  return [...new Set(words)].map((word) => {
    const forms = [...new Set([word.normalize('NFC'), word.normalize('NFD')])]
    return {
      pattern: new RegExp(forms.map(escaped).join('|'), 'giu'),
      bytes: new RegExp(forms.map(inBytes).join('|'), 'i'),
      forms,
    }
  })
}

/** Whether all words of the one can be found only where all of the other are. */
export function narrows(words: readonly Word[], former: readonly Word[]): boolean {
  const isWithin = (form: string, wider: Word) => isIn(form, wider) && wider.bytes.test(latinOf(form))
  return former.every((wider) => words.some(({ forms }) => forms.every((form) => isWithin(form, wider))))
}

export function isIn(text: string, { pattern }: Word): boolean {
  return text.search(pattern) !== -1
}

/** Where the words stand in a chat's file; `undefined` when not all do. */
export function matchIn(bytes: Buffer, words: readonly Word[]): Match | undefined {
  const block = bytes.lastIndexOf(BLOCK_BYTES)
  const shown = block === -1 ? bytes : bytes.subarray(0, block)
  const latin = shown.toString('latin1')
  if (!words.every((word) => word.bytes.test(latin))) return undefined
  const text = shownIn(shown.toString('utf8'))
  const place = placeIn(text, words)
  return place && matchAt(text, place)
}

/** What the transcript shows of a chat's file. */
export function shownIn(text: string): string {
  return text.slice(0, BLOCK.exec(text)?.index)
}

/** The first of the lines in which most of the words stand; `undefined` when not all stand in the text. */
export function placeIn(text: string, words: readonly Word[]): Place | undefined {
  if (words.length === 0 || !words.every((word) => isIn(text, word))) return undefined
  const lines = new Map<number, Place & { words: number }>()
  for (const word of words) {
    for (const { start, at } of placesOf(text, word)) {
      const line = lines.get(start)
      lines.set(start, { start, at: Math.min(at, line?.at ?? at), words: (line?.words ?? 0) + 1 })
    }
  }
  const [best] = [...lines.values()].sort((one, other) => other.words - one.words || one.start - other.start)
  return best
}

/** The words in a few lines, which need not be there; of very many the first. @returns by line, from 0; `from` and `to` in bytes */
export function marksIn(lines: readonly string[], words: readonly Word[]): Mark[] {
  const marks: Mark[] = []
  for (const [line, text] of lines.entries()) {
    for (const { pattern } of words) {
      let [end, to] = [0, 0]
      for (const { index, 0: found } of text.matchAll(pattern)) {
        if (marks.length === MOST_MARKS) return marks
        const from = to + Buffer.byteLength(text.slice(end, index))
        end = index + found.length
        to = from + Buffer.byteLength(found)
        marks.push({ line, from, to })
      }
    }
  }
  return marks
}

/** In each line the first. */
function placesOf(text: string, { pattern }: Word): Place[] {
  const places: Place[] = []
  const next = new RegExp(pattern)
  for (let found = next.exec(text); found && places.length < MOST_PLACES; found = next.exec(text)) {
    const at = found.index
    places.push({ start: text.lastIndexOf('\n', at - 1) + 1, at })
    next.lastIndex = endOfLine(text, at)
  }
  return places
}

function matchAt(text: string, { start, at }: Place): Match {
  const lineEnd = endOfLine(text, at)
  const from = at - start <= BEFORE ? start : startOfWord(text, startOfCharacter(text, at - BEFORE), at)
  const to = lineEnd - from < LONGEST ? lineEnd : startOfCharacter(text, from + LONGEST - 1)
  return {
    line: newlines(text.slice(0, start)) + 1,
    text: `${from > start ? '…' : ''}${text.slice(from, to).trim()}`,
    column: Buffer.byteLength(text.slice(start, at)),
  }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

/** The next word's, where one begins before the one that was found. */
function startOfWord(text: string, from: number, at: number): number {
  const space = text.indexOf(' ', from)
  return space !== -1 && space < at - 1 ? space + 1 : from
}

/** Not within a pair of surrogates. */
function startOfCharacter(text: string, at: number): number {
  return /[\uDC00-\uDFFF]/.test(text[at] ?? '') ? at - 1 : at
}

/** A word as a pattern of bytes; what has an upper and a lower case may have it in any bytes that are no ASCII. */
function inBytes(word: string): string {
  return Array.from(word, (character) => {
    if (ASCII.test(character)) return escaped(character)
    const hasCase = character.toLowerCase() !== character || character.toUpperCase() !== character
    return hasCase ? '[\\x80-\\xff]{2,4}' : latinOf(character)
  }).join('')
}

function latinOf(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function escaped(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
