// Every version of a conversation as one value, and the changes that make it. Pure. Not here: what may stand in place of
// what (variants.ts), what is known of a chat besides its turns (record.ts).
import type { AnswerText, Conversation, Turn, TurnEnd } from './conversation.ts'
import { append, extend, finish } from './conversation.ts'

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
  /** The newest version, which is shown and came to nothing of its own, is given up for the one before. */
  | { type: 'retract' }
  /** A new version after it: entries that there are, and then new ones. */
  | { type: 'branch'; entries: readonly number[]; turns: readonly Turn[] }
  | { type: 'show'; version: number }
  /** It is found to read so, as in a file that was changed: what differs are new entries. */
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
      return appended(history, change.turns)
    case 'extend':
      return withLast(history, (last) => extend(last, change.part))
    case 'finish':
      return withLast(history, (last) => finish(last, change.end))
    case 'reopen':
      return reopened(history, change.turn)
    case 'drop':
      return withShown(history, shownEntries(history).slice(0, -1))
    case 'retract':
      return retracted(history)
    case 'branch':
      return appended(pushed(history, change.entries), change.turns)
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

/** @throws RangeError when there is no such entry */
export function entryAt({ entries }: History, number: number): Entry {
  const entry = entries[number]
  if (!entry) throw new RangeError(`A history of ${entries.length} turns has no turn ${number}`)
  return entry
}

/**
 * The shown version with more turns. The first of them may stand in place of what follows the same turns in another version;
 * what comes after a new turn is in no other version.
 */
function appended(history: History, turns: readonly Turn[]): History {
  const before = shownEntries(history)
  const fresh = turns.map((turn, index): Entry => {
    const place = index === 0 ? placeAfter(history, before, turn) : undefined
    return { turn, place: place ?? history.entries.length + index }
  })
  const numbers = fresh.map((_, index) => history.entries.length + index)
  return withShown({ ...history, entries: [...history.entries, ...fresh] }, [...before, ...numbers])
}

function placeAfter(history: History, before: readonly number[], { role }: Turn): number | undefined {
  const following = history.versions
    .filter((version) => version.length > before.length && beginsWith(version, before))
    .map((version) => entryAt(history, version[before.length] as number))
  return following.find(({ turn }) => turn.role === role)?.place
}

/** Only what stands in another version too is given up. */
function retracted(history: History): History {
  const { versions, shown } = history
  const isNewest = shown > 0 && shown === versions.length - 1
  const others = new Set(versions.slice(0, -1).flat())
  if (!isNewest || !shownEntries(history).every((number) => others.has(number))) return history
  return { ...history, versions: versions.slice(0, -1), shown: shown - 1 }
}

/** The last turn, changed where it is: as another entry when other versions hold it too, in which it stays as it was. */
function reopened(history: History, turn: Turn): History {
  const shown = shownEntries(history)
  const last = shown.at(-1)
  if (last === undefined) return history
  const isShared = history.versions.some((version, index) => index !== history.shown && version.includes(last))
  if (!isShared) return withEntry(history, last, turn)
  const entries = [...history.entries, { turn, place: entryAt(history, last).place }]
  return withShown({ ...history, entries }, [...shown.slice(0, -1), history.entries.length])
}

/** A version is never lost: one that was stepped back to comes once more before the new one, which was made of it. */
function pushed(history: History, version: readonly number[]): History {
  const isLast = history.shown === history.versions.length - 1
  const versions = [...history.versions, ...(isLast ? [] : [shownEntries(history)]), version]
  return { ...history, versions, shown: versions.length - 1 }
}

/** The former reading stays as a version, unless the new one only adds to it, as to an answer that was coming. */
function rewritten(history: History, turns: readonly Turn[]): History {
  const former = shownEntries(history)
  const isSameAt = (number: number | undefined, turn: Turn | undefined) =>
    number !== undefined && turn !== undefined && isSame(entryAt(history, number).turn, turn)
  const shorter = Math.min(former.length, turns.length)
  let head = 0
  while (head < shorter && isSameAt(former[head], turns[head])) head++
  const [last, grown] = [former[head], turns[head]]
  const isLast = head === former.length - 1 && last !== undefined && grown !== undefined
  if (isLast && isGrown(entryAt(history, last).turn, grown)) return rewritten(reopened(history, grown), turns)
  let tail = 0
  while (tail < shorter - head && isSameAt(former.at(-1 - tail), turns.at(-1 - tail))) tail++
  const fresh = turns.slice(head, turns.length - tail).map((turn, index): Entry => {
    const number = former.slice(head, former.length - tail)[index]
    const known = number === undefined ? undefined : entryAt(history, number)
    return { turn, place: known?.turn.role === turn.role ? known.place : history.entries.length + index }
  })
  const version = [
    ...former.slice(0, head),
    ...fresh.map((_, index) => history.entries.length + index),
    ...former.slice(former.length - tail),
  ]
  const more = { ...history, entries: [...history.entries, ...fresh] }
  return head === former.length ? withShown(more, version) : pushed(more, version)
}

/** Whether an answer that was coming has come further, so that nothing of it is lost in the other. */
function isGrown(turn: Turn, other: Turn): boolean {
  const isComing = turn.role === 'assistant' && turn.end === undefined && other.role === turn.role
  const isBeginning = other.text.startsWith(turn.text) && (other.thinking ?? '').startsWith(turn.thinking ?? '')
  return isComing && isBeginning && !isSame(turn, other)
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

export function beginsWith(version: readonly number[], beginning: readonly number[]): boolean {
  return beginning.every((number, index) => version[index] === number)
}
