// Records of any chat, for property tests.
import fc from 'fast-check'
import type { Turn } from '../../../src/chat/record/conversation.ts'
import {
  branchAfter,
  changed,
  type History,
  type HistoryChange,
  historyOf,
  removalOf,
  shownEntries,
  stepBy,
} from '../../../src/chat/record/history.ts'
import type { ChatRecord, Meta } from '../../../src/chat/record/record.ts'
import { variantBy } from '../../../src/chat/record/variants.ts'
import { hostileText } from './hostile.ts'
import { conversations, requestParameters } from './turns.ts'

const MOVES = [
  'append',
  'rewrite',
  'branch',
  'remove',
  'back',
  'forth',
  'variant',
  'drop',
  'retract',
  'reopen',
] as const

const few = conversations.map(({ turns }) => ({ turns: turns.slice(0, 2) }))

const moves = fc.array(fc.tuple(fc.constantFrom(...MOVES), fc.nat(6), few), { maxLength: 6 })

const meta: fc.Arbitrary<Meta> = fc.record(
  {
    created: fc.constant('2026-11-20 14:02:31'),
    title: hostileText,
    titled: fc.constantFrom('person' as const, 'model' as const, 'first-line' as const),
    model: hostileText,
    parameters: fc
      .tuple(requestParameters, fc.option(hostileText, { nil: undefined }))
      .map(([parameters, system]) => ({ ...parameters, ...(system === undefined ? {} : { system }) })),
    draft: fc.record(
      { text: hostileText, editing: fc.integer({ min: 1 }), aside: hostileText },
      { requiredKeys: ['text'] },
    ),
    extra: fc
      .dictionary(fc.constantFrom('folder', '-->', '__proto__'), hostileText, { minKeys: 1 })
      .map((value) => ({ ...value })),
    lines: fc.constant(['<!-- ◆ folded [1,2] -->', '<!-- ◆ x -->']),
  },
  { requiredKeys: [] },
)

/** Of any length, with any edits behind them. */
export const histories: fc.Arbitrary<History> = fc.tuple(conversations, moves).map(([first, made]) =>
  made.reduce((history, [move, place, { turns }]) => {
    const change = changeOf(history, move, place, turns)
    return change ? changed(history, change) : history
  }, historyOf(first)),
)

export const records: fc.Arbitrary<ChatRecord> = fc.record({ meta, history: histories })

function changeOf(
  history: History,
  move: (typeof MOVES)[number],
  place: number,
  turns: readonly Turn[],
): HistoryChange | undefined {
  const count = shownEntries(history).length
  const turn = count === 0 ? 0 : (place % count) + 1
  const [first] = turns
  switch (move) {
    case 'append':
    case 'rewrite':
      return { type: move, turns }
    case 'branch':
      return branchAfter(history, turn, ...turns)
    case 'remove':
      return turn === 0 ? undefined : removalOf(history, turn)
    case 'back':
      return stepBy(history, -1)
    case 'forth':
      return stepBy(history, 1)
    case 'variant':
      return variantBy(history, turn, place % 2 ? 1 : -1)
    case 'drop':
    case 'retract':
      return { type: move }
    case 'reopen':
      return first && { type: 'reopen', turn: first }
  }
}
