import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import { logTo } from '../../../src/core/log.ts'
import { type ConnectionState, ConnectionStates, MOVES } from '../../../src/tunnel/connection-states.ts'

function rig() {
  let logged = ''
  let now = 0
  const told: (string | undefined)[] = []
  const states = new ConnectionStates({
    name: 'gpu',
    log: logTo((line) => (logged += line), 'info'),
    now: () => now,
    onMove: (state, error) => told.push(state, error?.code),
  })
  return { states, told, log: () => logged, tick: (ms: number) => (now += ms) }
}

describe('the states of a connection', () => {
  it('moves as the table says, and tells and logs each move with its server', () => {
    const { states, told, log, tick } = rig()
    tick(7)
    states.move('connecting', undefined, { attempt: 1 })
    expect([states.current, states.since]).toEqual(['connecting', 7])
    const error = new PluginError('SSH_UNREACHABLE', 'no way')
    states.move('failed', error)
    expect(states.error).toBe(error)
    states.move('connecting')
    expect(states.error).toBeUndefined()
    expect(told).toEqual(['connecting', undefined, 'failed', 'SSH_UNREACHABLE', 'connecting', undefined])
    expect(log()).toMatch(/server="gpu" from="idle" to="connecting" attempt=1/)
    expect(log()).toMatch(/warn.*server="gpu" from="connecting" to="failed" code="SSH_UNREACHABLE"/i)
  })

  it('refuses every other move loudly, and stays where it was', () => {
    const { states, told, log } = rig()
    expect(() => states.move('ready')).toThrow(/from idle to ready/)
    expect([states.current, told]).toEqual(['idle', []])
    expect(log()).toMatch(/error.*illegal move/i)
  })

  it('can be left in every state but the last', () => {
    const all = Object.keys(MOVES) as ConnectionState[]
    expect(all.filter((state) => !MOVES[state].includes('closed'))).toEqual(['closed'])
    expect(MOVES.closed).toEqual([])
    const reached = new Set<ConnectionState>(['idle'])
    for (const state of reached) for (const next of MOVES[state]) reached.add(next)
    expect([...reached].toSorted()).toEqual(all.toSorted())
  })
})
