// What a user's ssh_config says, as ssh itself reads it, and that it counts against a real sshd.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Server } from '../../../src/tunnel/server.ts'
import { startFaultProxy } from '../../support/fault-proxy.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import { type Backend, failureOf, get, openRig, type RigOptions, startBackend, text } from './tunnel-rig.ts'

describeWithSshd('the configuration of ssh', (openssh) => {
  let sshd: Sshd
  let backend: Backend
  let folder: string
  const open: Server[] = []

  beforeAll(async () => {
    sshd = await startSshd({ openssh })
    backend = await startBackend()
    folder = mkdtempSync(join(tmpdir(), 'config-'))
  })
  afterEach(() => {
    for (const server of open.splice(0)) server.close()
  })
  afterAll(async () => {
    await backend.stop()
    await sshd.stop()
    rmSync(folder, { recursive: true })
  })

  async function rig(options: Partial<RigOptions>): Promise<Server> {
    const place = { folder, host: 'gpu', port: sshd.port, user: sshd.user, backend, knownHosts: sshd.knownHostsLine() }
    const { server } = await openRig({ ...place, target: { transport: 'ssh2' }, ...options })
    open.push(server)
    return server
  }

  it('counts through Include, Match and tokens', async () => {
    const { clientKey } = sshd
    const more = join(folder, 'more.conf')
    writeFileSync(
      more,
      `Host gpu\n  HostName 127.0.0.1\nMatch originalhost gpu exec "true"\n  IdentityFile ${folder}/%n-%p\n`,
    )
    writeFileSync(join(folder, `gpu-${sshd.port}`), readFileSync(clientKey.path), { mode: 0o600 })
    await get(await rig({ hosts: [`Include ${more}`] }))
  })

  it('restricts the algorithms, and what is left is used', async () => {
    const only = ['KexAlgorithms ecdh-sha2-nistp384', 'Ciphers aes256-ctr', 'MACs hmac-sha2-512']
    const config = [`HostName 127.0.0.1`, ...only, 'HostKeyAlgorithms ssh-ed25519']
    await sshd.restart({ config: only })
    await get(await rig({ config, identityFile: sshd.clientKey.path }))
    await sshd.restart({ config: ['Ciphers aes128-gcm@openssh.com'] })
    expect(await failureOf(get(await rig({ config, identityFile: sshd.clientKey.path })))).toMatchObject({
      code: 'SSH_NO_COMMON_ALGORITHM',
    })
    await sshd.restart({ config: [] })
  })

  it('that allows nothing which ssh2 can do is told without dialling', async () => {
    const before = sshd.log().length
    const config = ['HostName 127.0.0.1', 'KexAlgorithms sntrup761x25519-sha512@openssh.com']
    expect(await failureOf(get(await rig({ config, identityFile: sshd.clientKey.path })))).toMatchObject({
      code: 'SSH_NO_COMMON_ALGORITHM',
      message: expect.stringContaining('sntrup761'),
    })
    expect(sshd.log().slice(before)).not.toContain('Connection from')
  })

  it('may have a dead link noticed sooner', async () => {
    const proxy = await startFaultProxy({ target: sshd.port })
    const server = await rig({
      port: proxy.port,
      config: ['HostName 127.0.0.1', 'ServerAliveInterval 1', 'ServerAliveCountMax 0'],
      identityFile: sshd.clientKey.path,
      knownHosts: `[127.0.0.1]:${proxy.port} ${sshd.hostKey.publicLine}`,
    })
    const { body } = await server.http.request({ method: 'POST', path: '/stream' })
    const reading = failureOf(text(body))
    const before = performance.now()
    proxy.set({ dark: 'both' })
    expect(await reading).toMatchObject({ code: 'SSH_DISCONNECTED' })
    expect(performance.now() - before).toBeLessThan(6_000)
    server.close()
    await proxy.stop()
  })
})
