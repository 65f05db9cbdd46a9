import { expect, test } from 'vitest'
import { type SessionState, SessionStates } from '../../../src/chat/session-states.ts'
import { logTo } from '../../../src/core/log.ts'

/** A machine that has made these moves. */
function after(...moves: SessionState[]): SessionStates {
  const states = new SessionStates(
    1,
    logTo(() => {}, 'error'),
  )
  for (const move of moves) states.move(move)
  return states
}

test('forward, also skipping; backward where that is real', () => {
  expect(
    after('queued', 'connecting', 'authenticating', 'connecting', 'authenticating', 'loading', 'reading').phase,
  ).toBe('reading')
  expect(
    after('queued', 'connecting', 'reading', 'loading', 'thinking', 'writing', 'thinking', 'writing', 'done').phase,
  ).toBe('idle')
  expect(after('queued', 'connecting', 'thinking').ended).toBeUndefined()
  expect(after('queued', 'connecting', 'failed', 'queued').phase).toBe('queued')
  expect(after('queued', 'connecting', 'failed').ended).toBe('failed')
})

test.each([
  [[], 'connecting'],
  [[], 'done'],
  [['queued'], 'writing'],
  [['queued', 'connecting', 'writing'], 'loading'],
  [['queued', 'connecting', 'done'], 'failed'],
  [['queued', 'connecting', 'done'], 'writing'],
] as const)('after %j not to %s', (moves, to) => {
  const states = after(...moves)
  const from = states.current
  expect(() => states.move(to)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  expect(states.current).toBe(from)
})

test('staying is no move; every move and every refusal is logged', () => {
  const log: string[] = []
  const states = new SessionStates(
    1,
    logTo((line) => log.push(line.slice(25).trim()), 'debug'),
  )
  expect([states.move('queued'), states.move('queued')]).toEqual([true, false])
  expect(() => states.move('done')).not.toThrow()
  expect(() => states.move('failed')).toThrow()
  expect(log).toEqual([
    'debug move chat=1 from="idle" to="queued"',
    'debug move chat=1 from="queued" to="done"',
    'error illegal move chat=1 from="done" to="failed"',
  ])
})
