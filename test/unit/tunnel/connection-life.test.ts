// What happens to a link by itself: it is looked at, lost, tried again and waited for.
import type { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import { LinkWatch } from '../../../src/tunnel/link-watch.ts'
import { type FakeSession, outcome, rig } from './connection-rig.ts'
import { FakeClock, turn } from './fakes.ts'

const LOST = new PluginError('SSH_DISCONNECTED', 'gone')
const UNREACHABLE = new PluginError('SSH_UNREACHABLE', 'no way')
const never = new AbortController().signal

async function lose(session: FakeSession): Promise<void> {
  session.lose(LOST)
  await turn()
}

/** Time in which the machine does not sleep. */
async function walk(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) await clock.pass(Math.min(500, ms - passed))
}

describe('a link that somebody waits for', () => {
  it('is tried at once, then at growing intervals, until it is back', async () => {
    const { connection, up, attempt, attempts, states, clock } = rig()
    await lose(await up())
    const back = outcome(connection.whenBack(never))
    ;(await attempt(1)).fail(UNREACHABLE)
    await turn()
    expect(connection.status()).toMatchObject({ state: 'waiting', retryAt: 250, attempts: 1, error: UNREACHABLE })
    await clock.pass(249)
    expect(attempts).toHaveLength(2)
    await clock.pass(1)
    ;(await attempt(2)).fail(UNREACHABLE)
    await turn()
    expect(connection.status()).toMatchObject({ state: 'waiting', retryAt: 250 + 500, attempts: 2 })
    await clock.pass(500)
    ;(await attempt(3)).succeed()
    expect(await back).toBe('ready')
    expect(states.slice(-9)).toEqual(
      'lost connecting failed waiting connecting failed waiting connecting ready'.split(' '),
    )
    expect(connection.status()).toMatchObject({ state: 'ready', attempts: 0 })
    expect(clock.sleepers).toBe(0)
  })

  it('is brought up when it never was', async () => {
    const { connection, attempt } = rig()
    const back = outcome(connection.whenBack(never))
    ;(await attempt()).succeed()
    expect(await back).toBe('ready')
  })

  it.each(['SSH_AUTH_FAILED', 'SSH_HOST_KEY_CHANGED', 'SSH_FORWARDING_DENIED', 'SSH_CONFIG_INVALID'] as const)(
    'is not tried again by itself after %s: who waits is told why, also later',
    async (code) => {
      const { connection, up, attempt, attempts, clock } = rig()
      await lose(await up())
      const back = outcome(connection.whenBack(never))
      const refused = new PluginError(code, 'no')
      ;(await attempt(1)).fail(refused)
      expect(await back).toBe(refused)
      await clock.pass(600_000)
      expect(await outcome(connection.whenBack(never))).toBe(refused)
      expect([connection.state, attempts.length, clock.sleepers]).toEqual(['failed', 2, 0])
      const asked = outcome(connection.ready())
      ;(await attempt(2)).succeed()
      expect(await asked).toBe('ready')
    },
  )

  it('comes at once on the word of whoever needs it now, and counts anew', async () => {
    const { connection, attempt } = rig()
    const back = outcome(connection.whenBack(never))
    for (const index of [0, 1, 2]) {
      ;(await attempt(index)).fail(UNREACHABLE)
      await turn()
      if (index > 0) void connection.ready().catch(() => {})
      else await outcome(connection.ready({ signal: AbortSignal.abort() }))
      if (index === 0) void connection.ready().catch(() => {})
    }
    ;(await attempt(3)).succeed()
    expect(await back).toBe('ready')
  })

  it('stays where it is when nobody waits any more', async () => {
    const { connection, up, attempt, clock } = rig()
    await lose(await up())
    const waiting = new AbortController()
    const reason = new Error('enough')
    const back = outcome(connection.whenBack(waiting.signal))
    ;(await attempt(1)).fail(UNREACHABLE)
    await turn()
    waiting.abort(reason)
    expect(await back).toBe(reason)
    expect([connection.state, connection.error, clock.sleepers]).toEqual(['failed', UNREACHABLE, 0])
    expect(connection.status().retryAt).toBeUndefined()
    const again = new AbortController()
    const left = outcome(connection.whenBack(again.signal))
    await clock.pass(250)
    const third = await attempt(2)
    again.abort(reason)
    expect([await left, connection.state, third.signal.aborted]).toEqual([reason, 'idle', true])
  })

  it.each(['disconnect', 'close'] as const)('tells who waits of %s, in the pause and in the attempt', async (end) => {
    for (const inPause of [true, false]) {
      const { connection, attempt, clock } = rig()
      const back = outcome(connection.whenBack(never))
      if (inPause) {
        ;(await attempt()).fail(UNREACHABLE)
        await turn()
        expect(connection.state).toBe('waiting')
      }
      connection[end]()
      expect(await back).toMatchObject({ code: 'CANCELLED' })
      expect([connection.state, clock.sleepers]).toEqual([end === 'close' ? 'closed' : 'idle', 0])
    }
  })

  it('waits 20 s and more after a server that hung up early, though the network changes', async () => {
    const { connection, attempt, attempts, clock } = rig()
    const back = outcome(connection.whenBack(never))
    ;(await attempt()).fail(new PluginError('SSH_DROPPED_EARLY', 'no'))
    await turn()
    connection.look('network')
    await clock.pass(19_999)
    expect([connection.state, attempts.length]).toEqual(['waiting', 1])
    await clock.pass(5_001)
    ;(await attempt(1)).succeed()
    expect(await back).toBe('ready')
  })

  it.each(['waking', 'network', 'focus'] as const)('is tried at once on %s', async (occasion) => {
    const { connection, attempt, clock } = rig()
    const back = outcome(connection.whenBack(never))
    for (const index of [0, 1, 2]) {
      ;(await attempt(index)).fail(UNREACHABLE)
      await turn()
      await clock.pass(index === 2 ? 0 : 1_000)
    }
    expect(connection.state).toBe('waiting')
    connection.look(occasion)
    ;(await attempt(3)).succeed()
    expect(await back).toBe('ready')
  })

  it('that cannot stand is tried ever later, one that carried an answer at once', async () => {
    const { connection, up, attempt, clock } = rig()
    connection.keepUp(true)
    let session = await up()
    for (const [index, delay] of [0, 250, 500, 1000].entries()) {
      await lose(session)
      expect(connection.status().retryAt ?? clock.now()).toBe(clock.now() + delay)
      if (delay > 0) await clock.pass(delay)
      session = (await attempt(index + 1)).succeed()
      await turn()
    }
    connection.answered()
    await lose(session)
    session = (await attempt(5)).succeed()
    await turn()
    await lose(session)
    expect(connection.state).toBe('waiting')
    await clock.pass(60_000)
    session = (await attempt(6)).succeed()
    await turn()
    await clock.pass(30_000)
    await lose(session)
    expect(connection.state).toBe('connecting')
  })
})

