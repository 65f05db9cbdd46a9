// The walk to a server, over connections that the test holds in its hands. The real ones are in test/integration.
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect as dial } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { ServerConfig } from '../../../src/config/schema.ts'
import { type ErrorCode, PluginError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import type { connectServer } from '../../../src/tunnel/connect.ts'
import { type ServerTestDependencies, type TestStep, testServer } from '../../../src/tunnel/server-test.ts'
import type { Milestone, Session } from '../../../src/tunnel/transport.ts'
import { sshTarget } from '../../support/ssh-target.ts'
import { FakeClock, memoryFiles, scripted, turn } from './fakes.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function httpServer(isSilent = false): Promise<number> {
  const server: Server = createServer((_, response) => {
    if (!isSilent) response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

const SSH = sshTarget({ host: 'gpu' })
const serverAt = (url: string, ssh?: ServerConfig['ssh']): ServerConfig => ({
  name: 'gpu',
  ssh,
  url: new URL(url),
  caFile: undefined,
})

function rig(more: Partial<ServerTestDependencies> = {}) {
  const clock = new FakeClock()
  const told: TestStep[] = []
  const dependencies: ServerTestDependencies = {
    ...{ prompts: scripted('secret').prompts, files: memoryFiles(), secrets: new Map(), log: silentLog, clock },
    onNotice: () => {},
    provider: () => ({ version: async () => '0.12.3', models: async () => [{ name: 'a' }, { name: 'b' }] }),
    ...more,
  }
  const walk = (config: ServerConfig, signal = new AbortController().signal) =>
    testServer(config, dependencies, { signal, onStep: (step) => told.push(step) })
  return { clock, told, walk }
}

/** Passes the milestones, each after some time, and then comes up or fails. */
function connecting(
  clock: FakeClock,
  milestones: Milestone[],
  end: PluginError | (() => Session),
): typeof connectServer {
  return async (_, __, { onMilestone }) => {
    for (const milestone of milestones) {
      await clock.pass(10)
      onMilestone?.(milestone)
    }
    if (typeof end === 'function') return end()
    throw end
  }
}

function sessionTo(port: number, ended: string[]): Session {
  return {
    open: async () => {
      const socket = dial(port, '127.0.0.1')
      socket.once('close', () => ended.push('stream'))
      return socket
    },
    probe: async () => {},
    closed: new Promise(() => {}),
    facts: { transport: 'openssh', address: 'me@gpu:22', login: 'certificate' },
    end: () => void ended.push('session'),
  }
}

const HOP = 'me@gpu:22'
const words = (steps: TestStep[]) =>
  steps.map(({ stage, detail, error }) => [stage, error?.code ?? detail].filter((word) => word !== undefined).join(' '))

describe('the way without ssh', () => {
  it('is dialled and asked, and no further channel counts as a step', async () => {
    const port = await httpServer()
    const { walk, told } = rig()
    const steps = await walk(serverAt(`http://localhost:${port}`))
    expect(words(steps)).toEqual([
      expect.stringMatching(/^resolve (127\.0\.0\.1|::1)$/),
      'tcp',
      'http status 200',
      'version Ollama 0.12.3',
      'models 2',
    ])
    expect(told).toEqual(steps)
  })

  it('ends where nothing listens', async () => {
    const steps = await rig().walk(serverAt('http://127.0.0.1:1'))
    expect(words(steps)).toEqual(['tcp API_UNAVAILABLE'])
  })

  it('ends at a server that takes the connection and says nothing', async () => {
    const port = await httpServer(true)
    const { walk, clock, told } = rig()
    const walking = walk(serverAt(`http://127.0.0.1:${port}`))
    while (told.length === 0) await turn()
    await clock.pass(10_000)
    expect(words(await walking)).toEqual(['tcp', 'http API_UNAVAILABLE'])
    expect(clock.sleepers).toBe(0)
  })

  it('ends at something that is not Ollama', async () => {
    const port = await httpServer()
    const strange = new PluginError('API_PROTOCOL', 'gpu does not answer as an Ollama server does')
    const { walk } = rig({ provider: () => ({ version: () => Promise.reject(strange), models: async () => [] }) })
    expect(words(await walk(serverAt(`http://127.0.0.1:${port}`)))).toEqual([
      'tcp',
      'http status 200',
      'version API_PROTOCOL',
    ])
  })
})

describe('the way through ssh', () => {
  it('goes through a channel that the first request uses, and ends all that it opened', async () => {
    const port = await httpServer()
    const clock = new FakeClock()
    const ended: string[] = []
    const milestones: Milestone[] = [{ stage: 'configuration', hop: HOP }]
    const { walk } = rig({ clock, connect: connecting(clock, milestones, () => sessionTo(port, ended)) })
    const steps = await walk(serverAt('http://127.0.0.1:11434', SSH))
    expect(words(steps)).toEqual([
      'configuration',
      'authentication certificate',
      'channel 127.0.0.1:11434, by the ssh program',
      'http status 200',
      'version Ollama 0.12.3',
      'models 2',
    ])
    expect(steps[0]).toEqual({ stage: 'configuration', hop: HOP, ms: 10 })
    await expect.poll(() => ended.toSorted()).toEqual(['session', 'stream'])
  })

  it.each<[ErrorCode, Milestone['stage'][], string]>([
    ['SSH_CONFIG_INVALID', [], 'configuration'],
    ['SSH_HOST_NOT_FOUND', ['configuration'], 'resolve'],
    ['SSH_UNREACHABLE', ['configuration', 'resolve'], 'tcp'],
    ['SSH_CONNECTION_TIMEOUT', ['configuration'], 'tcp'],
    ['SSH_CONNECTION_TIMEOUT', ['configuration', 'resolve', 'tcp'], 'host-key'],
    ['SSH_HOST_KEY_CHANGED', ['configuration', 'tcp'], 'host-key'],
    ['SSH_AUTH_FAILED', ['configuration', 'tcp', 'host-key'], 'authentication'],
    ['SSH_DROPPED_EARLY', ['configuration', 'tcp', 'host-key'], 'authentication'],
  ])('%s after %j is told of %s', async (code, stages, stage) => {
    const clock = new FakeClock()
    const milestones = stages.map((passed) => ({ stage: passed, hop: HOP }))
    const error = new PluginError(code, 'No')
    const steps = await rig({ clock, connect: connecting(clock, milestones, error) }).walk(serverAt('http://x', SSH))
    expect(steps.at(-1)).toMatchObject({ stage, error: { code } })
    expect(steps.slice(0, -1).map((step) => step.stage)).toEqual(stages)
  })

  it('names the hop at which it ended', async () => {
    const clock = new FakeClock()
    const at = (stage: Milestone['stage'], hop: string): Milestone => ({ stage, hop })
    const known = [at('configuration', 'target'), at('configuration', 'inner'), at('configuration', 'gate')]
    const through = [at('tcp', 'gate'), at('host-key', 'gate'), at('authentication', 'gate')]
    const endOf = async (milestones: Milestone[]) => {
      const error = new PluginError('SSH_CONNECTION_TIMEOUT', 'No')
      const steps = await rig({ clock, connect: connecting(clock, milestones, error) }).walk(serverAt('http://x', SSH))
      const { stage, hop } = steps.at(-1) ?? {}
      return { stage, hop }
    }
    expect(await endOf(known)).toEqual({ stage: 'tcp', hop: 'gate' })
    expect(await endOf([...known, ...through])).toEqual({ stage: 'tcp', hop: 'inner' })
  })

  it('does not count the time in which a person is asked', async () => {
    const clock = new FakeClock()
    const slow = async () => {
      await clock.pass(60_000)
      return 'secret'
    }
    const connect: typeof connectServer = async (_, { prompts }, { signal, onMilestone }) => {
      await clock.pass(5)
      await prompts.secret({ title: '', detail: '' }, signal)
      await clock.pass(2)
      onMilestone?.({ stage: 'authentication', hop: HOP })
      throw new PluginError('SSH_CHANNEL_ERROR', 'No')
    }
    const { walk } = rig({ clock, connect, prompts: { secret: slow, choose: slow } })
    expect((await walk(serverAt('http://x', SSH)))[0]).toMatchObject({ stage: 'authentication', ms: 7 })
  })

  it('is left at once when it is given up', async () => {
    const controller = new AbortController()
    const reason = new PluginError('CANCELLED', 'Given up')
    const connect: typeof connectServer = (_, __, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const walking = rig({ connect }).walk(serverAt('http://x', SSH), controller.signal)
    controller.abort(reason)
    await expect(walking).rejects.toBe(reason)
  })
})
