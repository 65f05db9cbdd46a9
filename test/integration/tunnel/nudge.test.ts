// What an sshd before 10.1 is asked to run once, so that it holds no small packet back, and that nothing hangs on it.
import { expect, it } from 'vitest'
import { isAtLeast } from '../../../scripts/provision/openssh.ts'
import type { SshTarget } from '../../../src/config/schema.ts'
import { descendants } from '../../support/process-tree.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { setStage } from './stage.ts'
import { get } from './tunnel-rig.ts'

const COMMAND = /Starting session: (forced-)?command/

describeWithSshd('an sshd', (openssh) => {
  const stage = setStage({ openssh })
  const isOld = !isAtLeast(openssh.version, 10, 1)

  const connect = async (target: Partial<SshTarget> = {}) => (await stage.rig({ target })).server

  it('is asked to run a command when it is an old one', async () => {
    const before = stage.sshd.log().length
    const server = await connect()
    await get(server)
    if (isOld) await stage.sshd.waitForLog(COMMAND, { after: before })
    else expect(stage.sshd.log().slice(before)).not.toMatch(COMMAND)
  })

  it('is not asked where that is not wanted', async () => {
    const before = stage.sshd.log().length
    const server = await connect({ nudge: false })
    await get(server)
    await stage.sshd.killSessions()
    expect(stage.sshd.log().slice(before)).not.toMatch(COMMAND)
  })

  it.each([['ForceCommand sleep 100'], ['MaxSessions 0']])('is not waited for with %s', async (line) => {
    await stage.sshd.restart({ config: [line] })
    const processes = descendants(process.pid).length
    const server = await connect()
    await get(server)
    server.close()
    await stage.sshd.killSessions()
    await expect.poll(() => descendants(process.pid).length).toBe(processes)
  })
})
