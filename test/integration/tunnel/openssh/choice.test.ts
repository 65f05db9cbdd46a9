// Which transport is taken by itself, against a real sshd that asks for what ssh2 cannot do.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Authority, makeAuthority } from '../../../support/certificates.ts'
import { describeWithSshd } from '../../../support/real-parts.ts'
import { endWatched, startWatched } from '../../../support/watched-process.ts'
import { setStage } from '../stage.ts'
import { failureOf, get, person } from '../tunnel-rig.ts'
import { setRuntimeFolder } from './traces.ts'

const POST_QUANTUM = 'KexAlgorithms sntrup761x25519-sha512@openssh.com'

describeWithSshd('the choice of a transport', (openssh) => {
  setRuntimeFolder()
  const stage = setStage({ openssh, config: ['MaxStartups 100'] })
  const { rig } = stage
  let authority: Authority

  beforeAll(async () => {
    authority = await makeAuthority(openssh, stage.sshd.folder)
  })

  it('is ssh2 where nothing speaks against it', async () => {
    const { server, notices } = await rig()
    await get(server)
    expect(server.status().facts).toMatchObject({ transport: 'ssh2' })
    expect(notices).toEqual([])
  })

  it('is the ssh program for a certificate of the user, with the reason told once', async () => {
    await stage.sshd.restart({ config: [`TrustedUserCAKeys ${authority.publicPath}`, 'MaxStartups 100'] })
    const identityFile = await authority.makeUserKey('certified', stage.sshd.user)
    const { server, notices, log } = await rig({ identityFile })
    await get(server)
    const reason = `a certificate is there to log in with (${identityFile}-cert.pub)`
    expect(server.status().facts).toMatchObject({ transport: 'openssh', reason })
    server.disconnect()
    await get(server)
    expect(notices).toEqual([`127.0.0.1 is reached by the ssh program: ${reason}`])
    expect(log()).toContain(reason)
    await stage.sshd.restart({ config: ['MaxStartups 100'] })
  })

  it('is the ssh program for a host that an authority vouches for', async () => {
    const certificate = await authority.signHostKey(join(stage.sshd.folder, 'host-ed25519'), '127.0.0.1')
    await stage.sshd.restart({ config: [`HostCertificate ${certificate}`, 'MaxStartups 100'] })
    const asker = person()
    const { server, knownHostsFile } = await rig({
      knownHosts: `@cert-authority [127.0.0.1]:${stage.sshd.port} ${authority.publicLine}`,
      person: asker,
    })
    await get(server)
    expect(asker.asked).toEqual([])
    expect(server.status().facts).toMatchObject({
      transport: 'openssh',
      reason: `known_hosts names a certificate authority for the host (${knownHostsFile}:1)`,
    })
    await stage.sshd.restart({ config: ['MaxStartups 100'] })
  })

  it('is the ssh program for a connection that the user has already', async () => {
    const controlPath = join(stage.folder, 'master')
    const login = ['-p', `${stage.sshd.port}`, '-l', stage.sshd.user, '-i', stage.sshd.clientKey.path]
    const switches = ['-F', 'none', '-v', '-M', '-S', controlPath, '-N', '-o', 'StrictHostKeyChecking=no']
    const known = ['-o', `UserKnownHostsFile=${join(stage.folder, 'master-known_hosts')}`]
    const master = startWatched(openssh.ssh, [...switches, ...known, ...login, stage.sshd.host], {})
    await master.waitFor(/Entering interactive session/)
    const { server } = await rig({ identityFile: undefined, config: [`ControlPath ${controlPath}`] })
    await get(server)
    const reason = `your ssh is connected already (${controlPath})`
    expect(server.status().facts).toMatchObject({ transport: 'openssh', reason, login: 'your ControlMaster' })
    server.close()
    await endWatched(master, 'SIGTERM')
  })

  describe('for a server with post-quantum key exchange only', () => {
    beforeAll(() => stage.sshd.restart({ config: [POST_QUANTUM, 'MaxStartups 100'] }))
    afterAll(() => stage.sshd.restart({ config: ['MaxStartups 100'] }))

    it('is the ssh program after ssh2 failed, and at once the next time', async () => {
      const { server, notices } = await rig()
      await get(server)
      const reason = 'the server shares no algorithm with ssh2'
      expect(server.status().facts).toMatchObject({ transport: 'openssh', reason })
      expect(notices).toEqual([`127.0.0.1 is reached by the ssh program: ${reason}`])
      server.disconnect()
      const before = stage.sshd.log().length
      await get(server)
      expect(stage.sshd.log().slice(before)).not.toMatch(/Unable to negotiate/)
      expect(notices).toHaveLength(1)
    })

    it('is obeyed where it is configured', async () => {
      const { server } = await rig({ target: { transport: 'ssh2' } })
      expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_NO_COMMON_ALGORITHM' })
    })
  })

  it('is not made anew after a refused login', async () => {
    const before = stage.sshd.log().length
    const { server } = await rig({ identityFile: undefined })
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_AUTH_FAILED' })
    expect(
      stage.sshd
        .log()
        .slice(before)
        .match(/Connection from/g),
    ).toHaveLength(1)
  })
})
