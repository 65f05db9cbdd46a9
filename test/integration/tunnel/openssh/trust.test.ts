// What ssh_config could have the ssh program trust without a word.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithSshd } from '../../../support/real-parts.ts'
import { type Sshd, startSshd } from '../../../support/sshd.ts'
import { type Backend, failureOf, get, openRig, person, startBackend } from '../tunnel-rig.ts'

describeWithSshd('the ssh program', (openssh) => {
  let sshd: Sshd
  let backend: Backend
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ollama-remote-trust-'))
    sshd = await startSshd({ openssh })
    backend = await startBackend()
  })

  afterAll(async () => {
    await backend.stop()
    await sshd.stop()
    await rm(folder, { recursive: true })
  })

  const rig = (more: { config: string[]; knownHosts?: string; person?: ReturnType<typeof person> }) =>
    openRig({
      ...{ folder, host: sshd.host, port: sshd.port, user: sshd.user, backend, target: { transport: 'openssh' } },
      identityFile: sshd.clientKey.path,
      ...more,
    })

  it('asks about the key of this machine too, whatever NoHostAuthenticationForLocalhost says', async () => {
    const asker = person()
    const { server } = await rig({ person: asker, config: ['NoHostAuthenticationForLocalhost yes'] })
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_HOST_KEY_UNKNOWN' })
    expect(asker.asked).toHaveLength(1)
    server.close()
    const changed = sshd.knownHostsLine().replace(/(ssh-ed25519 \S{30})\S{10}/, '$1AAAAAAAAAA')
    const { server: other } = await rig({ knownHosts: changed, config: ['NoHostAuthenticationForLocalhost yes'] })
    expect(await failureOf(get(other))).toMatchObject({ code: 'SSH_HOST_KEY_CHANGED' })
    other.close()
  })

  it('tells of a key that accept-new trusts', async () => {
    const { server, notices } = await rig({ config: ['StrictHostKeyChecking accept-new'] })
    await get(server)
    expect(notices).toEqual([expect.stringMatching(/Permanently added .* to the list of known hosts/)])
    server.close()
  })
})
