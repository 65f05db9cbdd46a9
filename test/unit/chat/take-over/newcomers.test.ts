import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Resumed } from '../../../../src/chat/journal/journals.ts'
import type { Turn } from '../../../../src/chat/record/conversation.ts'
import { historyOf } from '../../../../src/chat/record/history.ts'
import type { Above } from '../../../../src/chat/take-over/above.ts'
import { Newcomers } from '../../../../src/chat/take-over/newcomers.ts'
import { takeOver } from '../../../../src/chat/take-over/take-over.ts'
import { render } from '../../../../src/chat/transcript/format.ts'

const at = '2026-11-20 14:02:31'
const turns: Turn[] = [
  { role: 'user', text: 'Why ö?', at },
  { role: 'assistant', text: 'So.', at, model: 's:m', end: 'done' },
  { role: 'user', text: 'And?', at },
]
const record = { meta: { model: 's:m' }, history: historyOf({ turns }) }

function setUp() {
  let resumes = 0
  const resumed = { record } as Resumed
  const resume = () => {
    resumes += 1
    return Promise.resolve(resumed)
  }
  const newcomers = new Newcomers({ resume, begin: () => resumed.journal })
  return { newcomers, resumes: () => resumes }
}

/** As an editor measures them. */
function measured(first: readonly Turn[]): Above {
  const text = render({ turns: first })
  const rows = text.split('\n').flatMap((line, row) => (line.startsWith('## ◆ ') ? [`${row} ${line}\n`] : []))
  return {
    turns: first.length,
    lines: text.split('\n').length - 1,
    bytes: Buffer.byteLength(text),
    sum: createHash('sha256').update(rows.join('')).digest('hex'),
  }
}

test('one whose buffer begins with what is known tells only its end', async () => {
  const { newcomers } = setUp()
  const transcript = `${render({ turns: turns.slice(2) })}## ◆ You\n\nmore\n\n`
  const opened = await newcomers.open({ chat: 1, key: 'k', transcript, above: measured(turns.slice(0, 2)) })
  expect(opened?.left?.above).toHaveLength(2)
  expect(takeOver(record, opened?.left).changes).toEqual([
    { type: 'append', turns: [{ role: 'user', text: 'more', at: '' }] },
  ])
})

test.each([
  ['a turn more', measured([...turns, ...turns])],
  ['another heading', { ...measured(turns.slice(0, 2)), sum: '' }],
  ['another length', { ...measured(turns.slice(0, 2)), bytes: 7 }],
  ['other lines', { ...measured(turns.slice(0, 2)), lines: 7 }],
] as const)('one whose buffer begins otherwise has to tell all of it: %s', async (_, above) => {
  const { newcomers, resumes } = setUp()
  expect(await newcomers.open({ chat: 1, key: 'k', transcript: '', above })).toBeUndefined()
  newcomers.piece(1, 1, 'given up')
  newcomers.piece(1, 1, 'one ')
  newcomers.piece(1, 2, 'two')
  expect(await newcomers.open({ chat: 1, key: 'k', pieces: 3 })).toBeUndefined()
  expect(await newcomers.open({ chat: 1, key: 'k', pieces: 2 })).toMatchObject({ left: { text: 'one two' } })
  // The journal is ours from the first question on.
  expect(resumes()).toBe(1)
})
