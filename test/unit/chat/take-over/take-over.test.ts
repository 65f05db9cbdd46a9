import { describe, expect, test } from 'vitest'
import type { Turn } from '../../../../src/chat/record/conversation.ts'
import { branchAfter, changed, current, historyOf } from '../../../../src/chat/record/history.ts'
import { type ChatRecord, changedRecord, emptyRecord, type Meta } from '../../../../src/chat/record/record.ts'
import { leftOverOf } from '../../../../src/chat/take-over/left-over.ts'
import { draftOf, type Left, takeOver } from '../../../../src/chat/take-over/take-over.ts'
import { renderShown } from '../../../../src/chat/transcript/format.ts'

const at = '2026-11-20 14:02:31'
const question: Turn = { role: 'user', text: 'q', at }
const answer: Turn = { role: 'assistant', text: 'a', at, model: 's:m', end: 'done' }
const { end: _end, ...coming } = { ...answer, text: 'half an ' }

function recordOf(turns: readonly Turn[], meta: Meta = { model: 's:m' }): ChatRecord {
  return { meta, history: historyOf({ turns }) }
}

function leftOf(text?: string): Left | undefined {
  return text === undefined ? undefined : { text }
}

function taken(record: ChatRecord, transcript?: string): ChatRecord {
  return takeOver(record, leftOf(transcript)).changes.reduce(changedRecord, record)
}

function textsAfter(record: ChatRecord, transcript?: string): string[] {
  return current(taken(record, transcript).history).turns.map(({ text }) => text)
}

describe('a chat whose host is gone', () => {
  test('goes on as it is when the editor shows the same', () => {
    const record = recordOf([question, answer])
    expect(takeOver(record, leftOf(renderShown(record.history)))).toEqual({ changes: [], problems: [] })
    expect(takeOver(record)).toEqual({ changes: [], problems: [] })
  })

  test('is not taken for another where it holds halves of characters, which no editor shows', () => {
    const half = { ...answer, text: 'lone \ud83d' }
    const shown = Buffer.from(renderShown(historyOf({ turns: [question, half] }))).toString()
    expect(takeOver(recordOf([question, half]), leftOf(shown)).changes).toEqual([])
    expect(taken(recordOf([question, { ...coming, text: 'lone \ud83d' }]), shown).history.versions).toHaveLength(1)
  })

  test('keeps its other versions', () => {
    const { history } = recordOf([question, answer])
    const record = {
      meta: { model: 's:m' },
      history: changed(history, branchAfter(history, 1, { ...answer, text: 'b' })),
    }
    const shown = renderShown(record.history)
    expect(takeOver(record, { text: shown }).changes).toEqual([])
    const more = taken(record, `${shown}## ◆ You · ${at}\n\nand?\n\n`)
    expect(more.history.versions).toHaveLength(2)
    expect(current(more.history).turns.map(({ text }) => text)).toEqual(['q', 'b', 'and?'])
  })

  test('has an answer marked that was under way', () => {
    const record = taken(recordOf([question, coming]))
    expect(current(record.history).turns[1]).toMatchObject({
      text: 'half an ',
      end: 'interrupted',
      note: { code: 'HOST_EXITED', text: expect.stringContaining('gR') },
    })
    const wordless = taken(recordOf([question, { ...coming, text: '' }]))
    expect(current(wordless.history).turns[1]?.note?.text).not.toContain('gR')
  })

  test('has the longer of what is known and what is shown', () => {
    const known = recordOf([question, coming])
    const more = `${renderShown(known.history).trimEnd()} answer`
    expect(textsAfter(known, more)).toEqual(['q', 'half an answer'])
    const less = renderShown(historyOf({ turns: [question, { ...coming, text: 'half' }] }))
    expect(textsAfter(known, less)).toEqual(['q', 'half an '])
    expect(textsAfter(known, renderShown(historyOf({ turns: [question] })))).toEqual(['q', 'half an '])
    expect(textsAfter(known, `## ◆ You · ${at}\n\nanother\n\n`)).toEqual(['another'])
    // It is no version of its own that a moment was missing.
    expect(taken(known, more).history.versions).toHaveLength(1)
    expect(current(taken(known, more).history).turns[1]).toMatchObject({ end: 'interrupted', model: 's:m' })
    expect(textsAfter(emptyRecord, more)).toEqual(['q', 'half an answer'])
  })

  test('leaves a prompt that was never shown to the editor, which has it still', () => {
    const asked = { ...question, text: 'and?' }
    const shown = renderShown(historyOf({ turns: [question, answer] }))
    expect(textsAfter(recordOf([question, answer, asked]), shown)).toEqual(['q', 'a'])
    expect(textsAfter(recordOf([question, answer]), `${shown}## ◆ You · ${at}\n\nand?\n\n`)).toEqual(['q', 'a', 'and?'])
  })

  test('gives back what waited, and what was being written', () => {
    expect(draftOf({})).toBeUndefined()
    expect(draftOf({ queue: ['one', 'two'], draft: { text: 'three' } })).toEqual({ text: 'one\n\ntwo\n\nthree' })
    expect(draftOf({ queue: ['one'], draft: { text: 'edit', editing: 1, aside: 'aside' } })).toEqual({
      text: 'edit',
      editing: 1,
      aside: 'one\n\naside',
    })
    expect(taken(recordOf([question], { queue: ['one'] })).meta.queue).toBeUndefined()
  })

  test('is one row of a list', () => {
    const record = recordOf([question, answer, { ...question, text: 'last\nwords' }], { model: 's:m' })
    const row = leftOverOf({ key: 'k', record, changed: 7 })
    expect(row).toEqual({ key: 'k', title: 'q', model: 's:m', turns: 3, last: 'last words', changed: 7 })
    const drafted = { ...emptyRecord, meta: { draft: { text: ' a\nb' }, title: 'locks' } }
    expect(leftOverOf({ key: 'k', record: drafted, changed: 7 })).toMatchObject({
      title: 'locks',
      turns: 0,
      last: 'a b',
    })
  })
})
