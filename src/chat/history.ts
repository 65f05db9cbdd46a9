// Every version of a conversation as one value, and the changes that make it. Pure. Not here: which change is wanted, and
// what is known of a chat besides its turns (record.ts).
import type { AnswerText, Conversation, Turn, TurnEnd } from './conversation.ts'
import { append, extend, finish } from './conversation.ts'
import type { Variant } from './transcript/grammar.ts'

/** A turn among all that were ever said in a chat. */
export interface Entry {
  turn: Turn
  /** Entries of one place stand in for one another: an answer and what it was asked again for, a question and its edits. */
  place: number
}

export interface History {
  /** By their numbers, which are never used again. */
  entries: readonly Entry[]
  /** Never empty: the numbers of each version's entries, in order. */
  versions: ReadonlyArray<readonly number[]>
  /** Which of the versions is shown. */
  shown: number
}

/** All that can happen to a history, as data: what is written down is what is done. */
export type HistoryChange =
  /** The shown version grows. */
  | { type: 'append'; turns: readonly Turn[] }
  /** Its last turn grows. */
  | { type: 'extend'; part: AnswerText }
  | { type: 'finish'; end: TurnEnd }
  /** Its last turn is opened again as it is given here. */
  | { type: 'reopen'; turn: Turn }
  /** It loses its last turn, which is nowhere any more. */
  | { type: 'drop' }
  /** A new version after it: entries that there are, and then new ones. */
  | { type: 'branch'; entries: readonly number[]; turns: readonly Turn[] }
  | { type: 'show'; version: number }
  /** The shown version reads so: what differs from it are new entries. */
  | { type: 'rewrite'; turns: readonly Turn[] }

export const emptyHistory: History = { entries: [], versions: [[]], shown: 0 }

export function historyOf({ turns }: Conversation): History {
  return changed(emptyHistory, { type: 'append', turns })
}

/** The numbers of the entries that are shown. */
export function shownEntries({ versions, shown }: History): readonly number[] {
  return versions[shown] ?? []
}

/** The conversation that is shown. */
export function current(history: History): Conversation {
  return { turns: shownEntries(history).map((number) => entryAt(history, number).turn) }
}

/** The last turn that is shown. */
export function lastTurn(history: History): Turn | undefined {
  const last = shownEntries(history).at(-1)
  return last === undefined ? undefined : entryAt(history, last).turn
}

/** The history after a change. The same value when nothing is changed by it. */
export function changed(history: History, change: HistoryChange): History {
  switch (change.type) {
    case 'append':
      return change.turns.reduce(added, history)
    case 'extend':
      return withLast(history, (last) => extend(last, change.part))
    case 'finish':
      return withLast(history, (last) => finish(last, change.end))
    case 'reopen':
      return reopened(history, change.turn)
    case 'drop':
      return withShown(history, shownEntries(history).slice(0, -1))
    case 'branch':
      return change.turns.reduce(added, pushed(history, change.entries))
    case 'show':
      return history.versions[change.version] ? { ...history, shown: change.version } : history
    case 'rewrite':
      return rewritten(history, change.turns)
  }
}

/** A version with the first turns of the shown one, and others after them. */
export function branchAfter(history: History, count: number, ...turns: readonly Turn[]): HistoryChange {
  return { type: 'branch', entries: shownEntries(history).slice(0, count), turns }
}

/** A version without one turn, counted from 1. */
export function removalOf(history: History, turn: number): HistoryChange {
  return { type: 'branch', entries: shownEntries(history).toSpliced(turn - 1, 1), turns: [] }
}

/** Shows a version so many before or after, or the first or last one; `undefined` when that is shown already. */
export function stepBy(history: History, by: number): HistoryChange | undefined {
  const version = Math.min(Math.max(history.shown + by, 0), history.versions.length - 1)
  return version === history.shown ? undefined : { type: 'show', version }
}

export interface Variants {
  /** Numbers of the entries that may stand here, in the order in which they came. */
  entries: readonly number[]
  /** Which of them is shown, from 0. */
  shown: number
}

/** A turn by its number. */
export function turnOf(history: History, number: number): Turn {
  return entryAt(history, number).turn
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

function entryAt({ entries }: History, number: number): Entry {
  const entry = entries[number]
  if (!entry) throw new RangeError(`A history of ${entries.length} turns has no turn ${number}`)
  return entry
}

/** The shown version with one more turn, in place of which may stand what follows the same turns in another version. */
function added(history: History, turn: Turn): History {
  const before = shownEntries(history)
  const like = history.versions
    .filter((version) => version.length > before.length && beginsWith(version, before))
    .map((version) => entryAt(history, version[before.length] as number))
    .find((entry) => entry.turn.role === turn.role)
  return put(history, before, turn, like?.place)
}

function put(history: History, before: readonly number[], turn: Turn, place?: number): History {
  const number = history.entries.length
  const entries = [...history.entries, { turn, place: place ?? number }]
  return withShown({ ...history, entries }, [...before, number])
}

/** The last turn, changed where it is: as another entry when other versions hold it too, in which it stays as it was. */
function reopened(history: History, turn: Turn): History {
  const shown = shownEntries(history)
  const last = shown.at(-1)
  if (last === undefined) return history
  const isShared = history.versions.some((version, index) => index !== history.shown && version.includes(last))
  if (!isShared) return withEntry(history, last, turn)
  return put(history, shown.slice(0, -1), turn, entryAt(history, last).place)
}

/** A version is never lost: one that was stepped back to comes once more before the new one, which was made of it. */
function pushed(history: History, version: readonly number[]): History {
  const isLast = history.shown === history.versions.length - 1
  const versions = [...history.versions, ...(isLast ? [] : [shownEntries(history)]), version]
  return { ...history, versions, shown: versions.length - 1 }
}

function rewritten(history: History, turns: readonly Turn[]): History {
  const former = shownEntries(history)
  const emptied = withShown(history, [])
  return turns.reduce((grown, turn, index) => {
    const number = former[index]
    const before = shownEntries(grown)
    if (number === undefined) return put(grown, before, turn)
    const { turn: known, place } = entryAt(history, number)
    if (isSame(known, turn)) return withShown(grown, [...before, number])
    return put(grown, before, turn, known.role === turn.role ? place : undefined)
  }, emptied)
}

function isSame(one: Turn, other: Turn): boolean {
  return one === other || JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
}

function sorted(turn: Turn): unknown {
  return Object.entries(turn).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function withLast(history: History, change: (last: Conversation) => Conversation): History {
  const number = shownEntries(history).at(-1)
  if (number === undefined) return history
  const [turn] = change(append({ turns: [] }, entryAt(history, number).turn)).turns
  return turn ? withEntry(history, number, turn) : history
}

function withEntry(history: History, number: number, turn: Turn): History {
  return { ...history, entries: history.entries.with(number, { ...entryAt(history, number), turn }) }
}

function withShown(history: History, version: readonly number[]): History {
  return { ...history, versions: history.versions.with(history.shown, version) }
}

function beginsWith(version: readonly number[], beginning: readonly number[]): boolean {
  return beginning.every((number, index) => version[index] === number)
}
