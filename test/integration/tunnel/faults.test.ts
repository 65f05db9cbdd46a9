// Servers that no real sshd plays: silent, talking nonsense, hanging up, or letting channels wait for ever.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2, { type ServerChannel, type Connection as ServerConnection } from 'ssh2'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import type { Server } from '../../../src/tunnel/server.ts'
import { type Backend, failureOf, get, openRig, person, type RigOptions, startBackend, text } from './tunnel-rig.ts'

const TRUST = 'Yes, trust it and remember it'

describe('the tunnel with faulty servers', () => {
  let backend: Backend
  let folder: string
  const ends: (() => unknown)[] = []

  beforeAll(async () => {
    backend = await startBackend()
    folder = mkdtempSync(join(tmpdir(), 'tunnel-'))
  })
  afterEach(() => {
    for (const end of ends.splice(0)) end()
  })
  afterAll(async () => {
    await backend.stop()
    rmSync(folder, { recursive: true })
  })

  async function open(port: number, options: Partial<RigOptions> = {}): Promise<Server> {
    const { server } = await openRig({ folder, host: '127.0.0.1', port, user: 'demo', backend, ...options })
    ends.push(() => server.close())
    return server
  }

  async function tcp(answer: (socket: Socket) => void): Promise<number> {
    const server: NetServer = createServer((socket) => {
      socket.on('error', () => {})
      ends.push(() => socket.destroy())
      answer(socket)
    })
    ends.push(() => server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as { port: number }).port
  }

  /** A server that lets everybody in by `none`. */
  async function ssh(serve: (connection: ServerConnection) => void): Promise<number> {
    const hostKey = ssh2.utils.generateKeyPairSync('ed25519')
    const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
      connection.on('error', () => {})
      ends.push(() => connection.end())
      serve(connection)
    })
    ends.push(() => server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as { port: number }).port
  }

  it('gives up one that says nothing', async () => {
    const server = await open(await tcp(() => {}), { config: ['ConnectTimeout 1'] })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_CONNECTION_TIMEOUT',
      message: expect.stringContaining('1 s while dialling'),
    })
  })

  it('gives up one that greets and falls silent', async () => {
    const port = await tcp((socket) => socket.write('SSH-2.0-Silent\r\n'))
    const server = await open(port, { more: { timeouts: { keyExchange: 50 } } })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_CONNECTION_TIMEOUT',
      message: expect.stringContaining('agreeing on keys'),
      hint: expect.stringContaining('connect_timeout'),
    })
  })

  it('gives up one that never answers the login', async () => {
    const port = await ssh((connection) => connection.on('authentication', () => {}))
    const server = await open(port, { person: person(TRUST), more: { timeouts: { login: 50 } } })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_CONNECTION_TIMEOUT',
      message: expect.stringContaining('logging in'),
      hint: expect.stringContaining('login_timeout'),
    })
  })

  it('knows one that is no SSH server', async () => {
    const server = await open(await tcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_DROPPED_EARLY' })
  })

  it('knows one that speaks SSH 1', async () => {
    const server = await open(await tcp((socket) => socket.write('SSH-1.5-old\r\n')))
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_DROPPED_EARLY',
      message: expect.stringContaining('SSH 2'),
    })
  })

  it('knows one that hangs up', async () => {
    const server = await open(await tcp((socket) => socket.destroy()))
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_DROPPED_EARLY' })
  })

  it('knows one that hangs up in the login', async () => {
    const port = await ssh((connection) => connection.on('authentication', () => connection.end()))
    const server = await open(port, { person: person(TRUST) })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_DROPPED_EARLY',
      message: expect.stringContaining('login'),
    })
  })

  it('knows a port that is closed', async () => {
    const server = await open(9)
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_UNREACHABLE',
      message: expect.stringContaining('refuses'),
    })
  })

  it('knows a host that is not known', async () => {
    const server = await open(22, { host: 'no-such-host.invalid' })
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_HOST_NOT_FOUND' })
  })

  it.each([
    ['BindInterface lo', 'BindInterface'],
    ['ProxyCommand nc %h %p\nProxyUseFdpass yes', 'ProxyUseFdpass'],
  ])('refuses to dial past %s', async (line, option) => {
    let dialled = 0
    const port = await tcp(() => dialled++)
    const server = await open(port, { config: [line], target: { transport: 'ssh2' } })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_UNSUPPORTED',
      message: expect.stringContaining(option),
    })
    expect(dialled).toBe(0)
  })

  it('tells what ssh says of a bad configuration', async () => {
    const server = await open(22, { config: ['Bogus yes'] })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_CONFIG_INVALID',
      message: expect.stringContaining('bogus'),
    })
  })

  it('gives up a channel that never comes, and closes it when it does', async () => {
    let late: (() => ServerChannel) | undefined
    const port = await ssh((connection) => {
      connection.on('authentication', (context) => context.accept())
      connection.on('tcpip', (accept) => {
        late = accept
      })
    })
    const server = await open(port, { person: person(TRUST), more: { timeouts: { channel: 50 } } })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_CHANNEL_ERROR',
      hint: expect.stringContaining('channel_timeout'),
    })
    const channel = late?.()
    await new Promise<void>((resolve) => channel?.on('close', () => resolve()).resume())
  })

  it('rejects an aborted request at once though its channel never comes', async () => {
    const asked = deferred()
    const port = await ssh((connection) => {
      connection.on('authentication', (context) => context.accept())
      connection.on('tcpip', () => asked.resolve(undefined))
    })
    const server = await open(port, { person: person(TRUST) })
    const controller = new AbortController()
    const reason = new Error('enough')
    const failing = failureOf(server.http.request({ method: 'GET', path: '/', signal: controller.signal }))
    await asked.promise
    controller.abort(reason)
    expect(await failing).toBe(reason)
  })

  it('takes the prompt away when the server hangs up meanwhile', async () => {
    const signals: AbortSignal[] = []
    const port = await ssh((connection) => {
      connection.on('authentication', (context) => {
        if (context.method === 'none') context.reject(['password'])
      })
      setTimeout(() => connection.end(), 100)
    })
    const never = (_: unknown, signal: AbortSignal) =>
      new Promise<string>((_resolve, reject) => {
        signals.push(signal)
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    const prompts = { secret: never, choose: async () => TRUST }
    const server = await open(port, { person: { prompts, asked: [] } })
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_DROPPED_EARLY' })
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
  })

  it('answers the questions of keyboard-interactive one by one', async () => {
    const answers: string[] = []
    const port = await ssh((connection) => {
      connection.on('authentication', (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive'])
        context.prompt(
          [
            { prompt: 'Code:\u001b[2J ', echo: true },
            { prompt: 'PIN', echo: false },
          ],
          (given) => {
            answers.push(...given)
            context.accept()
          },
        )
      })
      connection.on('tcpip', (_accept, reject) => reject())
    })
    const asker = person(TRUST, '123', '456')
    const server = await open(port, { person: asker })
    await failureOf(get(server))
    expect(answers).toEqual(['123', '456'])
    expect(asker.asked.slice(1).map(({ title }) => title)).toEqual(['Code: [2J', 'PIN'])
  })

  it('is cancelled when a question of keyboard-interactive is', async () => {
    const port = await ssh((connection) => {
      connection.on('authentication', (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive', 'password'])
        context.prompt([{ prompt: 'Code: ', echo: true }], () => context.reject())
      })
    })
    const asker = person(TRUST, undefined, 'never asked')
    const server = await open(port, { person: asker })
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_AUTH_CANCELLED' })
    expect(asker.asked).toHaveLength(2)
  })

  it('is dialled directly without ssh', async () => {
    const server = await import('../../../src/tunnel/server.ts').then(({ openServer }) =>
      openServer(
        { name: 'local', ssh: undefined, url: backend.url, caFile: undefined },
        { prompts: person().prompts, clock: systemClock, log: silent },
      ),
    )
    ends.push(() => server.close())
    expect(JSON.parse(await get(server))).toEqual({ path: '/echo', body: '' })
    const { body } = await server.http.request({ method: 'GET', path: '/cut' })
    expect(await failureOf(text(body))).toMatchObject({ code: 'API_INCOMPLETE' })
  })
})

const silent = { debug() {}, info() {}, warn() {}, error() {} }

function deferred() {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
