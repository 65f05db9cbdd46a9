// Chats in whose name or text all words of a query stand, without an index: the files are read a few at a time, so that
// nothing else waits for it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Listed } from './listing.ts'

export interface Match {
  /** From 1. */
  line: number
  text: string
}

export interface Hit extends Listed {
  match?: Match
}

/** A word to be looked for in any case, also as other programs compose its letters. */
interface Word {
  /** In text. */
  pattern: RegExp
  /** In bytes read as Latin-1, which is much cheaper; only for words that are the same in it. */
  bytes?: RegExp
}

const READERS = 6
/** Longest text of a match, in UTF-16 units, and how much of it stands before the word. */
const LONGEST = 200
const BEFORE = 60

/** Where what the transcript does not show begins. */
const BLOCK = /^<!-- ◆ [a-z]/m
const BLOCK_BYTES = Buffer.from('\n<!-- ◆ chat ')
const ASCII = /^[\x20-\x7e]+$/

export function wordsOf(query: string): Word[] {
  const words = query.split(/\s+/u).filter((word) => word !== '')
  return [...new Set(words)].map((word) => {
    const forms = [...new Set([word.normalize('NFC'), word.normalize('NFD')])].map(escaped)
    return {
      pattern: new RegExp(forms.join('|'), 'iu'),
      ...(ASCII.test(word) ? { bytes: new RegExp(escaped(word), 'i') } : {}),
    }
  })
}

/**
 * Those whose names hold all words first, then those whose texts hold the rest, each in the order given. What cannot be
 * read is passed over.
 * @throws the signal's reason
 */
export async function* search(
  folder: string,
  chats: readonly Listed[],
  words: readonly Word[],
  signal: AbortSignal,
): AsyncGenerator<Hit> {
  const inText: Array<{ chat: Listed; missing: Word[] }> = []
  for (const chat of chats) {
    const name = `${chat.title} ${chat.model}`
    const missing = words.filter(({ pattern }) => !pattern.test(name))
    if (missing.length === 0) yield chat
    else inText.push({ chat, missing })
  }
  const begun: Array<Promise<Hit | undefined>> = []
  const begin = ({ chat, missing }: (typeof inText)[number]) => begun.push(hitIn(folder, chat, missing))
  for (const next of inText.slice(0, READERS)) begin(next)
  for (let index = READERS; begun.length > 0; index++) {
    const hit = await begun.shift()
    signal.throwIfAborted()
    if (hit) yield hit
    const next = inText[index]
    if (next) begin(next)
  }
}

async function hitIn(folder: string, chat: Listed, words: readonly Word[]): Promise<Hit | undefined> {
  const bytes = await readFile(join(folder, chat.file)).catch(() => undefined)
  const match = bytes && matchIn(bytes, words)
  return match ? { ...chat, match } : undefined
}

function matchIn(bytes: Buffer, words: readonly Word[]): Match | undefined {
  const block = bytes.lastIndexOf(BLOCK_BYTES)
  const shown = block === -1 ? bytes : bytes.subarray(0, block)
  const plain = words.flatMap((word) => (word.bytes ? [word.bytes] : []))
  const latin = plain.length === 0 ? '' : shown.toString('latin1')
  if (!plain.every((pattern) => pattern.test(latin))) return undefined
  const whole = shown.toString('utf8')
  const text = whole.slice(0, BLOCK.exec(whole)?.index)
  const found = words.map(({ pattern }) => text.search(pattern))
  return found.includes(-1) ? undefined : matchAt(text, Math.min(...found))
}

function matchAt(text: string, at: number): Match {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const lineEnd = text.indexOf('\n', at)
  const from = Math.max(start, at - BEFORE)
  const to = Math.min(lineEnd === -1 ? text.length : lineEnd, from + LONGEST)
  return { line: newlines(text, start) + 1, text: text.slice(from, to).trim() }
}

function newlines(text: string, end: number): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) count++
  return count
}

function escaped(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
