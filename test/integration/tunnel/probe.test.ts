// Signs of life of a real sshd: one that answers, one behind a link that went dark, one that dies, and what a probe leaves behind.
import { getEventListeners } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import { connectServer } from '../../../src/tunnel/connect.ts'
import { systemSshFiles } from '../../../src/tunnel/ssh-files.ts'
import type { Session } from '../../../src/tunnel/transport.ts'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { sshTarget } from '../../support/ssh-target.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import { failureOf, person } from './tunnel-rig.ts'

describeWithSshd('a sign of life', (openssh) => {
  let sshd: Sshd
  let proxy: FaultProxy
  let folder: string
  let session: Session
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)

  beforeAll(async () => {
    sshd = await startSshd({ openssh })
    proxy = await startFaultProxy({ target: sshd.port })
    folder = mkdtempSync(join(tmpdir(), 'probe-'))
    process.on('unhandledRejection', note)
  })
  beforeEach(async () => {
    session = await connect('none')
  })
  afterEach(async () => {
    await proxy.mend()
    session.end()
    await session.closed
    expect(unhandled).toEqual([])
  })
  afterAll(async () => {
    process.off('unhandledRejection', note)
    await proxy.stop()
    await sshd.stop()
    rmSync(folder, { recursive: true })
  })

  async function connect(jump: string): Promise<Session> {
    const known = join(folder, 'known')
    const { publicLine } = sshd.hostKey
    writeFileSync(known, `[127.0.0.1]:${proxy.port},[127.0.0.1]:${sshd.port} ${publicLine}\n`)
    const sshConfigFile = join(folder, 'config')
    const lines = [`UserKnownHostsFile ${known}`, 'IdentityAgent none', `IdentityFile ${sshd.clientKey.path}`]
    writeFileSync(sshConfigFile, `Host *\n${lines.join('\n')}\n`)
    const target = sshTarget({ host: '127.0.0.1', port: proxy.port, user: sshd.user, transport: 'ssh2', jump })
    return connectServer(
      target,
      {
        ...{ prompts: person().prompts, files: systemSshFiles, secrets: new Map(), log: silentLog, clock: systemClock },
        ...{ onNotice: () => {}, sshConfigFile },
      },
      { signal: new AbortController().signal, onPhase: () => {} },
    )
  }

  it('comes, also eight at once, and nothing listens any more', async () => {
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 8 }, () => session.probe(signal)))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('comes over a jump host', async () => {
    const far = await connect(`${sshd.user}@127.0.0.1:${sshd.port}`)
    await far.probe(AbortSignal.timeout(5_000))
    expect(far.heardAt).toBeGreaterThan(0)
    far.end()
    await far.closed
  })

  it('never comes over a link that is dark', async () => {
    proxy.set({ dark: 'both' })
    const signal = AbortSignal.timeout(300)
    expect(await failureOf(session.probe(signal))).toBe(signal.reason)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('is given up when the server dies', async () => {
    proxy.set({ dark: 'down' })
    const { signal } = new AbortController()
    const probing = failureOf(session.probe(signal))
    await sshd.killSessions()
    proxy.cut('fin')
    expect(await probing).toMatchObject({ code: 'SSH_DISCONNECTED' })
    expect(await failureOf(session.probe(signal))).toMatchObject({ code: 'SSH_DISCONNECTED' })
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
