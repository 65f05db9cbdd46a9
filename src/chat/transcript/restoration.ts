// A history put together again from the turns that are shown and from what a file's block tells of the others. Pure.
import type { Turn } from '../record/conversation.ts'
import type { Entry, History } from '../record/history.ts'
import { type Block, type FiledVersions, turnLine } from './block.ts'
import { parse } from './format.ts'
import { type Alignment, aligned } from './hand-edits.ts'

export interface Restored {
  history: History
  /** Lines of the block that have no part in it. */
  rest: readonly string[]
  problems: readonly string[]
}

/** A history without the turns that no version holds; numbers and places are given anew, in the same order. */
export function compacted({ entries, versions, shown }: History): History {
  return numbered(versions, shown, (number) => entries[number])
}

/**
 * The turns that are shown are as they are given: when they are not those that were written, what the other versions tell
 * of such a turn is changed with it, and a turn that was taken out is taken out of all.
 */
export function restored(turns: readonly Turn[], { versions: filed, turns: texts, rest }: Block): Restored {
  if (!filed) {
    const problems = texts.size > 0 ? ['The other versions of the chat cannot be read'] : []
    return { history: onlyVersion(turns), rest: linesOf(rest, texts), problems }
  }
  const written = filed.versions[filed.shown] ?? []
  const alignment = aligned(turns, filed.sums, written.length)
  const hidden = hiddenTurns(filed, texts)
  const found = new Map(hidden.turns)
  const most = filed.versions.reduce((highest, version) => version.reduce((a, b) => Math.max(a, b), highest), -1)
  const shown = alignment.written.map((index, turn) => written[index ?? -1] ?? most + 1 + turn)
  for (const [turn, number] of shown.entries()) found.set(number, turns[turn] as Turn)
  const problems = problemsOf(alignment, hidden.missing)
  const versions = filed.versions.with(filed.shown, shown)
  const kept = problems.length === 0 ? { versions, shown: filed.shown } : sensible(versions, filed.shown, found)
  const history = numbered(kept.versions, kept.shown, (number) => {
    const turn = found.get(number)
    return turn && { turn, place: filed.places.get(number) ?? number }
  })
  return { history, rest: linesOf(rest, hidden.unused), problems }
}

function onlyVersion(turns: readonly Turn[]): History {
  return { entries: turns.map((turn, place) => ({ turn, place })), versions: [[...turns.keys()]], shown: 0 }
}

interface HiddenTurns {
  turns: ReadonlyMap<number, Turn>
  /** How many of them are in versions and cannot be read. */
  missing: number
  unused: ReadonlyMap<number, string>
}

function hiddenTurns({ versions, shown }: FiledVersions, texts: ReadonlyMap<number, string>): HiddenTurns {
  const wanted = new Set<number>()
  for (const version of versions) for (const number of version) wanted.add(number)
  for (const number of versions[shown] ?? []) wanted.delete(number)
  const turns = new Map<number, Turn>()
  const unused = new Map(texts)
  for (const number of wanted) {
    const [turn, ...others] = parse(texts.get(number) ?? '').conversation.turns
    if (!turn || others.length > 0) continue
    turns.set(number, turn)
    unused.delete(number)
  }
  return { turns, missing: wanted.size - turns.size, unused }
}

function problemsOf({ changed, added, removed }: Alignment, missing: number): string[] {
  const edits = [
    ...(changed > 0 ? [`${changed} changed`] : []),
    ...(added > 0 ? [`${added} added`] : []),
    ...(removed > 0 ? [`${removed} taken out`] : []),
  ]
  return [
    ...(edits.length > 0
      ? [`The text was changed outside (turns: ${edits.join(', ')}); it counts, and the other versions follow it`]
      : []),
    ...(missing > 0 ? [`${missing} ${missing === 1 ? 'turn' : 'turns'} of other versions cannot be read`] : []),
  ]
}

/** The versions without what is gone; those go that say nothing more, or nothing else. */
function sensible(
  versions: ReadonlyArray<readonly number[]>,
  shown: number,
  found: ReadonlyMap<number, Turn>,
): Pick<History, 'versions' | 'shown'> {
  const kept: Array<readonly number[]> = []
  const texts = new Set([versions[shown]?.join()])
  let at = 0
  for (const [index, version] of versions.entries()) {
    const left = version.filter((number) => found.has(number))
    if (index === shown) at = kept.push(left) - 1
    else if (left.length > 0 && !texts.has(left.join())) {
      texts.add(left.join())
      kept.push(left)
    }
  }
  return { versions: kept, shown: at }
}

/** @param entryAt must know every number of the versions */
function numbered(
  versions: ReadonlyArray<readonly number[]>,
  shown: number,
  entryAt: (number: number) => Entry | undefined,
): History {
  const used = new Set<number>()
  for (const version of versions) for (const number of version) used.add(number)
  const sorted = Uint32Array.from(used).sort()
  const entries: Entry[] = []
  const places = new Map<number, number>()
  const numbers = new Map<number, number>()
  for (const number of sorted) {
    const entry = entryAt(number)
    if (!entry) continue
    const place = places.get(entry.place) ?? entries.length
    places.set(entry.place, place)
    numbers.set(number, entries.length)
    entries.push({ turn: entry.turn, place })
  }
  return { entries, versions: versions.map((version) => version.map((number) => numbers.get(number) as number)), shown }
}

/** In the order in which they stood, so that a file that is saved again stays as it was. */
function linesOf(rest: Block['rest'], unused: ReadonlyMap<number, string>): string[] {
  return rest.flatMap((line) => {
    if (typeof line === 'string') return [line]
    const text = unused.get(line)
    return text === undefined ? [] : [turnLine(line, text).trimEnd()]
  })
}
