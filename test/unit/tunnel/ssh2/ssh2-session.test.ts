// A session over a client that the test plays, the timers of a login, the table of errors, and the files.
import { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { PluginError } from '../../../../src/core/errors.ts'
import { channelError, connectError } from '../../../../src/tunnel/ssh-errors.ts'
import { systemSshFiles } from '../../../../src/tunnel/ssh-files.ts'
import { PhaseTimer, pausing } from '../../../../src/tunnel/ssh2/phase-timer.ts'
import { Ssh2Session } from '../../../../src/tunnel/ssh2/ssh2-session.ts'
import type { Prompts } from '../../../../src/tunnel/transport.ts'
import { FakeClock, turn } from '../fakes.ts'

const PLACE = { alias: 'gpu', host: 'gpu.example.com', port: 22 }
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error) => error,
  )

class FakeClient extends EventEmitter {
  asked: ((error: Error | undefined, channel: never) => void)[] = []
  isGone = false
  ended = 0
  readonly sockets: string[] = []
  readonly probed: Array<(error?: Error) => void> = []
  forwardOut(
    ...[, , , , callback]: [string, number, string, number, (error: Error | undefined, channel: never) => void]
  ) {
    if (this.isGone) throw new Error('Not connected')
    this.asked.push(callback)
  }
  openssh_forwardOutStreamLocal(path: string, callback: (error: Error | undefined, channel: never) => void) {
    this.sockets.push(path)
    this.asked.push(callback)
  }
  unforwardIn(_host: string, _port: number, callback: (error?: Error) => void) {
    this.probed.push(callback)
  }
  end() {
    this.ended++
  }
}

class FakeChannel extends EventEmitter {
  outgoing = { state: 'open' }
  isClosed = false
  pause() {}
  resume() {}
  close() {
    this.isClosed = true
  }
}

const facts = { transport: 'ssh2' as const, address: 'me@gpu:22' }

function rig() {
  const client = new FakeClient()
  const carrier = Object.assign(new EventEmitter(), {
    ...{ destroyed: false, writable: true, readableEnded: false },
    destroySoon: () => {},
    destroy: () => {
      carrier.destroyed = true
    },
  })
  const clock = new FakeClock()
  const session = new Ssh2Session(client, carrier, { place: PLACE, facts, clock, channelTimeoutMs: 8000 })
  return { client, carrier, clock, session }
}

