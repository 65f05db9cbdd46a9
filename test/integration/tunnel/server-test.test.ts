// The walk to a server over real sshd's: every stage of every hop, and where it ends when something is wrong.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SshTarget } from '../../../src/config/schema.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import { Ollama } from '../../../src/providers/ollama.ts'
import { testServer } from '../../../src/tunnel/server-test.ts'
import { systemSshFiles } from '../../../src/tunnel/ssh-files.ts'
import { type OllamaDouble, startOllamaDouble } from '../../support/ollama-double/ollama-double.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { sshTarget } from '../../support/ssh-target.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import { person } from './tunnel-rig.ts'

describeWithSshd('the test of a server', (openssh) => {
  let gate: Sshd
  let target: Sshd
  let ollama: OllamaDouble
  let folder: string

  beforeAll(async () => {
    ;[gate, target] = await Promise.all([startSshd({ openssh }), startSshd({ openssh })])
    ollama = await startOllamaDouble()
    folder = mkdtempSync(join(tmpdir(), 'server-test-'))
  })
  afterAll(async () => {
    await ollama.stop()
    await Promise.all([gate.stop(), target.stop()])
    rmSync(folder, { recursive: true })
  })

  const at = ({ user, host, port }: Sshd) => `${user}@${host}:${port}`
  const host = (name: string, { host, port, user, clientKey }: Sshd) =>
    `Host ${name}\n HostName ${host}\n Port ${port}\n User ${user}\n IdentityFile ${clientKey.path}\n`

  async function walk(options: Partial<SshTarget> = {}, known: Sshd[] = [gate, target], url = ollama.url) {
    const knownHosts = join(folder, 'known_hosts')
    const sshConfigFile = join(folder, 'config')
    writeFileSync(knownHosts, known.map((sshd) => `${sshd.knownHostsLine()}\n`).join(''))
    writeFileSync(
      sshConfigFile,
      `${host('gate', gate)}${host('gpu', target)}Host *\n UserKnownHostsFile ${knownHosts}\n GlobalKnownHostsFile none\n IdentityAgent none\n`,
    )
    const config = { name: 'gpu', ssh: sshTarget({ host: 'gpu', ...options }), url: new URL(url), caFile: undefined }
    const steps = await testServer(
      config,
      {
        ...{ prompts: person().prompts, files: systemSshFiles, secrets: new Map(), log: silentLog, clock: systemClock },
        ...{ onNotice: () => {}, sshConfigFile },
        provider: (http) => new Ollama({ http, clock: systemClock, server: 'gpu' }),
      },
      { signal: new AbortController().signal, onStep: () => {} },
    )
    return steps.map(({ stage, hop, error }) => [stage, hop, error?.code].filter(Boolean).join(' '))
  }

  const OLLAMA = ['channel', 'http', 'version', 'models']

  it('tells every stage of every hop', async () => {
    const loginsBefore = target.log().split('Accepted publickey').length
    expect(await walk({ jump: 'gate' })).toEqual([
      `configuration ${at(target)}`,
      `configuration ${at(gate)}`,
      ...['tcp', 'host-key', 'authentication'].map((stage) => `${stage} ${at(gate)}`),
      ...['tcp', 'host-key', 'authentication'].map((stage) => `${stage} ${at(target)}`),
      ...OLLAMA,
    ])
    expect(target.log().split('Accepted publickey').length).toBe(loginsBefore + 1)
  })

  it('tells the same where the ssh program goes the way', async () => {
    expect(await walk({ transport: 'openssh' })).toEqual([
      ...['configuration', 'tcp', 'host-key', 'authentication'].map((stage) => `${stage} ${at(target)}`),
      ...OLLAMA,
    ])
  })

  it('ends at an unknown key of the second hop, and at a login that is refused', async () => {
    expect((await walk({ jump: 'gate' }, [gate])).at(-1)).toBe(`host-key ${at(target)} SSH_HOST_KEY_UNKNOWN`)
    expect((await walk({ user: 'nobody-here' })).at(-1)).toMatch(/^authentication nobody-here@.* SSH_AUTH_\w+$/)
  })

  it('ends at a channel to where nothing listens', async () => {
    const steps = await walk({}, [gate, target], 'http://127.0.0.1:1')
    expect(steps.at(-1)).toBe('channel API_UNAVAILABLE')
  })
})
