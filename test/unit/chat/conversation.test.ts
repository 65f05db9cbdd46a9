import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  amend,
  append,
  type Conversation,
  current,
  emptyConversation,
  extend,
  finish,
  localTime,
  messages,
  push,
  replaceFrom,
  startHistory,
  step,
  type Turn,
  withoutAnswer,
} from '../../../src/chat/conversation.ts'

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

  test('drops what follows an edited turn', () => {
    const conversation = of(
      user('a'),
      { ...answer('A'), note: { code: 'X', text: 'x' }, usage: { totalMs: 1 } },
      user('b'),
    )
    expect(replaceFrom(conversation, 1, 'c')).toEqual(of(user('c')))
    expect(replaceFrom(conversation, 2, 'C')).toEqual(of(user('a'), answer('C')))
    expect(() => replaceFrom(conversation, 4, 'x')).toThrow(expect.objectContaining({ code: 'CHAT_NO_TURN' }))
  })

  test('can lose its last answer, and stays the same value when it has none', () => {
    const asked = of(user('a'))
    expect(withoutAnswer(append(asked, answer('A'), answer('B')))).toEqual(asked)
    expect(withoutAnswer(asked)).toBe(asked)
  })
})

describe('a history', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((text) => of(user(text))) as [
    Conversation,
    Conversation,
    Conversation,
    Conversation,
  ]

  test('steps back and forth, and stays where there is no more', () => {
    const history = push(startHistory(a), b)
    expect(current(step(history, -1))).toBe(a)
    expect(current(step(step(history, -1), 1))).toBe(b)
    expect(step(history, 1)).toBe(history)
    expect(current(amend(history, c))).toBe(c)
    expect(current(step(amend(history, c), -1))).toBe(a)
  })

  test('keeps the versions that were stepped back over', () => {
    const back = step(step(push(push(startHistory(a), b), c), -1), -1)
    const history = push(back, d)
    const seen = [history, step(history, -1), step(step(history, -1), -1)].map(current)
    expect(seen).toEqual([d, a, c])
  })

  test('never loses a version', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('push', 'back', 'forth')), (actions) => {
        let history = startHistory(emptyConversation)
        const pushed: Conversation[] = [emptyConversation]
        for (const [index, action] of actions.entries()) {
          if (action === 'push') pushed.push(of(user(String(index))))
          history = action === 'push' ? push(history, pushed.at(-1) ?? a) : step(history, action === 'back' ? -1 : 1)
          if (action === 'push') expect(current(history)).toBe(pushed.at(-1))
        }
        for (const version of pushed) expect(history.versions).toContain(version)
      }),
    )
  })
})

test('local time is written with two digits', () => {
  expect(localTime(new Date(2026, 0, 2, 3, 4, 5).getTime())).toBe('2026-01-02 03:04:05')
})