describe('a session', () => {
  it('tells when the far end was last heard of', async () => {
    const { carrier, clock, session } = rig()
    await clock.pass(70)
    expect(session.heardAt).toBe(0)
    carrier.emit('data')
    expect(session.heardAt).toBe(70)
  })

  it('that is taken for dead waits for nothing, and fails with the reason it is given', async () => {
    const { client, carrier, session } = rig()
    const probing = failure(session.probe(new AbortController().signal))
    const reason = new PluginError('SSH_DISCONNECTED', 'it did not answer')
    session.end(reason)
    expect(carrier.destroyed).toBe(true)
    client.emit('close')
    expect(await session.closed).toBe(reason)
    expect(await failure(session.open('h', 1))).toBe(reason)
    expect(await probing).toBe(reason)
  })

  it('knows an answer that ssh2 makes up for a server that is gone', async () => {
    const { client, carrier, session } = rig()
    const probing = failure(session.probe(new AbortController().signal))
    carrier.destroyed = true
    client.emit('close')
    client.probed[0]?.(new Error('No response from server'))
    expect(await probing).toMatchObject({ code: 'SSH_DISCONNECTED' })
  })

  it('opens channels, and leaves no timer behind', async () => {
    const { client, clock, session } = rig()
    const opening = session.open('127.0.0.1', 11434)
    client.asked[0]?.(undefined, new FakeChannel() as never)
    expect((await opening).destroyed).toBe(false)
    expect(clock.sleepers).toBe(0)
  })

  it('opens a socket at the far end for a host that is a path', async () => {
    const { client, session } = rig()
    const opening = failure(session.open('/run/ollama.sock', 0))
    client.asked[0]?.(Object.assign(new Error('open failed'), { reason: 2 }), undefined as never)
    expect(client.sockets).toEqual(['/run/ollama.sock'])
    expect(await opening).toMatchObject({
      code: 'API_UNAVAILABLE',
      message: 'gpu does not open the socket /run/ollama.sock',
    })
  })

  it('gives a channel up after its time, and closes it when it comes late', async () => {
    const { client, clock, session } = rig()
    const opening = failure(session.open('127.0.0.1', 11434))
    await clock.pass(8000)
    expect(await opening).toMatchObject({ code: 'SSH_CHANNEL_ERROR', message: expect.stringContaining('8 s') })
    const late = new FakeChannel()
    client.asked[0]?.(undefined, late as never)
    expect(late.isClosed).toBe(true)
  })

  it('rejects with the reason when it is aborted, and closes what comes late', async () => {
    const { client, clock, session } = rig()
    const controller = new AbortController()
    const opening = failure(session.open('127.0.0.1', 11434, controller.signal))
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await opening).toBe(reason)
    const late = new FakeChannel()
    client.asked[0]?.(undefined, late as never)
    expect([late.isClosed, clock.sleepers]).toEqual([true, 0])
  })

  it('tells once why it is over, by the first error and not by what follows', async () => {
    const { client, carrier, session } = rig()
    const opening = failure(session.open('127.0.0.1', 11434))
    client.emit('error', new Error('Keepalive timeout'))
    client.emit('error', new Error('something else'))
    carrier.destroyed = true
    client.emit('close')
    client.asked[0]?.(new Error('No response from server'), undefined as never)
    expect(await session.closed).toMatchObject({
      code: 'SSH_DISCONNECTED',
      message: expect.stringContaining('nothing came back'),
    })
    expect(await opening).toMatchObject({ code: 'SSH_DISCONNECTED' })
  })

  it('opens nothing when it is gone, though nobody told it yet', async () => {
    const { client, session } = rig()
    client.isGone = true
    expect(await failure(session.open('h', 1))).toMatchObject({ code: 'SSH_DISCONNECTED' })
  })

  it('ends once', async () => {
    const { client, session } = rig()
    session.end()
    session.end()
    client.emit('close')
    expect(client.ended).toBe(1)
    expect(await session.closed).toMatchObject({
      code: 'SSH_DISCONNECTED',
      message: expect.stringContaining('was closed'),
    })
  })
})

describe('the timer of a login', () => {
  function timed() {
    const clock = new FakeClock()
    const expired: string[] = []
    const timer = new PhaseTimer(clock, (phase, ms) => expired.push(`${phase} ${ms}`))
    return { clock, expired, timer }
  }

  it('goes off once for the phase it is in', async () => {
    const { clock, expired, timer } = timed()
    timer.start('dialling', 100)
    await clock.pass(50)
    timer.start('login', 100)
    await clock.pass(99)
    expect(expired).toEqual([])
    await clock.pass(1)
    expect(expired).toEqual(['login 100'])
  })

  it('stands still while somebody is asked, also by two at once and across phases', async () => {
    const { clock, expired, timer } = timed()
    const answers: ((answer: string) => void)[] = []
    const asking: Prompts['secret'] = () => new Promise((resolve) => answers.push(resolve))
    const prompts = pausing({ secret: asking, choose: asking as never }, timer)
    const question = { title: '', detail: '' }
    timer.start('login', 100)
    await clock.pass(60)
    const first = prompts.secret(question, new AbortController().signal)
    const second = prompts.secret(question, new AbortController().signal)
    await clock.pass(10_000)
    answers[0]?.('a')
    await first
    await clock.pass(10_000)
    answers[1]?.('b')
    await second
    await clock.pass(39)
    expect(expired).toEqual([])
    await clock.pass(1)
    expect(expired).toEqual(['login 100'])
  })

  it('is silent when it is stopped', async () => {
    const { clock, expired, timer } = timed()
    timer.start('login', 100)
    timer.pause()
    timer.stop()
    timer.resume()
    await clock.pass(1000)
    expect([expired, clock.sleepers]).toEqual([[], 0])
  })
})