describe('a link that is kept up', () => {
  it('is made anew after a loss, until it is not kept up any more', async () => {
    const { connection, up, attempt, attempts, clock } = rig()
    connection.keepUp(true)
    expect(connection.state).toBe('idle')
    await lose(await up())
    ;(await attempt(1)).fail(UNREACHABLE)
    await turn()
    expect(connection.state).toBe('waiting')
    connection.keepUp(false)
    expect([connection.state, clock.sleepers]).toEqual(['failed', 0])
    await clock.pass(60_000)
    expect(attempts).toHaveLength(2)
  })

  it('asks nobody: an attempt that would is given up, and the next request asks', async () => {
    const { connection, up, attempt, attempts } = rig()
    connection.keepUp(true)
    await lose(await up())
    const second = await attempt(1)
    expect(second.refuseUnattended).toThrow(expect.objectContaining({ code: 'CANCELLED' }))
    expect([connection.state, second.signal.aborted]).toEqual(['idle', true])
    await turn()
    expect(attempts).toHaveLength(2)
    const asked = outcome(connection.ready())
    const third = await attempt(2)
    third.refuseUnattended()
    third.succeed()
    expect(await asked).toBe('ready')
  })

  it('may ask when it is up, since then a request needs the answer', async () => {
    const { connection, attempt } = rig()
    connection.prepare()
    const first = await attempt()
    first.succeed()
    await turn()
    first.refuseUnattended()
    expect(connection.state).toBe('ready')
  })

  it('is left alone after a disconnect', async () => {
    const { connection, up, attempts, clock } = rig()
    connection.keepUp(true)
    await up()
    connection.disconnect()
    await clock.pass(60_000)
    expect([connection.state, attempts.length]).toEqual(['idle', 1])
  })

  it('is prepared without a word, but not where it was refused', async () => {
    const { connection, attempt, attempts } = rig()
    connection.prepare()
    connection.prepare()
    const first = await attempt()
    const joined = outcome(connection.ready())
    first.refuseUnattended()
    first.fail(new PluginError('SSH_AUTH_FAILED', 'no'))
    expect(await joined).toMatchObject({ code: 'SSH_AUTH_FAILED' })
    connection.prepare()
    await turn()
    expect(attempts).toHaveLength(1)
  })
})

