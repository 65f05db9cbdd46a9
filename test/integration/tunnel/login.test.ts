// Ways to log in that take more than one step, and keys that only the ssh program can use.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/core/log.ts'
import { SecretKeeper } from '../../../src/tunnel/secrets/keeper.ts'
import type { Server } from '../../../src/tunnel/server.ts'
import { type LoginServerOptions, startLoginServer } from '../../support/login-server-double.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { startAgent } from '../../support/ssh-agent.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import { type Backend, openRig, person, type RigOptions, startBackend } from './tunnel-rig.ts'

const folder = mkdtempSync(join(tmpdir(), 'login-'))
let backend: Backend
const open: Server[] = []

beforeAll(async () => {
  backend = await startBackend()
})
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})
afterAll(async () => {
  await backend.stop()
  rmSync(folder, { recursive: true })
})

async function connect(options: Omit<RigOptions, 'folder' | 'backend'>) {
  const { server } = await openRig({ folder, backend, ...options })
  open.push(server)
  const failure = await server.connect().then(
    () => undefined,
    (error: Error & { code?: string; hint?: string }) => error,
  )
  const { login, transport } = server.status().facts ?? {}
  return { server, failure, login, transport }
}

describeWithSshd('a login at a real sshd', (openssh) => {
  let sshd: Sshd
  beforeAll(async () => {
    sshd = await startSshd({ openssh, methods: ['publickey', 'password'], config: ['MaxStartups 100'] })
  })
  afterAll(() => sshd.stop())

  const place = () => ({ host: sshd.host, port: sshd.port, user: sshd.user, knownHosts: sshd.knownHostsLine() })

  it('tells what let us in', async () => {
    const byKey = await connect({ ...place(), identityFile: sshd.clientKey.path })
    expect(byKey.login).toBe(`key ${sshd.clientKey.path}`)
    if (sshd.password === undefined) return
    const byPassword = await connect({ ...place(), person: person(sshd.password) })
    expect(byPassword.login).toBe('password')
  })

  it('uses only the ways that the target names', async () => {
    if (sshd.password === undefined) return
    const asker = person(sshd.password)
    const target = { auth: ['password'] as const, identityFile: sshd.clientKey.path }
    const { login } = await connect({ ...place(), target, person: asker })
    expect(login).toBe('password')
    const keysOnly = await connect({ ...place(), target: { auth: ['key'] }, person: person(sshd.password) })
    expect(keysOnly.failure?.code).toBe('SSH_AUTH_FAILED')
  })

  it('of two servers at once asks for the passphrase of their key once', async () => {
    const asker = person(sshd.clientKeyEncrypted.passphrase)
    const secrets = new SecretKeeper({
      ...{ prompts: asker.prompts, log: silentLog, file: () => join(folder, 'secrets.json') },
      ...{ onNotice: () => {}, onFirstSecret: () => {} },
    })
    const identityFile = sshd.clientKeyEncrypted.path
    const both = [1, 2].map(() => connect({ ...place(), identityFile, person: asker, more: { secrets } }))
    const done = await Promise.all(both)
    for (const { failure } of done) expect(failure).toBeUndefined()
    expect(asker.asked).toHaveLength(1)
  })

  it('says that the passphrase was wrong, after three tries and no other', async () => {
    const asker = person('1', '2', '3', '4')
    const target = { auth: ['key'] as const, identityFile: sshd.clientKeyEncrypted.path }
    const { failure } = await connect({ ...place(), target, person: asker })
    expect(failure).toMatchObject({ code: 'SSH_PASSPHRASE_WRONG', hint: expect.stringContaining('ssh-keygen -y') })
    expect(asker.asked).toHaveLength(3)
  })

  describe('with a key that ssh2 cannot use', () => {
    const stranger = join(folder, 'stranger')
    const chacha = join(folder, 'chacha')

    beforeAll(async () => {
      const authority = join(folder, 'authority')
      for (const path of [authority, stranger]) {
        execFileSync(openssh.keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', path])
      }
      execFileSync(openssh.keygen, ['-q', '-s', authority, '-I', 'me', '-n', sshd.user, `${stranger}.pub`])
      const cipher = ['-Z', 'chacha20-poly1305@openssh.com', '-a', '1']
      execFileSync(openssh.keygen, ['-q', '-t', 'ed25519', ...cipher, '-N', 'open', '-f', chacha])
      appendFileSync(join(sshd.folder, 'authorized_keys'), readFileSync(`${chacha}.pub`))
      await sshd.restart({ config: ['MaxStartups 100', `TrustedUserCAKeys ${authority}.pub`] })
    })

    it.each([
      ['a certificate', stranger, 'stranger-cert.pub is a certificate'],
      ['a cipher that it does not know', chacha, 'chacha is encrypted with chacha20-poly1305'],
    ])('%s is named where no other transport may be taken', async (_, identityFile, words) => {
      const asker = person('open')
      const target = { transport: 'ssh2', auth: ['key'] } as const
      const { failure } = await connect({ ...place(), identityFile, person: asker, target })
      expect(failure).toMatchObject({ code: 'SSH_KEY_UNSUPPORTED', message: expect.stringContaining(words) })
      expect(asker.asked).toEqual([])
    })

    it('comes in by the ssh program, before any password is asked', async () => {
      const agent = await startAgent([{ path: stranger }], openssh)
      onTestFinished(() => agent.stop())
      const asker = person()
      const held = await connect({ ...place(), config: [`IdentityAgent ${agent.socket}`], person: asker })
      expect(held).toMatchObject({ failure: undefined, transport: 'openssh' })
      expect(asker.asked).toEqual([])
      const locked = person('open')
      const sealed = await connect({ ...place(), identityFile: chacha, person: locked })
      expect(sealed).toMatchObject({ failure: undefined, transport: 'openssh' })
      expect(locked.asked).toHaveLength(1)
    })
  })

  describe('that wants more than one way', () => {
    it.each([
      ['publickey,password', /^key \S+client, password$/],
      ['password,publickey', /^password, key \S+client$/],
    ])('%s by a key file', async (methods, login) => {
      if (sshd.password === undefined) return
      await sshd.restart({ config: ['MaxStartups 100', `AuthenticationMethods ${methods}`] })
      const asker = person(sshd.password)
      expect(await connect({ ...place(), identityFile: sshd.clientKey.path, person: asker })).toMatchObject({
        failure: undefined,
        login: expect.stringMatching(login),
      })
      expect(asker.asked).toHaveLength(1)
    })

    it.each([
      ['publickey,password', /^agent key SHA256:\S+, password$/],
      ['password,publickey', /^password, agent key SHA256:\S+$/],
    ])('%s by a key of the agent, with other keys in it', async (methods, login) => {
      if (sshd.password === undefined) return
      await sshd.restart({ config: ['MaxStartups 100', `AuthenticationMethods ${methods}`] })
      const other = join(folder, 'other')
      execFileSync(openssh.keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', other])
      onTestFinished(() => rmSync(other))
      const agent = await startAgent([{ path: other }, sshd.clientKey], openssh)
      onTestFinished(() => agent.stop())
      const config = [`IdentityAgent ${agent.socket}`]
      const { failure, ...rest } = await connect({ ...place(), config, person: person(sshd.password) })
      expect(failure).toBeUndefined()
      expect(rest.login).toMatch(login)
    })

    it('publickey,publickey by two keys', async () => {
      await sshd.restart({ config: ['MaxStartups 100', 'AuthenticationMethods publickey,publickey'] })
      const second = join(sshd.folder, 'second')
      execFileSync(openssh.keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', second])
      appendFileSync(join(sshd.folder, 'authorized_keys'), readFileSync(`${second}.pub`))
      const config = [`IdentityFile ${second}`]
      const { failure, login } = await connect({ ...place(), identityFile: sshd.clientKey.path, config })
      expect(failure).toBeUndefined()
      expect(login).toBe(`key ${sshd.clientKey.path}, key ${second}`)
    })
  })
})

describe('a login with one-time codes', () => {
  async function server(options: LoginServerOptions) {
    const double = await startLoginServer(options)
    onTestFinished(() => double.stop())
    const identityFile = join(folder, `key-${double.port}`)
    writeFileSync(identityFile, double.clientKey)
    const { host, port, knownHostsLine } = double
    return { double, place: { host, port, user: 'me', knownHosts: knownHostsLine, identityFile } }
  }

  it('publickey,keyboard-interactive asks the code only after the key was taken', async () => {
    const questions = [['Verification code: ', '123456']] as const
    const { double, place } = await server({ chain: ['publickey', 'keyboard-interactive'], questions })
    const asker = person('123456')
    const { failure, login } = await connect({ ...place, person: asker })
    expect(failure).toBeUndefined()
    expect(login).toBe(`key ${place.identityFile}, keyboard-interactive`)
    expect(asker.asked.map(({ title }) => title)).toEqual(['Verification code:'])
    expect(double.tries).toEqual(['publickey: would do', 'publickey: accepted', 'keyboard-interactive: accepted'])
  })

  it('password,keyboard-interactive with two questions at once, after a wrong code', async () => {
    const questions = [
      ['PIN: ', '1'],
      ['Code: ', '2'],
    ] as const
    const { place } = await server({ chain: ['password', 'keyboard-interactive'], questions, password: 'p' })
    const asker = person('p', '1', 'wrong', '1', '2')
    const { failure, login } = await connect({ ...place, person: asker })
    expect(failure).toBeUndefined()
    expect(login).toBe('password, keyboard-interactive')
    expect(asker.asked).toHaveLength(5)
  })

  it('that is refused every time ends, and is not tried again by itself', async () => {
    const { double, place } = await server({ chain: ['keyboard-interactive'], questions: [['Code: ', '1']] })
    const { failure } = await connect({ ...place, person: person('2', '3', '4', '5') })
    expect(failure).toMatchObject({
      code: 'SSH_AUTH_FAILED',
      message: expect.stringContaining('keyboard-interactive: refused'),
    })
    expect(double.tries.filter((tried) => tried.startsWith('keyboard'))).toHaveLength(3)
  })
})
