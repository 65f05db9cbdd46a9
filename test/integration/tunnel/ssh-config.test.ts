// What a user's ssh_config says, as ssh itself reads it, and that it counts against a real sshd.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Server } from '../../../src/tunnel/server.ts'
import { startFaultProxy } from '../../support/fault-proxy.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { setStage } from './stage.ts'
import { failureOf, get, type RigOptions, text } from './tunnel-rig.ts'

describeWithSshd('the configuration of ssh', (openssh) => {
  const stage = setStage({ openssh })

  async function rig(options: Partial<RigOptions>): Promise<Server> {
    const usual = { host: 'gpu', identityFile: undefined, target: { transport: 'ssh2' } } as const
    return (await stage.rig({ ...usual, ...options })).server
  }

  it('counts through Include, Match and tokens', async () => {
    const { clientKey } = stage.sshd
    const more = join(stage.folder, 'more.conf')
    writeFileSync(
      more,
      `Host gpu\n  HostName 127.0.0.1\nMatch originalhost gpu exec "true"\n  IdentityFile ${stage.folder}/%n-%p\n`,
    )
    writeFileSync(join(stage.folder, `gpu-${stage.sshd.port}`), readFileSync(clientKey.path), { mode: 0o600 })
    await get(await rig({ hosts: [`Include ${more}`] }))
  })

  it('restricts the algorithms, and what is left is used', async () => {
    const only = ['KexAlgorithms ecdh-sha2-nistp384', 'Ciphers aes256-ctr', 'MACs hmac-sha2-512']
    const config = [`HostName 127.0.0.1`, ...only, 'HostKeyAlgorithms ssh-ed25519']
    await stage.sshd.restart({ config: only })
    await get(await rig({ config, identityFile: stage.sshd.clientKey.path }))
    await stage.sshd.restart({ config: ['Ciphers aes128-gcm@openssh.com'] })
    expect(await failureOf(get(await rig({ config, identityFile: stage.sshd.clientKey.path })))).toMatchObject({
      code: 'SSH_NO_COMMON_ALGORITHM',
    })
    await stage.sshd.restart({ config: [] })
  })

  it('that allows nothing which ssh2 can do is told without dialling', async () => {
    const before = stage.sshd.log().length
    const config = ['HostName 127.0.0.1', 'KexAlgorithms sntrup761x25519-sha512@openssh.com']
    expect(await failureOf(get(await rig({ config, identityFile: stage.sshd.clientKey.path })))).toMatchObject({
      code: 'SSH_NO_COMMON_ALGORITHM',
      message: expect.stringContaining('sntrup761'),
    })
    expect(stage.sshd.log().slice(before)).not.toContain('Connection from')
  })

  it('may have a dead link noticed sooner', async () => {
    const proxy = await startFaultProxy({ target: stage.sshd.port })
    const server = await rig({
      port: proxy.port,
      config: ['HostName 127.0.0.1', 'ServerAliveInterval 1', 'ServerAliveCountMax 0'],
      identityFile: stage.sshd.clientKey.path,
      knownHosts: `[127.0.0.1]:${proxy.port} ${stage.sshd.hostKey.publicLine}`,
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
