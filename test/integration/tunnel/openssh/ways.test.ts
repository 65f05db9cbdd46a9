// The ways in which the ssh program carries streams: to unix sockets, over hops, without sockets of our own, by a master.
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server as NetServer } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SshTarget } from '../../../../src/config/schema.ts'
import { PluginError } from '../../../../src/core/errors.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { connectOpenssh } from '../../../../src/tunnel/openssh/openssh.ts'
import type { OpensshOptions } from '../../../../src/tunnel/openssh/options.ts'
import { resolveSsh } from '../../../../src/tunnel/ssh-config/ssh-config.ts'
import { systemSshFiles } from '../../../../src/tunnel/ssh-files.ts'
import type { Session } from '../../../../src/tunnel/transport.ts'
import { kill } from '../../../support/process-tree.ts'
import { describeWithSshd } from '../../../support/real-parts.ts'
import { sshTarget } from '../../../support/ssh-target.ts'
import { startSshd } from '../../../support/sshd.ts'
import { endWatched, startWatched } from '../../../support/watched-process.ts'
import { setStage } from '../stage.ts'
import { failureOf, get, person } from '../tunnel-rig.ts'
import { setRuntimeFolder, sshProcesses, traces } from './traces.ts'

describeWithSshd('the ways of the ssh program', (openssh) => {
  const runtime = setRuntimeFolder()
  const stage = setStage({ openssh, config: ['MaxStartups 100'] })
  let echo: NetServer
  let configFile: string
  let socketPath: string
  const open: Session[] = []

  beforeAll(async () => {
    socketPath = join(stage.folder, 'far end.sock')
    echo = createServer((socket) => socket.pipe(socket))
    await new Promise<void>((resolve) => echo.listen(socketPath, resolve))
    const knownHosts = join(stage.folder, 'known_hosts')
    writeFileSync(knownHosts, `${stage.sshd.knownHostsLine()}\n`)
    configFile = join(stage.folder, 'config')
    const lines = [`UserKnownHostsFile ${knownHosts}`, 'GlobalKnownHostsFile none', 'IdentityAgent none']
    writeFileSync(configFile, `Host *\n${lines.join('\n')}\nControlPath ${join(stage.folder, 'master')}\n`)
  })
  afterEach(() => {
    for (const session of open.splice(0)) session.end()
  })
  afterAll(() => void echo.close())

  async function connect(more: Partial<OpensshOptions> = {}, target: Partial<SshTarget> = {}): Promise<Session> {
    const { host, port, user } = stage.sshd
    const { signal } = new AbortController()
    const whole = sshTarget({ host, port, user, identityFile: stage.sshd.clientKey.path, ...target })
    const parameters = await resolveSsh(whole, { files: systemSshFiles, log: silentLog, signal, configFile })
    const session = await connectOpenssh(whole, parameters, {
      ...{ prompts: person().prompts, files: systemSshFiles, secrets: new Map(), log: silentLog, signal, configFile },
      onPhase: () => {},
      onNotice: () => {},
      ...more,
    })
    open.push(session)
    return session
  }

  async function startMaster() {
    const login = ['-p', `${stage.sshd.port}`, '-l', stage.sshd.user, '-i', stage.sshd.clientKey.path]
    const switches = ['-F', configFile, '-v', '-M', '-N', '-o', 'StreamLocalBindUnlink=yes']
    const master = startWatched(openssh.ssh, [...switches, ...login, stage.sshd.host], {})
    await master.waitFor(/Entering interactive session/)
    return master
  }

  const backendAt = () => ({ host: '127.0.0.1', port: Number(stage.backend.url.port) })

  it('lead to a unix socket, whatever its name', async () => {
    const session = await connect()
    expect(await echoed(await session.open(socketPath, 0))).toBe('hello')
  })

  it('lead to several targets at once', async () => {
    const session = await connect()
    const { host, port } = backendAt()
    const all = [session.open(socketPath, 0), session.open(host, port), session.open(socketPath, 0)]
    const [first, second, third] = await Promise.all(all)
    expect(await echoed(first)).toBe('hello')
    expect(await answerOf(second)).toMatch(/^HTTP\/1\.1 200/)
    expect(await echoed(third)).toBe('hello')
  })

  it('tell what is refused from what is open, also when they are opened at once', async () => {
    const session = await connect()
    const { host, port } = backendAt()
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        n % 3 === 0 ? failureOf(session.open('127.0.0.1', 9)) : session.open(host, port),
      ),
    )
    expect(outcomes.map((outcome) => outcome instanceof PluginError)).toEqual(
      Array.from({ length: 12 }, (_, n) => n % 3 === 0),
    )
    for (const outcome of outcomes) if (!(outcome instanceof Error)) outcome.destroy()
  })

  it('show a sign of life, and none when the far end is silent', async () => {
    const session = await connect()
    await session.probe(AbortSignal.timeout(5_000))
    const { host, port } = backendAt()
    const stream = await session.open(host, port)
    stream.destroy()
    await session.probe(AbortSignal.timeout(5_000))
    for (const pid of sshProcesses()) kill(pid, 'SIGSTOP')
    const reason = new Error('silent')
    const giveUp = new AbortController()
    const probing = failureOf(session.probe(giveUp.signal))
    giveUp.abort(reason)
    expect(await probing).toBe(reason)
    for (const pid of sshProcesses()) kill(pid, 'SIGCONT')
  })

  it('end their streams with the reason when they are taken for dead', async () => {
    const session = await connect()
    const { host, port } = backendAt()
    const stream = await session.open(host, port)
    const reason = new PluginError('SSH_DISCONNECTED', 'nothing came back')
    const failing = new Promise((resolve) => stream.once('error', resolve))
    session.end(reason)
    expect(await failing).toBe(reason)
    expect(await session.closed).toBe(reason)
    expect(await failureOf(session.open(host, port))).toBe(reason)
  })

  it('go over a hop whose host key is asked about, although the configuration would trust any', async () => {
    const asker = person('Yes, trust it and remember it', 'Yes, trust it and remember it')
    const hop = await startSshd({ openssh })
    const made = await stage.rig({
      ...{ person: asker, knownHosts: '' },
      config: ['StrictHostKeyChecking no', `IdentityFile ${hop.clientKey.path}`],
      target: { transport: 'openssh', jump: `${hop.user}@127.0.0.1:${hop.port}` },
    })
    try {
      await get(made.server)
      expect(asker.asked.map(({ detail }) => /SHA256:\S+(?<!\.)/.exec(detail)?.[0])).toEqual([
        hop.hostKey.fingerprint,
        stage.sshd.hostKey.fingerprint,
      ])
      expect(readFileSync(made.knownHostsFile, 'utf8')).toContain(hop.hostKey.publicLine)
      expect(made.server.status().facts?.address).toBe(
        `${stage.sshd.user}@127.0.0.1:${stage.sshd.port} via ${hop.user}@127.0.0.1:${hop.port}`,
      )
    } finally {
      made.server.close()
      await hop.stop()
    }
  })

  describe('without sockets of our own', () => {
    it('are a process each, and ask and refuse as the others do', async () => {
      const session = await connect({ carriage: 'pipes' })
      const { host, port } = backendAt()
      expect(await answerOf(await session.open(host, port))).toMatch(/^HTTP\/1\.1 200/)
      expect(await failureOf(session.open('127.0.0.1', 9))).toMatchObject({ code: 'API_UNAVAILABLE' })
      expect(await failureOf(session.open(socketPath, 0))).toMatchObject({ code: 'SSH_UNSUPPORTED' })
    })

    it('are lost with their link', async () => {
      const session = await connect({ carriage: 'pipes' })
      const { host, port } = backendAt()
      const stream = await session.open(host, port)
      stream.write('POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
      await new Promise((resolve) => stream.once('data', resolve))
      const failing = new Promise((resolve) => stream.once('error', resolve))
      await stage.sshd.killSessions()
      expect(await failing).toMatchObject({ code: 'SSH_DISCONNECTED' })
      expect(await session.closed).toMatchObject({ code: 'SSH_DISCONNECTED' })
    })

    it('end with the session', async () => {
      const session = await connect({ carriage: 'pipes' })
      const { host, port } = backendAt()
      const stream = await session.open(host, port)
      stream.on('error', () => {})
      session.end()
      await expect.poll(() => traces(runtime.path)).toEqual([])
      expect(stream.destroyed).toBe(true)
    })
  })

  it('through a master of the user lead to a unix socket, and nothing of it is left there', async () => {
    const master = await startMaster()
    try {
      const session = await connect()
      expect(session.facts.login).toBe('your ControlMaster')
      expect(await echoed(await session.open(socketPath, 0))).toBe('hello')
      await session.probe(AbortSignal.timeout(5_000))
      session.end()
      await expect.poll(() => traces(runtime.path)).toEqual([String(master.child.pid)])
      expect(await failureOf(session.open(socketPath, 0))).toMatchObject({ code: 'SSH_DISCONNECTED' })
      await master.waitFor(/free: unix-listener|channel_cancel_lport_listener|free: unix listener/)
    } finally {
      await endWatched(master, 'SIGTERM')
    }
  })

  it.each(['sockets', 'pipes'] as const)('need the program, for %s', async (carriage) => {
    expect(await failureOf(connect({ program: '/no/such/ssh', carriage }))).toMatchObject({
      code: 'SSH_UNSUPPORTED',
      message: expect.stringContaining('No ssh program was found'),
    })
  })

  it('pass over a master that does not answer', async () => {
    const master = await startMaster()
    kill(master.child.pid ?? -1, 'SIGSTOP')
    try {
      const session = await connect()
      expect(session.facts.login).toBe(`key ${stage.sshd.clientKey.path}`)
      session.end()
    } finally {
      kill(master.child.pid ?? -1, 'SIGCONT')
      await endWatched(master, 'SIGTERM')
    }
  })
})

/** What comes back from an echo. */
async function echoed(stream: Duplex | undefined): Promise<string> {
  if (!stream) throw new Error('There is no stream')
  stream.end('hello')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** What an HTTP server answers to a request after which it hangs up. */
async function answerOf(stream: Duplex | undefined): Promise<string> {
  if (!stream) throw new Error('There is no stream')
  stream.write('GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
