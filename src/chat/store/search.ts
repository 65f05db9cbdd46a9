// Chats in whose name or text all words of a query stand, without an index: the files are read as they are, in slices of a
// few milliseconds. What a word is and where it stands is words.ts's.
import { join } from 'node:path'
import type { Listed } from './listing.ts'
import { Reader } from './reader.ts'
import { isIn, type Match, matchIn, type Word } from './words.ts'

export interface Hit extends Listed {
  match?: Match
}

export interface Searched {
  folder: string
  /** In the order in which they are to be found. */
  chats: readonly Listed[]
  words: readonly Word[]
  /** What need not be read again: the words are not in it. */
  isMissed?(chat: Listed): boolean
  onMiss?(chat: Listed): void
}

/** The event loop is held for no longer, but for one file. */
const SLICE_MS = 4
/**
 * Those whose names hold all words first, then those whose texts hold the rest, each in the order given. What cannot be
 * read is passed over.
 * @throws the signal's reason
 */
export async function* search(searched: Searched, signal: AbortSignal): AsyncGenerator<Hit> {
  const { folder, chats, words, isMissed, onMiss } = searched
  const inText: Array<{ chat: Listed; missing: Word[] }> = []
  for (const chat of chats) {
    const missing = missingIn(chat, words)
    if (missing.length === 0) yield chat
    else if (!isMissed?.(chat)) inText.push({ chat, missing })
  }
  const reader = new Reader()
  const begun: Array<ReturnType<typeof reader.read<Hit | undefined>>> = []
  let since = performance.now()
  for (let next = 0; next < inText.length || begun.length > 0; ) {
    for (; next < inText.length && begun.length < reader.atOnce; next++) {
      const { chat, missing } = inText[next] as (typeof inText)[number]
      begun.push(reader.read(join(folder, chat.file), chat.bytes, (bytes) => hitIn(bytes, chat, missing, onMiss)))
    }
    const hit = await begun.shift()
    signal.throwIfAborted()
    if (hit) yield hit
    if (performance.now() - since < SLICE_MS) continue
    await new Promise((resolve) => setImmediate(resolve))
    signal.throwIfAborted()
    since = performance.now()
  }
}

/** The words that are not in a chat's name. */
export function missingIn({ title, model }: Pick<Listed, 'title' | 'model'>, words: readonly Word[]): Word[] {
  const name = `${title} ${model}`
  return words.filter((word) => !isIn(name, word))
}

function hitIn(bytes: Buffer, chat: Listed, words: readonly Word[], onMiss: Searched['onMiss']): Hit | undefined {
  const match = matchIn(bytes, words)
  if (!match) onMiss?.(chat)
  return match && { ...chat, match }
}
