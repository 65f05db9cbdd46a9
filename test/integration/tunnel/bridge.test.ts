// A real sshd that forbids forwarding, and what a user may choose to run there: each program, none, and where none may run.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { findProgram } from '../../../scripts/provision/command.ts'
import type { Server } from '../../../src/tunnel/server.ts'
import { LEAVE, RUN } from '../../../src/tunnel/ssh2/exec-bridge.ts'
import { descendants } from '../../support/process-tree.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { setStage } from './stage.ts'
import { failureOf, get, type Person, person, type RigOptions, text } from './tunnel-rig.ts'

/** What nc does, for a machine that has none; `socat - TCP:host:port` and `nc host port` both. */
const PIPE = `
const [first, second] = process.argv.slice(2)
const [host, port] = first === '-' ? second.replace(/^TCP:/, '').split(':') : [first, second]
const socket = require('node:net').connect({ host, port: Number(port) })
process.stdin.pipe(socket).pipe(process.stdout)
socket.on('error', (error) => { console.error(error.message); process.exit(1) })
socket.on('close', () => process.exit())
`

describeWithSshd('a server that forbids forwarding', (openssh) => {
  let processes: number
  afterEach(() => expect.poll(() => descendants(process.pid).length, { timeout: 5_000 }).toBe(processes))
  const stage = setStage({ openssh })

  /** The server's PATH, with a shell and these programs in it. */
  const pathWith = async (name: string, ...programs: ('nc' | 'socat' | 'curl')[]) => {
    const path = join(stage.folder, name)
    mkdirSync(path, { recursive: true })
    symlinkSync('/bin/sh', join(path, 'sh'))
    for (const program of programs) {
      const place = join(path, program)
      const real = await findProgram(program)
      if (real !== undefined) {
        symlinkSync(real, place)
      } else {
        writeFileSync(place, `#!/bin/sh\nexec '${process.execPath}' '${join(stage.folder, 'pipe.cjs')}' "$@"\n`)
        chmodSync(place, 0o755)
      }
    }
    return `SetEnv PATH=${path}`
  }
  const restart = async (...config: string[]) => {
    await stage.sshd.restart({ config: ['AllowTcpForwarding no', ...config] })
    processes = descendants(process.pid).length
  }

  beforeAll(async () => {
    writeFileSync(join(stage.folder, 'pipe.cjs'), PIPE)
    await restart(await pathWith('all', 'nc', 'socat', 'curl'))
  })
  beforeEach(() => {
    processes = descendants(process.pid).length
  })

  async function rig(asker: Person, url?: URL, target: RigOptions['target'] = {}): Promise<Server> {
    return (await stage.rig({ person: asker, target, ...(url ? { url } : {}) })).server
  }

  it('is gone round when the user says so, who is asked once for all requests and connections', async () => {
    const asker = person(RUN)
    const server = await rig(asker)
    const answers = await Promise.all([get(server), get(server), get(server)])
    expect(answers.map((answer) => JSON.parse(answer).path)).toEqual(['/echo', '/echo', '/echo'])
    expect(asker.asked).toEqual([
      {
        title: `127.0.0.1 forbids forwarding: run \`nc '127.0.0.1' ${stage.backend.url.port}\` there for each request?`,
        detail: expect.stringContaining('administrator'),
      },
    ])
    await stage.sshd.killSessions()
    await get(server)
    expect(asker.asked).toHaveLength(1)
  })

  it('carries large bodies, and an aborted stream ends at the far end', async () => {
    const server = await rig(person(RUN))
    const body = { text: 'x'.repeat(3_000_000) }
    const answer = await server.http.request({ method: 'POST', path: '/echo', body })
    expect(JSON.parse(JSON.parse(await text(answer.body)).body)).toEqual(body)
    const stream = await server.http.request({ method: 'POST', path: '/stream' })
    const gone = stage.backend.nextHangUp()
    for await (const _ of stream.body) break
    await gone
  })

  it('is left alone when the user says so, until they disconnect', async () => {
    const asker = person(LEAVE, RUN)
    const server = await rig(asker)
    const failure = await failureOf(get(server))
    expect(failure).toMatchObject({
      code: 'SSH_FORWARDING_DENIED',
      message: expect.stringContaining('chose not to run nc'),
    })
    expect(failure.hint).toContain('AllowTcpForwarding')
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_FORWARDING_DENIED' })
    await stage.sshd.killSessions()
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_FORWARDING_DENIED' })
    expect(asker.asked).toHaveLength(1)
    server.disconnect()
    await get(server)
    expect(asker.asked).toHaveLength(2)
  })

  it('takes its question away with the connection', async () => {
    let ask = () => {}
    const asked = new Promise<void>((resolve) => {
      ask = resolve
    })
    const { prompts } = person()
    let answer: ((choice: string) => void) | undefined
    let isTaken = false
    const choose: typeof prompts.choose = (_, signal) => {
      ask()
      signal.addEventListener('abort', () => {
        isTaken = true
      })
      return new Promise((resolve, reject) => {
        answer = resolve
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    }
    const server = await rig({ asked: [], prompts: { ...prompts, choose } })
    const controller = new AbortController()
    const failing = failureOf(server.http.request({ method: 'GET', path: '/echo', signal: controller.signal }))
    await asked
    controller.abort(new Error('enough'))
    expect((await failing).message).toBe('enough')
    expect(answer).toBeDefined()
    server.close()
    await expect.poll(() => isTaken).toBe(true)
  })

  it('tells when nothing listens at the far end, in the words of the program', async () => {
    const server = await rig(person(RUN), new URL('http://127.0.0.1:9'))
    expect(await failureOf(get(server))).toMatchObject({
      code: 'API_UNAVAILABLE',
      message: expect.stringMatching(/^nc on 127.0.0.1 does not reach 127.0.0.1:9: /),
    })
  })

  it.each(['socat', 'curl'] as const)('is gone round by %s where there is nothing better', async (program) => {
    await restart(await pathWith(`only-${program}`, program))
    const asker = person(RUN)
    const server = await rig(asker)
    for (let i = 0; i < 3; i++) {
      const { body } = await server.http.request({
        method: 'POST',
        path: '/echo',
        body: { i, text: 'é'.repeat(9_000) },
      })
      expect(JSON.parse(JSON.parse(await text(body)).body).i).toBe(i)
    }
    expect(asker.asked[0]?.title).toContain(program)
    const stream = await server.http.request({ method: 'POST', path: '/stream' })
    const gone = stage.backend.nextHangUp()
    for await (const _ of stream.body) break
    await gone
  })

  it('says so where no program is', async () => {
    await restart(await pathWith('none'))
    const asker = person(RUN)
    const failure = await failureOf(get(await rig(asker)))
    expect(failure).toMatchObject({
      code: 'SSH_FORWARDING_DENIED',
      hint: expect.stringContaining('neither nc, socat nor curl'),
    })
    expect(asker.asked).toEqual([])
  })

  it('says so where a forced command is run in place of any other, and where none may run', async () => {
    for (const line of [
      'ForceCommand echo ollama-remote-has:no',
      'ForceCommand cat',
      'ForceCommand sleep 60',
      'MaxSessions 0',
    ]) {
      await restart(line)
      const asker = person(RUN)
      const server = await rig(asker, undefined, { channelTimeoutMs: 1_000 })
      expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_FORWARDING_DENIED' })
      expect(asker.asked).toEqual([])
      server.close()
    }
  })

  it('tells when it runs no further command', async () => {
    await restart(await pathWith('few', 'nc'), 'MaxSessions 1')
    const server = await rig(person(RUN))
    const { body } = await server.http.request({ method: 'POST', path: '/stream' })
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_CHANNEL_ERROR',
      hint: expect.stringContaining('MaxSessions'),
    })
    for await (const _ of body) break
  })
})
