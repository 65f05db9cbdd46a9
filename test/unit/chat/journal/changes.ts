// Changes that may follow one another, of any content.
import fc from 'fast-check'
import { branchAfter, type History, removalOf, shownEntries } from '../../../../src/chat/record/history.ts'
import { type Change, type ChatRecord, changedRecord, emptyRecord } from '../../../../src/chat/record/record.ts'
import { hostileText } from '../hostile.ts'
import { answered } from '../turns.ts'

const made: fc.Arbitrary<(history: History) => Change> = fc.oneof(
  { weight: 4, arbitrary: extension() },
  { weight: 3, arbitrary: hostileText.map((text) => () => ({ type: 'meta' as const, set: { draft: { text } } })) },
  fc.constantFrom(
    () => ({ type: 'meta' as const, set: { draft: null } }),
    () => ({ type: 'drop' as const }),
    () => ({ type: 'retract' as const }),
    () => ({ type: 'finish' as const, end: { end: 'done' as const } }),
    (history: History) => branchAfter(history, 1),
    (history: History) => removalOf(history, 1),
    ({ versions, shown }: History) => ({ type: 'show' as const, version: (shown + 1) % versions.length }),
  ),
  answered.map((turn) => () => ({ type: 'append' as const, turns: [turn] })),
  answered.map((turn) => () => ({ type: 'rewrite' as const, turns: [turn] })),
  answered.map((turn) => () => ({ type: 'reopen' as const, turn })),
  fc.array(hostileText, { maxLength: 2 }).map((queue) => () => ({ type: 'meta' as const, set: { queue } })),
)

/** Changes, and the record after each of them; the first is the empty one. */
export const changes: fc.Arbitrary<{ made: Change[]; records: ChatRecord[] }> = fc
  .array(made, { maxLength: 30 })
  .map((makers) => {
    const records = [emptyRecord]
    const all = makers.map((make) => {
      const record = records.at(-1) as ChatRecord
      const change = shownEntries(record.history).length === 0 ? asked : make(record.history)
      records.push(changedRecord(record, change))
      return change
    })
    return { made: all, records }
  })

const asked: Change = { type: 'append', turns: [{ role: 'user', text: 'q', at: '' }] }

function extension() {
  const type = fc.constantFrom('text' as const, 'thinking' as const)
  return fc.tuple(type, hostileText).map(([type, text]) => () => ({ type: 'extend' as const, part: { type, text } }))
}
