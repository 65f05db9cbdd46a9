// A text that was changed outside, set against what was written there: which of its turns is which. Pure.
import { crc32 } from 'node:zlib'
import type { Turn } from '../record/conversation.ts'

export interface Alignment {
  /** For each turn of the text, which of those written it is, from 0; `undefined` for one that was added. */
  written: ReadonlyArray<number | undefined>
  changed: number
  added: number
  removed: number
}

/** By which a turn's words are known again; 32 bits. */
export function sumOf({ role, text, thinking = '', note }: Turn): number {
  return crc32(text, crc32(`${role}\0${thinking}\0${note?.text ?? ''}\0`))
}

/** @param sums of the turns that were written; `count` of them, when some are missing */
export function aligned(turns: readonly Turn[], sums: readonly number[], count: number): Alignment {
  const found = turns.map(sumOf)
  const written = new Array<number | undefined>(turns.length).fill(undefined)
  let next = { text: 0, sum: 0 }
  for (const anchor of [...anchors(found, sums.slice(0, count)), { text: turns.length, sum: count }]) {
    // As many between two that are known again: they were changed where they are.
    const isSameLength = anchor.text - next.text === anchor.sum - next.sum
    for (let offset = 0; isSameLength && offset < anchor.text - next.text; offset++) {
      written[next.text + offset] = next.sum + offset
    }
    if (anchor.text < turns.length) written[anchor.text] = anchor.sum
    next = { text: anchor.text + 1, sum: anchor.sum + 1 }
  }
  const kept = written.filter((index) => index !== undefined)
  return {
    written,
    changed: kept.length - written.filter((index, turn) => index !== undefined && sums[index] === found[turn]).length,
    added: turns.length - kept.length,
    removed: count - kept.length,
  }
}

interface Anchor {
  text: number
  sum: number
}

/** Turns that are the same on both sides, in the same order on both: at the ends, and between them as they are found first. */
function anchors(found: readonly number[], sums: readonly number[]): Anchor[] {
  const shorter = Math.min(found.length, sums.length)
  let head = 0
  while (head < shorter && found[head] === sums[head]) head++
  let tail = 0
  while (tail < shorter - head && found.at(-1 - tail) === sums.at(-1 - tail)) tail++
  const pairs = (count: number, text: number, sum: number): Anchor[] =>
    Array.from({ length: count }, (_, index) => ({ text: text + index, sum: sum + index }))
  return [
    ...pairs(head, 0, 0),
    ...between(found, sums, head, tail),
    ...pairs(tail, found.length - tail, sums.length - tail),
  ]
}

function between(found: readonly number[], sums: readonly number[], head: number, tail: number): Anchor[] {
  const positions = new Map<number, number[]>()
  for (let at = sums.length - tail - 1; at >= head; at--) {
    const sum = sums[at] as number
    const known = positions.get(sum)
    if (known) known.push(at)
    else positions.set(sum, [at])
  }
  let after = -1
  return found.slice(head, found.length - tail).flatMap((sum, index) => {
    const places = positions.get(sum) ?? []
    let at = places.pop()
    while (at !== undefined && at <= after) at = places.pop()
    if (at === undefined) return []
    after = at
    return [{ text: head + index, sum: at }]
  })
}
