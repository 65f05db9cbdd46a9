// The way from idle to ready and back, shared by all who need it. What happens to a link by itself is in connection-life.test.ts.
import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import type { LinkPhase } from '../../../src/tunnel/transport.ts'
import { outcome, rig } from './connection-rig.ts'
import { turn } from './fakes.ts'

describe('a connection', () => {
  it('is made on first need, once for all, and tells everybody', async () => {
    const { connection, attempts, attempt, states } = rig()
    expect(connection.state).toBe('idle')
    const phases: LinkPhase[][] = [[], []]
    const first = connection.ready({ onPhase: (phase) => phases[0]?.push(phase) })
    const current = await attempt()
    current.onPhase('authenticating')
    const second = connection.ready({ onPhase: (phase) => phases[1]?.push(phase) })
    const stream = connection.open('h', 1)
    current.succeed()
    await Promise.all([first, second, stream])
    expect(attempts).toHaveLength(1)
    expect(phases).toEqual([['connecting', 'authenticating'], ['authenticating']])
    expect(states).toEqual(['connecting', 'authenticating', 'ready'])
    await connection.ready()
    expect(attempts).toHaveLength(1)
  })

  it('fails for all who wait, and is tried again only when somebody asks', async () => {
    const { connection, attempts, attempt, states } = rig()
    const waiting = [outcome(connection.ready()), outcome(connection.open('h', 1))]
    const error = new PluginError('SSH_AUTH_FAILED', 'no')
    ;(await attempt()).fail(error)
    expect(await Promise.all(waiting)).toEqual([error, error])
    await turn()
    expect(attempts).toHaveLength(1)
    expect(connection.error).toBe(error)
    const again = connection.ready()
    ;(await attempt(1)).succeed()
    await again
    expect(connection.error).toBeUndefined()
    expect(states).toEqual(['connecting', 'failed', 'connecting', 'ready'])
  })

  it('goes on for others when one stops waiting', async () => {
    const { connection, attempt } = rig()
    const controller = new AbortController()
    const leaving = outcome(connection.ready({ signal: controller.signal }))
    const staying = outcome(connection.ready())
    const current = await attempt()
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await leaving).toBe(reason)
    expect(current.signal.aborted).toBe(false)
    current.succeed()
    expect(await staying).toBe('ready')
  })

  it('is given up when nobody waits any more, and what comes of it is ended', async () => {
    const { connection, attempt, attempts } = rig()
    const controller = new AbortController()
    const leaving = outcome(connection.ready({ signal: controller.signal }))
    const current = await attempt()
    controller.abort()
    await leaving
    expect(connection.state).toBe('idle')
    expect(current.signal.aborted).toBe(true)
    const session = current.succeed()
    await turn()
    expect(session.ended).toBe(1)
    expect(connection.state).toBe('idle')
    const again = connection.ready()
    ;(await attempt(1)).succeed()
    await again
    expect(attempts).toHaveLength(2)
  })

  it('does not let an attempt that was given up disturb the next one', async () => {
    const { connection, attempt } = rig()
    const controller = new AbortController()
    const leaving = outcome(connection.ready({ signal: controller.signal }))
    const old = await attempt()
    controller.abort()
    await leaving
    const again = outcome(connection.ready())
    const current = await attempt(1)
    old.onPhase('authenticating')
    old.fail(new Error('late'))
    await turn()
    expect(connection.state).toBe('connecting')
    current.succeed()
    expect(await again).toBe('ready')
  })

  it('needs no attempt for somebody who has already left', async () => {
    const { connection, attempts } = rig()
    const reason = new Error('gone')
    expect(await outcome(connection.ready({ signal: AbortSignal.abort(reason) }))).toBe(reason)
    await turn()
    expect(attempts).toEqual([])
  })

  it('is made anew after a loss, by whoever needs it next', async () => {
    const { connection, attempt, attempts, states } = rig()
    const ready = connection.ready()
    const session = (await attempt()).succeed()
    await ready
    const error = new PluginError('SSH_DISCONNECTED', 'gone')
    session.lose(error)
    await turn()
    expect([connection.state, connection.error]).toEqual(['lost', error])
    expect(attempts).toHaveLength(1)
    const again = connection.open('h', 1)
    ;(await attempt(1)).succeed()
    await again
    expect(states).toEqual(['connecting', 'ready', 'lost', 'connecting', 'ready'])
  })

  it('closes once, whatever it was doing', async () => {
    const { connection, attempt, states } = rig()
    const waiting = outcome(connection.ready())
    const current = await attempt()
    connection.close()
    connection.close()
    expect(current.signal.aborted).toBe(true)
    current.fail(current.signal.reason)
    expect(await waiting).toMatchObject({ code: 'CANCELLED' })
    expect(await outcome(connection.ready())).toMatchObject({ code: 'CANCELLED' })
    expect(states).toEqual(['connecting', 'closed'])
  })

  it('ends the session it has', async () => {
    const { connection, attempt } = rig()
    const ready = connection.ready()
    const session = (await attempt()).succeed()
    await ready
    connection.close()
    session.lose(new PluginError('SSH_DISCONNECTED', 'closed'))
    await turn()
    expect([session.ended, connection.state]).toEqual([1, 'closed'])
  })

  it('tells the log of every move, and no secret', async () => {
    const { connection, attempt, log } = rig()
    const ready = connection.ready()
    ;(await attempt()).succeed()
    await ready
    expect(log()).toMatch(/server="gpu" from="idle" to="connecting"[\s\S]*from="connecting" to="ready"/)
  })

  it('turns what nobody foresaw into an error of ours', async () => {
    const { connection, attempt } = rig()
    const waiting = outcome(connection.ready())
    ;(await attempt()).fail(new TypeError('oh'))
    expect(await waiting).toMatchObject({ code: 'INTERNAL' })
  })
})
