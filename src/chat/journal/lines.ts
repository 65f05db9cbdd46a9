// What a journal's lines mean: a head with the record as it was, then one change each. Pure. Not here: the file.
import * as z from 'zod'
import type { History } from '../record/history.ts'
import { type Change, type ChatRecord, changedRecord, emptyRecord, type Meta } from '../record/record.ts'
import { type Owner, ownerSchema } from './owner.ts'

/** Of the head; a newer version's journal is read as far as it is understood. */
const FORMAT = 1

/** What stands in a journal. */
export interface Replayed {
  /** Absent when the head cannot be read. */
  owner: Owner | undefined
  record: ChatRecord
  /** Whether every line was understood, so that more may be written after them. */
  isWhole: boolean
  /** Whether something stood there that was not understood; a last line that is torn is none. */
  isDamaged: boolean
  /** Whether all of it was in the chat's file when it was written last. */
  isFiled: boolean
}

/** Says that all that stands above it is in the chat's file; it counts as long as nothing follows. */
export interface Filed {
  type: 'filed'
}

const turn = z.looseObject({ role: z.enum(['system', 'user', 'assistant']), text: z.string(), at: z.string() })
const turns = z.array(turn)
const number = z.int().nonnegative()
const fields = z.record(z.string(), z.unknown())

const head = z.looseObject({
  format: z.number(),
  owner: ownerSchema.optional().catch(undefined),
  record: z.object({
    meta: fields,
    history: z.object({
      entries: z.array(z.object({ turn, place: number })),
      versions: z.array(z.array(number)).min(1),
      shown: number,
    }),
  }),
})

const change = z.discriminatedUnion('type', [
  z.object({ type: z.literal('meta'), set: fields }),
  z.object({ type: z.literal('append'), turns }),
  z.object({
    type: z.literal('extend'),
    part: z.object({ type: z.enum(['thinking', 'text']), text: z.string() }),
  }),
  z.object({ type: z.literal('finish'), end: z.looseObject({ end: z.string() }) }),
  z.object({ type: z.literal('reopen'), turn }),
  z.object({ type: z.literal('drop') }),
  z.object({ type: z.literal('retract') }),
  z.object({ type: z.literal('branch'), entries: z.array(number), turns }),
  z.object({ type: z.literal('show'), version: number }),
  z.object({ type: z.literal('rewrite'), turns }),
  z.object({ type: z.literal('filed') }),
])

/** The head's line in pieces, so that a long record need not be put into words at once. */
export function* headPieces(owner: Owner, { meta, history }: ChatRecord): Generator<string> {
  const { entries, ...others } = history
  yield `{"format":${FORMAT},"owner":${JSON.stringify(owner)},"record":{"meta":${JSON.stringify(meta)},"history":{"entries":[`
  for (const [index, entry] of entries.entries()) yield `${index === 0 ? '' : ','}${JSON.stringify(entry)}`
  yield `],${JSON.stringify(others).slice(1)}}}\n`
}

export function lineOf(made: Change | Filed): string {
  return `${JSON.stringify(made)}\n`
}

/**
 * Adds a change to those that wait to be written. What only grows is put together; whose order matters keeps it.
 * @param waiting is changed
 */
export function enqueue(waiting: Array<Change | Filed>, made: Change): void {
  const last = waiting.at(-1)
  if (made.type === 'meta') {
    const index = waiting.findLastIndex(({ type }) => type !== 'extend')
    const former = waiting[index]
    if (former?.type !== 'meta') return void waiting.push(made)
    waiting.splice(index, 1)
    waiting.push({ type: 'meta', set: { ...former.set, ...made.set } })
  } else if (made.type === 'extend') {
    const index = waiting.length - (last?.type === 'meta' ? 2 : 1)
    const former = waiting[index]
    if (former?.type !== 'extend' || former.part.type !== made.part.type) return void waiting.push(made)
    waiting[index] = { ...former, part: { ...former.part, text: former.part.text + made.part.text } }
  } else waiting.push(made)
}

/** What a journal tells, whatever became of it: a torn last line is passed over, and so is one that is damaged. */
export function replay(text: string): Replayed {
  const lines = text.split('\n')
  const torn = lines.pop()
  const begun = readHead(lines[0])
  const nothing = { owner: undefined, record: emptyRecord, isWhole: false, isDamaged: text !== '', isFiled: false }
  const replayed: Replayed = begun ?? nothing
  for (const line of begun ? lines.slice(1) : lines) {
    const made = change.safeParse(parseJson(line)).data as Change | Filed | undefined
    replayed.isFiled = made?.type === 'filed'
    if (made?.type === 'filed') continue
    if (made && isPossible(replayed.record.history, made)) replayed.record = changedRecord(replayed.record, made)
    else Object.assign(replayed, { isWhole: false, isDamaged: true })
  }
  if (torn !== '') Object.assign(replayed, { isWhole: false, isFiled: false })
  return replayed
}

function readHead(line = ''): Replayed | undefined {
  const read = head.safeParse(parseJson(line))
  if (!read.success) return undefined
  const { format, owner, record } = read.data
  const history = record.history as unknown as History
  if (!isSound(history)) return undefined
  const isKnown = format === FORMAT
  const whole = { isWhole: isKnown && owner !== undefined, isDamaged: !isKnown, isFiled: false }
  return { owner, record: { meta: record.meta as Meta, history }, ...whole }
}

function isSound({ entries, versions, shown }: History): boolean {
  return versions[shown] !== undefined && versions.every((version) => version.every((at) => at < entries.length))
}

function isPossible({ entries, versions }: History, made: Change): boolean {
  if (made.type === 'branch') return made.entries.every((at) => at < entries.length)
  if (made.type === 'show') return made.version < versions.length
  return true
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
