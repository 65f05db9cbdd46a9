// The language of known_hosts against a real sshd that has keys of several types.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { describeWithSshd } from '../../support/real-parts.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import { type Backend, openRig, person, type RigOptions, startBackend } from './tunnel-rig.ts'

describeWithSshd('host keys of several types', (openssh) => {
  const folder = mkdtempSync(join(tmpdir(), 'host-keys-'))
  let sshd: Sshd
  let backend: Backend

  beforeAll(async () => {
    sshd = await startSshd({ openssh, hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'], config: ['MaxStartups 100'] })
    backend = await startBackend()
  })
  afterAll(async () => {
    await backend.stop()
    await sshd.stop()
    rmSync(folder, { recursive: true })
  })

  async function connect(options: Partial<RigOptions>) {
    const { host, port, user } = sshd
    const asker = person()
    const identityFile = sshd.clientKey.path
    const made = await openRig({ folder, backend, host, port, user, identityFile, person: asker, ...options })
    onTestFinished(() => made.server.close())
    const failure = await made.server.connect().then(
      () => undefined,
      (error: Error & { code?: string }) => error,
    )
    return { ...made, failure, asked: asker.asked }
  }

  const keyLine = (type: string) => {
    const found = sshd.hostKeys.find(({ publicLine }) => publicLine.startsWith(type))
    if (!found) throw new Error(`no host key of type ${type}`)
    return found
  }
  const place = () => `[127.0.0.1]:${sshd.port}`

  it.each(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'])(
    'of which only %s is known: it is the one asked for',
    async (type) => {
      const { failure, asked } = await connect({ knownHosts: `${place()} ${keyLine(type).publicLine}` })
      expect(failure).toBeUndefined()
      expect(asked).toEqual([])
    },
  )

  it.each([
    ['a pattern with a negation', () => `[127.0.0.*]:*,![127.0.0.1]:1 ${keyLine('ssh-rsa').publicLine}\r`],
    ['the bare host', () => `127.0.0.1 ${keyLine('ssh-rsa').publicLine} a comment`],
  ])('are known by %s', async (_, knownHosts) => {
    const { failure, asked } = await connect({ knownHosts: knownHosts() })
    expect(failure).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('are known by HostKeyAlias alone, in upper case too', async () => {
    const config = ['HostKeyAlias The-Box']
    const known = await connect({ config, knownHosts: `THE-BOX ${keyLine('ssh-rsa').publicLine}` })
    expect(known.failure).toBeUndefined()
    const unknown = await connect({ config, knownHosts: `${place()} ${keyLine('ssh-rsa').publicLine}` })
    expect(unknown.failure?.code).toBe('SSH_HOST_KEY_UNKNOWN')
    expect(unknown.asked).toHaveLength(1)
  })

  it('that stand in RevokedHostKeys are refused, whoever else knows them', async () => {
    const revoked = join(folder, 'revoked')
    writeFileSync(revoked, `# stolen\n${keyLine('ssh-ed25519').publicLine} old\n`)
    const { failure, asked } = await connect({
      knownHosts: sshd.knownHostsLine(),
      config: [`RevokedHostKeys ${revoked}`],
    })
    expect(failure).toMatchObject({ code: 'SSH_HOST_KEY_REVOKED', message: expect.stringContaining(`${revoked}:2`) })
    expect(asked).toEqual([])
  })

  it('are revoked in a binary list only for the ssh program, and that is told where it may not be taken', async () => {
    const list = join(folder, 'list')
    const key = join(folder, 'host.pub')
    writeFileSync(key, `${keyLine('ssh-rsa').publicLine}\n`)
    execFileSync(openssh.keygen, ['-q', '-k', '-f', list, key])
    const { failure, notices } = await connect({
      knownHosts: sshd.knownHostsLine(),
      config: [`RevokedHostKeys ${list}`],
      target: { transport: 'ssh2' },
    })
    expect(failure).toBeUndefined()
    expect(notices).toEqual([expect.stringContaining(list)])
  })

  it('one of them, once trusted, is found by the ssh program itself', async () => {
    const fresh = join(mkdtempSync(join(folder, 'home-')), 'ssh', 'known_hosts')
    const { failure } = await connect({
      person: person('Yes, trust it and remember it'),
      config: ['HashKnownHosts yes'],
      target: { knownHostsFile: fresh },
    })
    expect(failure).toBeUndefined()
    expect(statSync(fresh).mode & 0o777).toBe(0o600)
    expect(statSync(join(fresh, '..')).mode & 0o777).toBe(0o700)
    expect(readFileSync(fresh, 'utf8')).toMatch(/^\|1\|\S+\|\S+ ssh-ed25519 \S+\n$/)
    const options = ['StrictHostKeyChecking=yes', `UserKnownHostsFile=${fresh}`, 'IdentitiesOnly=yes', 'BatchMode=yes']
    execFileSync(openssh.ssh, [
      ...['-F', 'none', '-p', String(sshd.port), '-i', sshd.clientKey.path],
      ...options.flatMap((option) => ['-o', option]),
      ...[`${sshd.user}@127.0.0.1`, 'true'],
    ])
  })
})
