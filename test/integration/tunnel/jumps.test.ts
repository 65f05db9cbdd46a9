// Servers behind servers: real sshd's as hops, each with its own keys, and what happens when one of them fails or dies.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Server } from '../../../src/tunnel/server.ts'
import { startFaultProxy } from '../../support/fault-proxy.ts'
import { descendants } from '../../support/process-tree.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import {
  type Backend,
  failureOf,
  get,
  openRig,
  person,
  type Rig,
  type RigOptions,
  startBackend,
  text,
} from './tunnel-rig.ts'

describeWithSshd('a way over other servers', (openssh) => {
  let gate: Sshd
  let inner: Sshd
  let target: Sshd
  let backend: Backend
  let folder: string
  let processes: number
  const open: Server[] = []

  beforeAll(async () => {
    const config = ['MaxStartups 100']
    const start = () => startSshd({ openssh, config, methods: ['publickey', 'password'] })
    ;[gate, inner, target] = await Promise.all([start(), start(), start()])
    backend = await startBackend()
    folder = mkdtempSync(join(tmpdir(), 'jumps-'))
  })
  beforeEach(() => {
    processes = descendants(process.pid).length
  })
  afterEach(async () => {
    for (const server of open.splice(0)) server.close()
    await expect.poll(() => descendants(process.pid).length).toBe(processes)
  })
  afterAll(async () => {
    await backend.stop()
    await Promise.all([gate.stop(), inner.stop(), target.stop()])
    rmSync(folder, { recursive: true })
  })

  const host = (name: string, { host, port, user, clientKey }: Sshd, more: readonly string[] = []) => [
    ...[`Host ${name}`, `HostName ${host}`, `Port ${port}`, `User ${user}`],
    ...[`IdentityFile ${clientKey.path}`, ...more],
  ]

  async function rig(
    options: Partial<RigOptions> = {},
    more: Partial<Record<'gate' | 'inner' | 'gpu', string[]>> = {},
  ) {
    const hosts = [
      ...host('gate', gate, more.gate),
      ...host('inner', inner, more.inner ?? ['ProxyJump gate']),
      ...host('gpu', target, more.gpu),
      ...host('loop', target, ['ProxyJump loop']),
    ]
    const usual = { folder, host: 'gpu', port: target.port, user: target.user, backend, hosts }
    const knownHosts = [gate, inner, target].map((sshd) => sshd.knownHostsLine()).join('\n')
    const made: Rig = await openRig({ ...usual, knownHosts, ...options })
    open.push(made.server)
    return made
  }
  const at = ({ user, host, port }: Sshd) => `${user}@${host}:${port}`

  it('of one hop, each logged in to with its own key, which sees the target at its own address only', async () => {
    const before = [gate.log().length, target.log().length]
    const { server } = await rig({ target: { jump: 'gate' } })
    expect(JSON.parse(await get(server)).path).toBe('/echo')
    expect(server.status().facts?.address).toBe(`${at(target)} via ${at(gate)}`)
    expect(gate.log().slice(before[0])).toContain('Accepted publickey')
    expect(target.log().slice(before[1])).toContain('Accepted publickey')
  })

  it('of two hops, as ssh_config chains them, with phases told once', async () => {
    const { server } = await rig({}, { gpu: ['ProxyJump inner'] })
    const phases: string[] = []
    const { body } = await server.http.request({ method: 'GET', path: '/echo', onPhase: (phase) => phases.push(phase) })
    await text(body)
    expect(server.status().facts?.address).toBe(`${at(target)} via ${at(gate)}, ${at(inner)}`)
    expect(phases).toEqual(['connecting', 'authenticating'])
  })

  it('as the target lists it, which goes before what ssh_config says of the target and of the hop', async () => {
    const own = { gpu: ['ProxyJump nowhere.invalid'], inner: ['ProxyJump nowhere.invalid'] }
    const { server } = await rig({ target: { jump: `gate,${inner.user}@inner:${inner.port}` } }, own)
    await get(server)
    expect(server.status().facts?.address).toBe(`${at(target)} via ${at(gate)}, ${at(inner)}`)
    const direct = await rig({ target: { jump: 'none' } }, own)
    await get(direct.server)
    expect(direct.server.status().facts?.address).toBe(at(target))
  })

  it('that leads in a circle is refused', async () => {
    const { server } = await rig({ host: 'loop' })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_CONFIG_INVALID',
      message: expect.stringContaining('circle'),
    })
  })

  it("asks about a hop's unknown key under the hop's own name", async () => {
    const asker = person('Yes, trust it and remember it')
    const knownHosts = [inner, target].map((sshd) => sshd.knownHostsLine()).join('\n')
    const { server, knownHostsFile } = await rig({ target: { jump: 'gate' }, knownHosts, person: asker })
    await get(server)
    expect(asker.asked).toEqual([
      {
        title: `The authenticity of host '[127.0.0.1]:${gate.port}' can't be established`,
        detail: expect.stringContaining(gate.hostKey.fingerprint),
      },
    ])
    expect(readFileSync(knownHostsFile, 'utf8')).toContain(`[127.0.0.1]:${gate.port} ${gate.hostKey.publicLine}`)
  })

  it("refuses a hop's changed key, and says whose it is", async () => {
    const wrong = gate.knownHostsLine().replace(/ssh-ed25519 .*/, inner.hostKey.publicLine)
    const before = target.log().length
    const { server } = await rig({ target: { jump: 'gate' }, knownHosts: `${wrong}\n${target.knownHostsLine()}` })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_HOST_KEY_CHANGED',
      message: expect.stringMatching(new RegExp(`^On the way to gpu: .*127.0.0.1 port ${gate.port}`)),
    })
    expect(target.log().slice(before)).not.toContain('Connection from')
  })

  it("asks for a hop's password in the hop's name", async () => {
    if (gate.password === undefined) return
    const asker = person(gate.password)
    const { server } = await rig(
      { target: { jump: 'gate' }, person: asker },
      { gate: ['PubkeyAuthentication no', 'KbdInteractiveAuthentication no'] },
    )
    await get(server)
    expect(asker.asked.map(({ title }) => title)).toEqual([`Password of ${gate.user}@gate:${gate.port}`])
  })

  it('says which server cannot be reached from which, and which refuses to forward', async () => {
    const { server } = await rig({ port: 9, target: { jump: 'gate' } })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_UNREACHABLE',
      message: `${at(gate)} cannot reach 127.0.0.1:9`,
    })
    await gate.restart({ config: ['AllowTcpForwarding no'] })
    const denied = await rig({}, { gpu: ['ProxyJump inner'] })
    expect(await failureOf(get(denied.server))).toMatchObject({
      code: 'SSH_FORWARDING_DENIED',
      message: expect.stringContaining(`gate does not forward to 127.0.0.1:${inner.port}`),
    })
    await gate.restart({ config: ['MaxStartups 100'] })
    processes = descendants(process.pid).length
  })

  it.each(['gate', 'inner'] as const)(
    'is lost at once when the hop %s dies in mid-stream, and says so',
    async (name) => {
      const { server } = await rig({}, { gpu: ['ProxyJump inner'] })
      const { body } = await server.http.request({ method: 'POST', path: '/stream' })
      const reading = failureOf(text(body))
      await { gate, inner }[name].killSessions()
      expect(await reading).toMatchObject({
        code: 'SSH_DISCONNECTED',
        message: expect.stringMatching(new RegExp(`gpu was lost on the way: .*${name} was lost`)),
      })
      expect(JSON.parse(await get(server)).path).toBe('/echo')
    },
  )

  it('is lost when the link to the first hop goes dark, which is the one that is named', async () => {
    const proxy = await startFaultProxy({ target: gate.port })
    const known = [proxy.port, target.port].map((port) => `[127.0.0.1]:${port}`)
    const knownHosts = `${known[0]} ${gate.hostKey.publicLine}\n${known[1]} ${target.hostKey.publicLine}`
    const { server } = await rig({
      target: { jump: `gate:${proxy.port}` },
      knownHosts,
      more: { timeouts: { keepaliveInterval: 100 } },
    })
    const { body } = await server.http.request({ method: 'POST', path: '/stream' })
    const reading = failureOf(text(body))
    proxy.set({ dark: 'both' })
    expect(await reading).toMatchObject({
      code: 'SSH_DISCONNECTED',
      message: expect.stringMatching(/gpu was lost on the way: .*gate was lost: nothing came back/),
    })
    server.close()
    await proxy.stop()
  })

  it('is given up as a whole while a hop asks', async () => {
    const { prompts } = person()
    let ask = () => {}
    const asked = new Promise<void>((resolve) => {
      ask = resolve
    })
    const choose: typeof prompts.choose = (_, signal) => {
      ask()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const { server } = await rig({
      target: { jump: 'gate' },
      knownHosts: gate.knownHostsLine(),
      person: { asked: [], prompts: { ...prompts, choose } },
    })
    const controller = new AbortController()
    const failing = failureOf(server.http.request({ method: 'GET', path: '/echo', signal: controller.signal }))
    await asked
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await failing).toBe(reason)
  })
})
