// Turns that may stand in one place of a conversation, as a history knows them. Pure.

import type { Variant } from '../transcript/grammar.ts'
import { beginsWith, entryAt, type History, type HistoryChange, shownEntries } from './history.ts'

export interface Variants {
  /** Numbers of the entries that may stand here, in the order in which they came. */
  entries: readonly number[]
  /** Which of them is shown, from 0. */
  shown: number
}

/** What may stand in place of a turn of the shown version, itself among them. @param turn counted from 1 */
export function variantsOf(history: History, turn: number): Variants {
  const here = shownEntries(history)[turn - 1]
  if (here === undefined) return { entries: [], shown: 0 }
  const { place } = entryAt(history, here)
  const isUsed = usedEntries(history)
  const entries = history.entries.flatMap((entry, number) => (entry.place === place && isUsed[number] ? [number] : []))
  return { entries, shown: entries.indexOf(here) }
}

/** For each shown turn which of its variants it is; `undefined` where it is the only one. */
export function shownVariants(history: History): Array<Variant | undefined> {
  const isUsed = usedEntries(history)
  const counts = new Map<number, number>()
  const indices = history.entries.map(({ place }, number) => {
    const index = (counts.get(place) ?? 0) + (isUsed[number] ? 1 : 0)
    counts.set(place, index)
    return index
  })
  return shownEntries(history).map((number) => {
    const count = counts.get(entryAt(history, number).place) ?? 1
    return count === 1 ? undefined : { index: indices[number] ?? 1, count }
  })
}

/**
 * Shows the variant of a turn that is so many after it or before it, with what last followed it; after the last one comes
 * the first. `undefined` when the turn has none.
 */
export function variantBy(history: History, turn: number, by: number): HistoryChange | undefined {
  const { entries, shown } = variantsOf(history, turn)
  const wanted = entries.at((shown + by) % entries.length)
  if (wanted === undefined || entries.length < 2) return undefined
  if (wanted === entries[shown]) return { type: 'show', version: history.shown }
  const beginning = [...shownEntries(history).slice(0, turn - 1), wanted]
  const version = history.versions.findLastIndex((other) => beginsWith(other, beginning))
  if (version !== -1) return { type: 'show', version }
  const last = history.versions.findLast((other) => other.includes(wanted)) ?? []
  return { type: 'branch', entries: [...beginning, ...last.slice(last.indexOf(wanted) + 1)], turns: [] }
}

/** By number, whether an entry is in a version. Versions may hold each many entries, so no set is made of them. */
function usedEntries({ entries, versions }: History): Uint8Array {
  const isUsed = new Uint8Array(entries.length)
  for (const version of versions) for (const number of version) isUsed[number] = 1
  return isUsed
}