describe('a link that may be dead', () => {
  it('is asked after waking, and ended when it does not answer within 2.5 s; requests wait meanwhile', async () => {
    const clock = new FakeClock()
    const { connection, up, attempt } = rig({ clock, watch: new LinkWatch({ clock, addresses: () => '' }) })
    const session = await up()
    await clock.pass(3_600_000)
    expect(session.probes).toHaveLength(1)
    const request = outcome(connection.open('h', 1))
    await turn()
    expect(session.streams).toEqual([])
    await walk(clock, 2_500)
    expect(session.reason).toMatchObject({
      code: 'SSH_DISCONNECTED',
      message: 'The SSH connection to gpu was lost: it did not answer within 2.5 s after waking',
    })
    expect(session.probes[0]?.signal.aborted).toBe(true)
    const next = (await attempt(1)).succeed()
    expect(await request).toBe('ready')
    expect(next.streams).toHaveLength(1)
    connection.close()
    expect(clock.sleepers).toBe(0)
  })

  it('goes on when it answers, and its round trip is known', async () => {
    const { connection, up, clock } = rig()
    const session = await up()
    connection.look('network')
    const request = outcome(connection.open('h', 1))
    await clock.pass(40)
    expect(session.streams).toEqual([])
    session.probes[0]?.answer()
    expect(await request).toBe('ready')
    expect(connection.status()).toMatchObject({ state: 'ready', roundTripMs: 40 })
    connection.disconnect()
    expect(clock.sleepers).toBe(0)
  })

  it('is asked when nothing is heard after a request, which did not wait, and is known to be dead within 3 s', async () => {
    const { connection, up, clock } = rig()
    const session = await up()
    session.heardAt = clock.now()
    await clock.pass(100)
    await connection.ready()
    await clock.pass(499)
    expect(session.probes).toEqual([])
    await clock.pass(1)
    expect(session.probes).toHaveLength(1)
    await clock.pass(2_500)
    expect(connection.error?.message).toContain('when it was needed')
    expect(clock.now()).toBe(3_100)
  })

  it('is not asked when something is heard after the last of several requests', async () => {
    const { connection, up, clock } = rig()
    const session = await up()
    await clock.pass(100)
    await connection.ready()
    await clock.pass(300)
    session.heardAt = clock.now()
    await clock.pass(100)
    await connection.ready()
    await clock.pass(100)
    connection.answered()
    await clock.pass(400)
    await clock.pass(500)
    expect([session.probes.length, clock.sleepers]).toEqual([0, 0])
    await connection.ready()
    await clock.pass(400)
    await connection.ready()
    await clock.pass(100)
    expect(session.probes).toEqual([])
    await clock.pass(400)
    expect(session.probes).toHaveLength(1)
  })

  it('is not trusted with a request when it was silent for longer than a living one can be', async () => {
    const { connection, up, clock } = rig()
    const session = await up()
    session.heardAt = clock.now()
    await clock.pass(7_600)
    const request = outcome(connection.ready())
    await turn()
    expect(session.probes).toHaveLength(1)
    session.probes[0]?.answer()
    expect(await request).toBe('ready')
  })

  it('is not ended because it is busy sending, nor when something else is heard', async () => {
    const { connection, up, clock } = rig()
    const session = await up()
    const stream = (await connection.open('h', 1)) as PassThrough
    stream.cork()
    stream.write(Buffer.alloc(10))
    connection.look('focus')
    expect(session.probes).toEqual([])
    stream.destroy()
    await turn()
    connection.look('focus')
    expect(session.probes).toHaveLength(1)
    await clock.pass(100)
    session.heardAt = clock.now()
    await clock.pass(2_500)
    expect(connection.state).toBe('ready')
  })

  it('is known to be lost as soon as a channel says so', async () => {
    const { connection, up, attempt } = rig()
    const session = await up()
    session.openWith = LOST
    expect(await outcome(connection.open('h', 1))).toBe(LOST)
    expect([connection.state, session.ended]).toEqual(['lost', 1])
    const again = outcome(connection.open('h', 1))
    ;(await attempt(1)).succeed()
    expect(await again).toBe('ready')
  })

  it('is asked when a channel does not come', async () => {
    const { connection, up, clock } = rig()
    const session = await up()
    session.openWith = new PluginError('SSH_CHANNEL_ERROR', 'no answer')
    await outcome(connection.open('h', 1))
    expect([connection.state, session.probes.length]).toEqual(['ready', 1])
    await clock.pass(2_500)
    expect(connection.state).toBe('lost')
  })

  it('is asked before somebody who lost a stream is told that it is back', async () => {
    const { connection, up, attempt, clock } = rig()
    const session = await up()
    const back = outcome(connection.whenBack(never))
    await turn()
    expect(session.probes).toHaveLength(1)
    await clock.pass(2_500)
    ;(await attempt(1)).succeed()
    expect(await back).toBe('ready')
  })

  it('is measured on demand', async () => {
    const { connection, up, clock } = rig()
    const session = await up()
    const measured = connection.measure(never)
    await turn()
    await clock.pass(12)
    session.probes[0]?.answer()
    expect(await measured).toBe(12)
    const dead = outcome(connection.measure(never))
    await turn()
    await clock.pass(2_500)
    expect(await dead).toMatchObject({ code: 'SSH_DISCONNECTED' })
  })
})
