import { describe, expect, test } from 'vitest'
import {
  append,
  type Conversation,
  emptyConversation,
  extend,
  finish,
  localTime,
  messages,
  rewritten,
  type Turn,
  withoutAnswer,
} from '../../../../src/chat/record/conversation.ts'

const user = (text: string): Turn => ({ role: 'user', text, at: '' })
const answer = (text: string): Turn => ({ role: 'assistant', text, at: '', model: 's:m', end: 'done' })
const of = (...turns: Turn[]): Conversation => append(emptyConversation, ...turns)

describe('a conversation', () => {
  test('grows by parts, and its former values do not', () => {
    const before = of(user('a'), { role: 'assistant', text: '', at: '' })
    const thought = extend(before, { type: 'thinking', text: 'Hm' })
    const after = finish(extend(thought, { type: 'text', text: 'A' }), { end: 'done', thinkingMs: 5 })
    expect(after.turns[1]).toEqual({ role: 'assistant', text: 'A', thinking: 'Hm', at: '', end: 'done', thinkingMs: 5 })
    expect(before.turns[1]).toEqual({ role: 'assistant', text: '', at: '' })
  })

  test('is sent without thinking and without answers that never got a word', () => {
    const conversation = of(
      user('a'),
      { ...answer(''), thinking: 'Hm' },
      user('b'),
      { ...answer('B'), thinking: 'Hm' },
      user(''),
    )
    expect(messages(conversation)).toEqual([
      { role: 'user', content: 'a' },
      { role: 'user', content: 'b' },
      { role: 'assistant', content: 'B' },
      { role: 'user', content: '' },
    ])
  })

  test('can have the text of a turn rewritten', () => {
    const told = { ...answer('A'), thinking: 'Hm', note: { code: 'X', text: 'x' }, usage: { totalMs: 1 } }
    const at = '2026-11-21 08:00:00'
    expect(rewritten(user('a'), 'c', at)).toEqual({ ...user('c'), at })
    expect(rewritten(told, 'C', at)).toEqual({ ...answer('C'), thinking: 'Hm' })
  })

  test('can lose its last answer, and stays the same value when it has none', () => {
    const asked = of(user('a'))
    expect(withoutAnswer(append(asked, answer('A'), answer('B')))).toEqual(asked)
    expect(withoutAnswer(asked)).toBe(asked)
  })
})

test('local time is written with two digits', () => {
  expect(localTime(new Date(2026, 0, 2, 3, 4, 5).getTime())).toBe('2026-01-02 03:04:05')
})