describe('errors of ssh', () => {
  it.each([
    [{ message: 'getaddrinfo ENOTFOUND x', code: 'ENOTFOUND' }, 'SSH_HOST_NOT_FOUND'],
    [{ message: 'getaddrinfo EAI_AGAIN x', code: 'EAI_AGAIN' }, 'SSH_HOST_NOT_FOUND'],
    [{ message: 'connect ECONNREFUSED a:p', code: 'ECONNREFUSED' }, 'SSH_UNREACHABLE'],
    [{ message: 'connect ENETUNREACH a:p', code: 'ENETUNREACH' }, 'SSH_UNREACHABLE'],
    [{ message: 'connect ETIMEDOUT a:p', code: 'ETIMEDOUT' }, 'SSH_CONNECTION_TIMEOUT'],
    [{ message: 'Connection lost before handshake' }, 'SSH_DROPPED_EARLY'],
    [{ message: 'read ECONNRESET', code: 'ECONNRESET' }, 'SSH_DROPPED_EARLY'],
    [{ message: 'Invalid identification string' }, 'SSH_DROPPED_EARLY'],
    [{ message: 'Handshake failed: no matching key exchange algorithm' }, 'SSH_NO_COMMON_ALGORITHM'],
    [{ message: 'Handshake failed: no matching host key format' }, 'SSH_NO_COMMON_ALGORITHM'],
    [{ message: 'Handshake failed: no matching C->S cipher' }, 'SSH_NO_COMMON_ALGORITHM'],
    [{ message: 'never heard of' }, 'SSH_UNREACHABLE'],
  ])('%j become %s, with a hint', (raw, code) => {
    const error = connectError(Object.assign(new Error(raw.message), raw), PLACE)
    expect(error).toMatchObject({ code, hint: expect.stringMatching(/.{10}/) })
  })

  it.each([
    [
      { message: '(SSH) Channel open failure: open failed', reason: 1 },
      'SSH_FORWARDING_DENIED',
      /AllowTcpForwarding, PermitOpen/,
    ],
    [
      { message: '(SSH) Channel open failure: Connection refused', reason: 2 },
      'API_UNAVAILABLE',
      /systemctl status ollama/,
    ],
    [
      { message: '(SSH) Channel open failure: Temporary failure in name resolution', reason: 2 },
      'API_UNAVAILABLE',
      /url/,
    ],
    [{ message: '(SSH) Channel open failure: resource shortage', reason: 4 }, 'SSH_FORWARDING_DENIED', /log/],
  ])('of a channel: %j becomes %s', (raw, code, hint) => {
    const error = channelError(Object.assign(new Error(raw.message), raw), { host: '127.0.0.1', port: 11434 }, PLACE)
    expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) })
  })
})

describe('files of ssh', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-files-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('grow by a line as OpenSSH would write it', async () => {
    const path = join(folder, 'new', 'known_hosts')
    await systemSshFiles.appendLine(path, 'one')
    expect([statSync(join(folder, 'new')).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o700, 0o600])
    writeFileSync(path, 'without newline')
    await systemSshFiles.appendLine(path, 'two')
    await systemSshFiles.appendLine(path, 'three')
    expect(readFileSync(path, 'utf8')).toBe('without newline\ntwo\nthree\n')
  })

  it('are undefined when they are not there, and errors when they cannot be read', async () => {
    expect(await systemSshFiles.read(join(folder, 'none'))).toBeUndefined()
    expect(await systemSshFiles.read(join(folder, 'new', 'known_hosts', 'below'))).toBeUndefined()
    expect(await failure(systemSshFiles.read(folder))).toMatchObject({ code: 'EISDIR' })
    await turn()
  })
})
