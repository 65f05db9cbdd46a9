// The tunnel against a real sshd: logins, host keys, streams, and what happens when something dies.
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { Server as NetServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithSshd } from '../../support/real-parts.ts'
import { type Agent, startAgent } from '../../support/ssh-agent.ts'
import { setStage } from './stage.ts'
import { failureOf, get, person, text } from './tunnel-rig.ts'

describeWithSshd('the tunnel through a real sshd', (openssh) => {
  const stage = setStage({ openssh, methods: ['publickey', 'password'], config: ['MaxStartups 100'] })
  const { rig } = stage

  const accepted = () => [...stage.sshd.log().matchAll(/Accepted (publickey|password)/g)].length

  describe('login', () => {
    it('by key, with the host known by a hashed line', async () => {
      const asker = person()
      const { server } = await rig({ knownHosts: stage.sshd.knownHostsLine(true), person: asker })
      expect(JSON.parse(await get(server))).toEqual({ path: '/echo', body: '' })
      expect(asker.asked).toEqual([])
      expect(stage.backend.requests.at(-1)?.host).toBe(stage.backend.url.host)
    })

    it('by an encrypted key, after a wrong passphrase, and asks no more when it reconnects', async () => {
      const { path, passphrase } = stage.sshd.clientKeyEncrypted
      const asker = person('wrong', passphrase)
      const { server } = await rig({ identityFile: path, person: asker })
      await get(server)
      expect(asker.asked).toEqual([
        { title: `Passphrase of ${path}`, detail: `To log in as ${stage.sshd.user}@127.0.0.1:${stage.sshd.port}` },
        { title: `Passphrase of ${path}`, detail: 'Wrong passphrase; 2 tries left' },
      ])
      await stage.sshd.killSessions()
      await get(server)
      expect(asker.asked).toHaveLength(2)
    })

    it('goes on to the password when the passphrase is cancelled', async () => {
      if (stage.sshd.password === undefined) return
      const asker = person(undefined, stage.sshd.password)
      const { server } = await rig({ identityFile: stage.sshd.clientKeyEncrypted.path, person: asker })
      await get(server)
      expect(asker.asked.map(({ title }) => title.split(' ')[0])).toEqual(['Passphrase', 'Password'])
    })

    it('is cancelled when every prompt is', async () => {
      const { server } = await rig({
        identityFile: stage.sshd.clientKeyEncrypted.path,
        person: person(undefined, undefined),
      })
      expect(await failureOf(get(server))).toMatchObject({
        code: 'SSH_AUTH_CANCELLED',
        message: expect.stringContaining('passphrase cancelled; password: cancelled'),
      })
    })

    it('by password, right after a wrong one, which is then remembered', async () => {
      if (stage.sshd.password === undefined) return
      const asker = person('wrong', stage.sshd.password)
      const { server } = await rig({ identityFile: undefined, person: asker })
      await get(server)
      expect(asker.asked.map(({ detail }) => detail)).toEqual([
        expect.stringContaining('To log in as'),
        'That was refused; try again',
      ])
      await stage.sshd.killSessions()
      await get(server)
      expect(asker.asked).toHaveLength(2)
    })

    it('says what was tried when all was refused', async () => {
      const stranger = join(stage.folder, 'stranger')
      execFileSync(openssh.keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', stranger])
      const keysOnly = ['PasswordAuthentication no']
      const { server } = await rig({ identityFile: stranger, config: [...keysOnly, 'KbdInteractiveAuthentication no'] })
      const failure = await failureOf(get(server))
      expect(failure).toMatchObject({
        code: 'SSH_AUTH_FAILED',
        message: expect.stringContaining(`${stranger}: refused`),
      })
      expect(failure.hint).toContain('authorized_keys')
    })

    it('tells of a key file that is none', async () => {
      const { server } = await rig({
        identityFile: stage.sshd.clientKey.path.replace(/client$/, 'sshd_config'),
        config: ['PasswordAuthentication no', 'KbdInteractiveAuthentication no'],
        target: { transport: 'ssh2' },
      })
      expect(await failureOf(get(server))).toMatchObject({
        code: 'SSH_KEY_UNSUPPORTED',
        message: expect.stringContaining('not a private key'),
      })
    })

    describe('with an agent', () => {
      let agent: Agent
      beforeAll(async () => {
        const others = Array.from({ length: 8 }, (_, index) => {
          const path = join(stage.folder, `other-${index}`)
          execFileSync(openssh.keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', path])
          return { path }
        })
        agent = await startAgent([...others, stage.sshd.clientKeyEncrypted], openssh)
      })
      afterAll(() => agent.stop())

      it('uses the key that IdentityFile names before all others, and asks nothing', async () => {
        const asker = person()
        const { server } = await rig({
          identityFile: stage.sshd.clientKeyEncrypted.path,
          config: [`IdentityAgent ${agent.socket}`],
          person: asker,
        })
        await get(server)
        expect(asker.asked).toEqual([])
      })

      it('knows the key by its .pub file alone', async () => {
        const { server } = await rig({
          identityFile: stage.sshd.clientKeyEncrypted.publicPath,
          config: [`IdentityAgent ${agent.socket}`, 'IdentitiesOnly yes'],
        })
        await get(server)
      })

      it('says why when the server ends a login after too many keys', async () => {
        const { server } = await rig({ identityFile: undefined, config: [`IdentityAgent ${agent.socket}`] })
        const failure = await failureOf(get(server))
        expect(failure).toMatchObject({ code: 'SSH_AUTH_FAILED', hint: expect.stringContaining('IdentitiesOnly') })
      })

      it('goes on without an agent that is not there', async () => {
        const { server } = await rig({ config: ['IdentityAgent /nonexistent/agent'] })
        await get(server)
      })
    })
  })

  describe('host key', () => {
    it('that is unknown is shown as ssh shows it, and remembered so that ssh-keygen finds it', async () => {
      const asker = person('Yes, trust it and remember it')
      const { server, knownHostsFile } = await rig({
        knownHosts: '# nothing',
        config: ['HashKnownHosts yes'],
        person: asker,
      })
      await get(server)
      expect(asker.asked).toEqual([
        {
          title: `The authenticity of host '[127.0.0.1]:${stage.sshd.port}' can't be established`,
          detail: `ED25519 key fingerprint is ${stage.sshd.hostKey.fingerprint}.`,
        },
      ])
      const found = execFileSync(openssh.keygen, [
        '-F',
        `[127.0.0.1]:${stage.sshd.port}`,
        '-f',
        knownHostsFile,
      ]).toString()
      expect(found).toContain('found: line 2')
      expect(readFileSync(knownHostsFile, 'utf8')).toMatch(/^# nothing\n\|1\|/)
      await stage.sshd.killSessions()
      await get(server)
      expect(asker.asked).toHaveLength(1)
    })

    it('is written to a file with mode 0600 that was not there', async () => {
      const { server, knownHostsFile } = await rig({
        knownHosts: undefined,
        person: person('Yes, trust it and remember it'),
      })
      await get(server)
      expect(statSync(knownHostsFile).mode & 0o777).toBe(0o600)
    })

    it.each(['No, refuse it', undefined])(
      'that is not trusted (%s) ends the attempt before any login',
      async (answer) => {
        const before = stage.sshd.log().length
        const { server, knownHostsFile } = await rig({ knownHosts: '', person: person(answer) })
        expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_HOST_KEY_UNKNOWN' })
        expect(readFileSync(knownHostsFile, 'utf8').trim()).toBe('')
        expect(stage.sshd.log().slice(before)).not.toMatch(/Accepted|Failed|userauth/)
      },
    )

    it('that is unknown is refused unasked with StrictHostKeyChecking yes', async () => {
      const asker = person()
      const { server } = await rig({ knownHosts: '', config: ['StrictHostKeyChecking yes'], person: asker })
      expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_HOST_KEY_UNKNOWN' })
      expect(asker.asked).toEqual([])
    })

    it('that is unknown is asked about with StrictHostKeyChecking no', async () => {
      const asker = person('No, refuse it')
      const { server } = await rig({ knownHosts: '', config: ['StrictHostKeyChecking no'], person: asker })
      await failureOf(get(server))
      expect(asker.asked).toHaveLength(1)
    })

    it('that is unknown is trusted with a notice by accept-new', async () => {
      const { server, notices, knownHostsFile } = await rig({
        knownHosts: '',
        config: ['StrictHostKeyChecking accept-new'],
      })
      await get(server)
      expect(notices).toEqual([expect.stringContaining(stage.sshd.hostKey.fingerprint)])
      expect(readFileSync(knownHostsFile, 'utf8')).toContain(stage.sshd.hostKey.publicLine)
    })

    it('that has changed is refused with both fingerprints, the place and the mend, and nothing is sent', async () => {
      const line = stage.sshd.knownHostsLine()
      const known = stage.sshd.hostKey.fingerprint
      await stage.sshd.restart({ newHostKey: true })
      const before = stage.sshd.log().length
      const asker = person('Yes, trust it and remember it')
      const { server, knownHostsFile } = await rig({ knownHosts: `# one\n${line}`, person: asker })
      const failure = await failureOf(get(server))
      expect(failure.code).toBe('SSH_HOST_KEY_CHANGED')
      expect(failure.message).toContain(`${known} (${knownHostsFile}:2)`)
      expect(failure.message).toContain(stage.sshd.hostKey.fingerprint)
      expect(failure.hint).toContain(`ssh-keygen -R '[127.0.0.1]:${stage.sshd.port}' -f '${knownHostsFile}'`)
      expect(asker.asked).toEqual([])
      expect(stage.sshd.log().slice(before)).not.toMatch(/Accepted|Failed|userauth/)
      execFileSync(openssh.keygen, ['-R', `[127.0.0.1]:${stage.sshd.port}`, '-f', knownHostsFile], { stdio: 'ignore' })
      await get((await rig({ knownHosts: stage.sshd.knownHostsLine() })).server)
    })

    it('that is revoked is refused', async () => {
      const { server } = await rig({
        knownHosts: `${stage.sshd.knownHostsLine()}\n@revoked * ${stage.sshd.hostKey.publicLine}`,
      })
      expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_HOST_KEY_REVOKED' })
    })
  })

  describe('streams', () => {
    it('share one connection, made once for all that wait', async () => {
      const before = accepted()
      const { server } = await rig()
      const listeners = listening()
      await Promise.all(Array.from({ length: 20 }, () => get(server)))
      expect(accepted() - before).toBe(1)
      expect(listening()).toEqual(listeners)
    })

    it('keep their channel for the next request', async () => {
      const { server } = await rig()
      await get(server)
      const before = stage.backend.connections
      for (let i = 0; i < 5; i++) {
        await text((await server.http.request({ method: 'POST', path: '/echo', body: { i } })).body)
      }
      expect(stage.backend.connections).toBe(before)
      expect(stage.backend.requests.at(-1)?.body).toBe('{"i":4}')
    })

    it('are not held up by Nagle: a small request on a kept channel takes far less than a delayed acknowledgement', async () => {
      const { server } = await rig()
      await get(server)
      const times: number[] = []
      for (let i = 0; i < 15; i++) {
        const start = performance.now()
        await text((await server.http.request({ method: 'POST', path: '/echo', body: { i } })).body)
        times.push(performance.now() - start)
      }
      // A delayed acknowledgement would hold up each of them for 40 ms; a busy machine holds up some.
      expect(times.toSorted((a, b) => a - b)[3]).toBeLessThan(30)
    })

    it('end at the server when they are aborted', async () => {
      const { server } = await rig()
      const controller = new AbortController()
      const { body } = await server.http.request({
        method: 'POST',
        path: '/stream',
        body: {},
        signal: controller.signal,
      })
      const gone = stage.backend.nextHangUp()
      const reason = new Error('enough')
      const reading = text(body)
      controller.abort(reason)
      expect(await failureOf(reading)).toBe(reason)
      await gone
    })

    it('end at the server when their reader leaves', async () => {
      const { server } = await rig()
      const { body } = await server.http.request({ method: 'POST', path: '/stream' })
      const gone = stage.backend.nextHangUp()
      for await (const _ of body) break
      await gone
      await get(server)
    })

    it('are lost when the session is killed, and the next request connects anew', async () => {
      const { server, log } = await rig()
      const { body } = await server.http.request({ method: 'POST', path: '/stream' })
      const reading = failureOf(text(body))
      await stage.sshd.killSessions()
      expect(await reading).toMatchObject({ code: 'SSH_DISCONNECTED' })
      expect(JSON.parse(await get(server)).path).toBe('/echo')
      expect(log()).toMatch(/from="ready" to="lost" code="SSH_DISCONNECTED"[\s\S]*from="lost" to="connecting"/)
    })

    it('that are cut by the server are incomplete', async () => {
      const { server } = await rig()
      const { body } = await server.http.request({ method: 'GET', path: '/cut' })
      expect(await failureOf(text(body))).toMatchObject({ code: 'API_INCOMPLETE' })
      await get(server)
    })

    it('tell their phases', async () => {
      const { server } = await rig()
      const phases: string[] = []
      const { body } = await server.http.request({
        method: 'GET',
        path: '/echo',
        onPhase: (phase) => phases.push(phase),
      })
      await text(body)
      expect(phases).toEqual(['connecting', 'authenticating'])
    })
  })

  it('says so when nothing listens at the far end', async () => {
    const { server } = await rig({ url: new URL('http://127.0.0.1:9') })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'API_UNAVAILABLE',
      message: 'Nothing listens on 127.0.0.1:9 at 127.0.0.1',
      hint: expect.stringContaining('systemctl status ollama'),
    })
  })

  it('says so when the far end knows no such host', async () => {
    const { server } = await rig({ url: new URL('http://no-such-host.invalid:9') })
    expect(await failureOf(get(server))).toMatchObject({ code: 'API_UNAVAILABLE' })
  })

  it('says so when forwarding is forbidden', async () => {
    await stage.sshd.restart({ config: ['AllowTcpForwarding no'] })
    const { server } = await rig()
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_FORWARDING_DENIED',
      hint: expect.stringContaining('AllowTcpForwarding'),
    })
    await stage.sshd.restart({ config: [] })
  })

  it('never offers a password that the server does not take', async () => {
    await stage.sshd.restart({ config: ['PasswordAuthentication no'] })
    const asker = person('secret')
    const { server } = await rig({ identityFile: undefined, person: asker })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_AUTH_FAILED',
      message: expect.stringContaining('password: not offered'),
    })
    expect(asker.asked).toEqual([])
    await stage.sshd.restart({ config: [] })
  })

  it('logs in where key and password are wanted both', async () => {
    if (stage.sshd.password === undefined) return
    await stage.sshd.restart({ config: ['AuthenticationMethods publickey,password'] })
    const { server } = await rig({ person: person(stage.sshd.password) })
    await get(server)
    await stage.sshd.restart({ config: [] })
  })

  it('leaves nothing open when it is closed', async () => {
    const before = handles()
    const { server } = await rig()
    await get(server)
    server.close()
    server.close()
    await expect.poll(handles).toBeLessThanOrEqual(before)
    expect(await failureOf(get(server))).toMatchObject({ code: 'CANCELLED' })
  })
})

interface Handles {
  _getActiveHandles(): unknown[]
}

function handles(): number {
  return (process as unknown as Handles)._getActiveHandles().length
}

function listening(): unknown[] {
  return (process as unknown as Handles)._getActiveHandles().filter((handle) => handle instanceof NetServer)
}
