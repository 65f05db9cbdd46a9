// The tunnel by the system's ssh against a real sshd: logins, questions, streams, and what is left behind.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { PROJECT_ROOT } from '../../../../scripts/project-root.ts'
import { run } from '../../../../scripts/provision/command.ts'
import { isAtLeast } from '../../../../scripts/provision/openssh.ts'
import { descendants, isAlive } from '../../../support/process-tree.ts'
import { describeWithSshd } from '../../../support/real-parts.ts'
import { endWatched, startWatched } from '../../../support/watched-process.ts'
import { setStage } from '../stage.ts'
import { failureOf, get, person, type RigOptions, text } from '../tunnel-rig.ts'
import { isSsh, setRuntimeFolder, sshProcesses, traces } from './traces.ts'

describeWithSshd('the tunnel by the ssh program', (openssh) => {
  const runtime = setRuntimeFolder()
  const stage = setStage({ openssh, methods: ['publickey', 'password'], config: ['MaxStartups 100'] })

  const rig = (options: Partial<RigOptions> = {}) =>
    stage.rig({ ...options, target: { transport: 'openssh', ...options.target } })

  const left = () => traces(runtime.path)

  it('logs in by key, with one 0600 socket in a 0700 folder and nothing else to connect to', async () => {
    const asker = person()
    const { server } = await rig({ person: asker })
    expect(JSON.parse(await get(server))).toEqual({ path: '/echo', body: '' })
    expect(asker.asked).toEqual([])
    const [name = ''] = readdirSync(runtime.path)
    expect(statSync(join(runtime.path, name)).mode & 0o777).toBe(0o700)
    expect(statSync(join(runtime.path, name, 's0')).mode & 0o777).toBe(0o600)
    expect(server.status().facts).toMatchObject({
      transport: 'openssh',
      address: `${stage.sshd.user}@127.0.0.1:${stage.sshd.port}`,
      login: `key ${stage.sshd.clientKey.path}`,
      banner: expect.stringMatching(/^SSH-2\.0-OpenSSH_/),
    })
  })

  it('carries many requests over one login', async () => {
    const before = accepted()
    const { server } = await rig()
    await Promise.all(Array.from({ length: 20 }, () => get(server)))
    expect(accepted() - before).toBe(1)
  })

  it.each([true, false])('has an old sshd send each word at once when it may: %s', async (nudge) => {
    const isOld = !isAtLeast(openssh.version, 10, 1)
    const before = stage.sshd.log().length
    const { server } = await rig({ target: { nudge } })
    await get(server)
    if (isOld && nudge) await stage.sshd.waitForLog(/Starting session: command/, { after: before })
    else expect(stage.sshd.log().slice(before)).not.toContain('Starting session')
  })

  it('asks for the passphrase of an encrypted key, again when it was wrong, and never for the same twice', async () => {
    const { path, passphrase } = stage.sshd.clientKeyEncrypted
    const asker = person('wrong', passphrase)
    const { server } = await rig({ identityFile: path, person: asker })
    await get(server)
    const account = `${stage.sshd.user}@127.0.0.1:${stage.sshd.port}`
    expect(asker.asked).toEqual([
      { title: `Passphrase of ${path}`, detail: `To log in as ${account}` },
      { title: `Passphrase of ${path}`, detail: 'Wrong passphrase; 2 tries left' },
    ])
    await stage.sshd.killSessions()
    await get(server)
    expect(asker.asked).toHaveLength(2)
  })

  it('asks for a password, and keeps the one that was taken', async () => {
    if (stage.sshd.password === undefined) return
    const secrets = new Map<string, string>()
    const asker = person('wrong', stage.sshd.password)
    const { server } = await rig({ identityFile: undefined, person: asker, more: { secrets } })
    await get(server)
    const account = `${stage.sshd.user}@127.0.0.1:${stage.sshd.port}`
    expect(asker.asked.map(({ title }) => title)).toEqual([`Password of ${account}`, `Password of ${account}`])
    expect([...secrets]).toEqual([[`password of ${account}`, stage.sshd.password]])
  })

  it('ends when a question is cancelled', async () => {
    const { server, log } = await rig({ identityFile: stage.sshd.clientKeyEncrypted.path, person: person(undefined) })
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_AUTH_CANCELLED' })
    expect(log()).not.toContain('kind="secret" answer')
  })

  it('says that a key stayed locked', async () => {
    const asker = person('wrong', 'wrong', 'wrong')
    const target = { auth: ['key'] } as const
    const { server } = await rig({ identityFile: stage.sshd.clientKeyEncrypted.path, person: asker, target })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_PASSPHRASE_WRONG',
      message: `The passphrase of ${stage.sshd.clientKeyEncrypted.path} was wrong every time`,
    })
    expect(asker.asked).toHaveLength(3)
  })

  it('says that nothing led in', async () => {
    const { server } = await rig({ identityFile: undefined, target: { auth: ['key'] } })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_AUTH_FAILED',
      message: expect.stringContaining('Permission denied (publickey,password)'),
    })
  })

  describe('a host key', () => {
    it('that is unknown is asked about and remembered', async () => {
      const asker = person('Yes, trust it and remember it')
      const { server, knownHostsFile } = await rig({ knownHosts: '', person: asker })
      await get(server)
      expect(asker.asked).toHaveLength(1)
      expect(asker.asked[0]?.title).toContain(`The authenticity of host '[127.0.0.1]:${stage.sshd.port}`)
      expect(asker.asked[0]?.detail).toContain(stage.sshd.hostKey.fingerprint)
      expect(readFileSync(knownHostsFile, 'utf8')).toContain(stage.sshd.hostKey.publicLine)
    })

    it.each(['No, refuse it', undefined])('that is unknown and answered by %s is not trusted', async (answer) => {
      const { server, knownHostsFile } = await rig({ knownHosts: '', person: person(answer) })
      expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_HOST_KEY_UNKNOWN' })
      expect(readFileSync(knownHostsFile, 'utf8').trim()).toBe('')
    })

    it('is asked about although the configuration would trust any', async () => {
      const asker = person('No, refuse it')
      const { server } = await rig({ knownHosts: '', person: asker, config: ['StrictHostKeyChecking no'] })
      expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_HOST_KEY_UNKNOWN' })
      expect(asker.asked).toHaveLength(1)
    })

    it('that has changed is refused with both fingerprints and the place', async () => {
      const line = stage.sshd.knownHostsLine()
      const known = stage.sshd.hostKey.fingerprint
      await stage.sshd.restart({ newHostKey: true })
      const { server, knownHostsFile } = await rig({ knownHosts: `# one\n${line}` })
      const failure = await failureOf(get(server))
      expect(failure.code).toBe('SSH_HOST_KEY_CHANGED')
      expect(failure.message).toContain(`${known} (${knownHostsFile}:2)`)
      expect(failure.message).toContain(stage.sshd.hostKey.fingerprint)
    })

    it('that is revoked is refused', async () => {
      const { server } = await rig({
        knownHosts: `${stage.sshd.knownHostsLine()}\n@revoked * ${stage.sshd.hostKey.publicLine}`,
      })
      expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_HOST_KEY_REVOKED' })
    })
  })

  describe('streams', () => {
    it('end at the server when they are aborted', async () => {
      const { server } = await rig()
      const controller = new AbortController()
      const { signal } = controller
      const { body } = await server.http.request({ method: 'POST', path: '/stream', body: {}, signal })
      const gone = stage.backend.nextHangUp()
      const reading = text(body)
      const reason = new Error('enough')
      controller.abort(reason)
      expect(await failureOf(reading)).toBe(reason)
      await gone
    })

    it('are lost when the session is killed, and the next request connects anew', async () => {
      const { server } = await rig()
      const { body } = await server.http.request({ method: 'POST', path: '/stream' })
      const reading = failureOf(text(body))
      await stage.sshd.killSessions()
      expect(await reading).toMatchObject({ code: 'SSH_DISCONNECTED' })
      expect(JSON.parse(await get(server)).path).toBe('/echo')
    })

    it('are lost when the ssh program is killed', async () => {
      const { server } = await rig()
      const { body } = await server.http.request({ method: 'POST', path: '/stream' })
      const reading = failureOf(text(body))
      for (const pid of sshProcesses()) process.kill(pid, 'SIGKILL')
      expect(await reading).toMatchObject({ code: 'SSH_DISCONNECTED' })
      await get(server)
    })

    it('that are cut by the server are incomplete', async () => {
      const { server } = await rig()
      const { body } = await server.http.request({ method: 'GET', path: '/cut' })
      expect(await failureOf(text(body))).toMatchObject({ code: 'API_INCOMPLETE' })
      await get(server)
    })
  })

  it('says so when nothing listens at the far end', async () => {
    const { server } = await rig({ url: new URL('http://127.0.0.1:9') })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'API_UNAVAILABLE',
      message: 'Nothing listens on 127.0.0.1:9 at 127.0.0.1',
    })
  })

  it('says so when forwarding is forbidden', async () => {
    await stage.sshd.restart({ config: ['AllowTcpForwarding no'] })
    const { server } = await rig()
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_FORWARDING_DENIED' })
    await stage.sshd.restart({ config: [] })
  })

  it('says so when nobody listens for ssh, or no name is known', async () => {
    expect(await failureOf(get((await rig({ port: 1 })).server))).toMatchObject({ code: 'SSH_UNREACHABLE' })
    const { server } = await rig({ host: 'no-such-host.invalid' })
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_HOST_NOT_FOUND' })
  })

  it('gives up on a server that says nothing', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const { server } = await rig({ port, target: { connectTimeoutMs: 1_000 } })
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_CONNECTION_TIMEOUT' })
    await expect.poll(left).toEqual([])
    silent.close()
  })

  it('leaves nothing when an attempt is given up', async () => {
    const { server } = await rig({ knownHosts: '', person: person() })
    const controller = new AbortController()
    const connecting = failureOf(server.connect(controller.signal))
    await expect.poll(() => sshProcesses()).not.toEqual([])
    controller.abort(new Error('enough'))
    await connecting
    await expect.poll(left).toEqual([])
  })

  it('leaves nothing when the host is killed', async () => {
    const { server, knownHostsFile } = await rig()
    server.close()
    const config = knownHostsFile.replace(/known_hosts$/, 'config')
    const script = fileURLToPath(new URL('host-process.ts', import.meta.url))
    const runner = join(PROJECT_ROOT, 'scripts/run.mjs')
    const options = [config, `${stage.sshd.port}`, stage.sshd.user, stage.sshd.clientKey.path]
    const host = startWatched(process.execPath, [runner, script, ...options], { XDG_RUNTIME_DIR: runtime.path })
    await host.waitFor(/ready/, { signal: AbortSignal.timeout(20_000) })
    const pids = descendants(host.child.pid ?? -1).filter(isSsh)
    expect(pids.length).toBeGreaterThanOrEqual(2)
    host.child.kill('SIGKILL')
    await expect.poll(() => pids.filter(isAlive)).toEqual([])
    await expect.poll(left).toEqual([])
  })

  it('reuses the connection of a living ControlMaster, and leaves it alive', async () => {
    const { controlPath, master } = await startMaster()
    const asker = person()
    const before = accepted()
    const { server } = await rig({ identityFile: undefined, person: asker, config: [`ControlPath ${controlPath}`] })
    await Promise.all([get(server), get(server)])
    expect(accepted()).toBe(before)
    expect(asker.asked).toEqual([])
    expect(server.status().facts).toMatchObject({ login: 'your ControlMaster' })
    server.close()
    await expect.poll(left).toEqual([String(master.child.pid)])
    const check = await run(openssh.ssh, ['-F', 'none', '-S', controlPath, '-O', 'check', 'x'])
    expect(check).toMatchObject({ code: 0 })
    await endWatched(master, 'SIGTERM')
  })

  it('loses its streams with a ControlMaster, and then connects by itself', async () => {
    const { controlPath, master } = await startMaster()
    const { server } = await rig({ config: [`ControlPath ${controlPath}`] })
    const { body } = await server.http.request({ method: 'POST', path: '/stream' })
    const reading = failureOf(text(body))
    await endWatched(master, 'SIGKILL')
    expect(await reading).toMatchObject({ code: 'SSH_DISCONNECTED' })
    await get(server)
    expect(server.status().facts?.login).toBe(`key ${stage.sshd.clientKey.path}`)
  })

  it.each(['/echo', '/cut'])('says through a ControlMaster what became of %s', async (path) => {
    const { controlPath, master } = await startMaster()
    const { server } = await rig({ config: [`ControlPath ${controlPath}`] })
    if (path === '/echo') await get(server, path)
    else expect(await failureOf(get(server, path))).toMatchObject({ code: 'API_INCOMPLETE' })
    server.close()
    await endWatched(master, 'SIGTERM')
  })

  function accepted(): number {
    return stage.sshd.log().split('Accepted publickey').length
  }

  async function startMaster() {
    const controlPath = join(stage.folder, 'master')
    const knownHosts = join(stage.folder, 'master-known_hosts')
    writeFileSync(knownHosts, `${stage.sshd.knownHostsLine()}\n`)
    const login = ['-p', `${stage.sshd.port}`, '-l', stage.sshd.user, '-i', stage.sshd.clientKey.path]
    const switches = ['-F', 'none', '-v', '-M', '-S', controlPath, '-N', '-o', `UserKnownHostsFile=${knownHosts}`]
    const master = startWatched(openssh.ssh, [...switches, ...login, stage.sshd.host], {})
    await master.waitFor(/Entering interactive session/)
    return { controlPath, master }
  }
})
