// What an sshd before 10.1 is asked to run once, so that it holds no small packet back, and that nothing hangs on it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { isAtLeast } from '../../../scripts/provision/openssh.ts'
import type { SshTarget } from '../../../src/config/schema.ts'
import type { Server } from '../../../src/tunnel/server.ts'
import { descendants } from '../../support/process-tree.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import { type Backend, get, openRig, startBackend } from './tunnel-rig.ts'

const COMMAND = /Starting session: (forced-)?command/

describeWithSshd('an sshd', (openssh) => {
  let sshd: Sshd
  let backend: Backend
  let folder: string
  const open: Server[] = []
  const isOld = !isAtLeast(openssh.version, 10, 1)

  beforeAll(async () => {
    sshd = await startSshd({ openssh })
    backend = await startBackend()
    folder = mkdtempSync(join(tmpdir(), 'nudge-'))
  })
  afterEach(() => {
    for (const server of open.splice(0)) server.close()
  })
  afterAll(async () => {
    await backend.stop()
    await sshd.stop()
    rmSync(folder, { recursive: true })
  })

  async function rig(target: Partial<SshTarget> = {}): Promise<Server> {
    const { host, port, user, clientKey } = sshd
    const known = { identityFile: clientKey.path, knownHosts: sshd.knownHostsLine() }
    const { server } = await openRig({ folder, host, port, user, backend, target, ...known })
    open.push(server)
    return server
  }

  it('is asked to run a command when it is an old one', async () => {
    const before = sshd.log().length
    const server = await rig()
    await get(server)
    if (isOld) await sshd.waitForLog(COMMAND, { after: before })
    else expect(sshd.log().slice(before)).not.toMatch(COMMAND)
  })

  it('is not asked where that is not wanted', async () => {
    const before = sshd.log().length
    const server = await rig({ nudge: false })
    await get(server)
    await sshd.killSessions()
    expect(sshd.log().slice(before)).not.toMatch(COMMAND)
  })

  it.each([['ForceCommand sleep 100'], ['MaxSessions 0']])('is not waited for with %s', async (line) => {
    await sshd.restart({ config: [line] })
    const processes = descendants(process.pid).length
    const server = await rig()
    await get(server)
    server.close()
    await sshd.killSessions()
    await expect.poll(() => descendants(process.pid).length).toBe(processes)
  })
})
