// The plan of a way over hops, and the order in which hops come up and end, over sessions that the test plays.
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../../src/core/errors.ts'
import type { SshParameters } from '../../../../src/tunnel/ssh-config/ssh-parameters.ts'
import { connectChain, type Hop, planRoute } from '../../../../src/tunnel/ssh2/jump-chain.ts'
import type { Session } from '../../../../src/tunnel/transport.ts'
import { PARAMETERS } from '../fakes.ts'

const stop = (alias: string, proxyJump?: string): SshParameters => ({ ...PARAMETERS, alias, host: alias, proxyJump })

/** What each host's own ProxyJump is; what is asked for with hops of its own goes before it, as with ssh. */
function plan(target: string, own: Record<string, string>) {
  const resolve = async ({ host, port, user, jump }: Hop) => ({
    ...stop(host, jump ?? own[host]),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
  })
  return planRoute(stop(target, own[target]), resolve)
}

describe('the plan of a way', () => {
  const names = async (own: Record<string, string>) => (await plan('gpu', own)).map(({ host }) => host)

  it.each([
    ['no hop', {}, ['gpu']],
    ['a list', { gpu: 'a,b,c' }, ['a', 'b', 'c', 'gpu']],
    ['hops that have hops', { gpu: 'b', b: 'a' }, ['a', 'b', 'gpu']],
    [
      'a list, which goes before what its members have, but for the first',
      { gpu: 'b,c', b: 'a', c: 'x' },
      ['a', 'b', 'c', 'gpu'],
    ],
  ])('is made of %s', async (_, own, expected) => {
    expect(await names(own as Record<string, string>)).toEqual(expected)
  })

  it('keeps user and port of each hop', async () => {
    const [first] = await plan('gpu', { gpu: 'me@a:2222' })
    expect(first).toMatchObject({ user: 'me', host: 'a', port: 2222 })
  })

  it.each([
    ['itself', { gpu: 'gpu' }],
    ['a hop that goes over itself', { gpu: 'a', a: 'a' }],
    ['a hop that goes over the target', { gpu: 'a', a: 'b', b: 'gpu' }],
  ])('never leads over %s', async (_, own) => {
    await expect(plan('gpu', own as unknown as Record<string, string>)).rejects.toMatchObject({
      code: 'SSH_CONFIG_INVALID',
      message: expect.stringContaining('circle'),
    })
  })
})

function rig(options: { failing?: string; reason?: PluginError } = {}) {
  const events: string[] = []
  const losing = new Map<string, (error: PluginError) => void>()
  const session = (name: string): Session => ({
    open: async (host) => {
      events.push(`${name} opens ${host}`)
      return new PassThrough()
    },
    probe: async () => {},
    closed: new Promise((resolve) => losing.set(name, resolve)),
    facts: { transport: 'ssh2', address: `me@${name}:22` },
    end: (reason) => events.push(`${name} ends${reason ? `: ${reason.message}` : ''}`),
  })
  const controller = new AbortController()
  const connecting = connectChain([stop('a'), stop('b'), stop('gpu')], {
    dial: () => () => new PassThrough(),
    logIn: async ({ host }) => {
      if (host === options.failing) throw options.reason
      events.push(`${host} is up`)
      return session(host)
    },
    signal: controller.signal,
  })
  return { events, losing, connecting }
}

describe('a chain', () => {
  const UP = ['a is up', 'a opens b', 'b is up', 'b opens gpu', 'gpu is up']

  it('comes up hop by hop, and ends with the target first', async () => {
    const { events, connecting } = rig()
    const session = await connecting
    expect(session.facts.address).toBe('me@gpu:22 via bob@a:22, bob@b:22')
    session.end()
    expect(events).toEqual([...UP, 'gpu ends', 'b ends', 'a ends'])
  })

  it('ends the hops that are up when one does not come up, which is told of by the way it is on', async () => {
    const { events, connecting } = rig({
      failing: 'b',
      reason: new PluginError('SSH_AUTH_FAILED', 'No', { hint: 'Do' }),
    })
    await expect(connecting).rejects.toMatchObject({
      code: 'SSH_AUTH_FAILED',
      message: 'On the way to gpu: No',
      hint: 'Do',
    })
    expect(events).toEqual(['a is up', 'a opens b', 'a ends'])
  })

  it('tells of the target itself in its own words', async () => {
    const { connecting } = rig({ failing: 'gpu', reason: new PluginError('SSH_AUTH_FAILED', 'No') })
    await expect(connecting).rejects.toMatchObject({ message: 'No' })
  })

  it('ends the target with the reason when a hop is lost, and the hops when the target is', async () => {
    const first = rig()
    await first.connecting
    first.losing.get('a')?.(new PluginError('SSH_DISCONNECTED', 'a was lost'))
    await Promise.resolve()
    expect(first.events.at(-1)).toBe('gpu ends: The SSH connection to gpu was lost on the way: a was lost')
    const second = rig()
    const session = await second.connecting
    second.losing.get('gpu')?.(new PluginError('SSH_DISCONNECTED', 'gpu was lost'))
    expect((await session.closed).message).toBe('gpu was lost')
    expect(second.events.slice(-2)).toEqual(['b ends', 'a ends'])
  })
})
