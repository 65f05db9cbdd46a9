// A connection whose attempts, sessions and time the test carries through by hand.
import { PassThrough } from 'node:stream'
import type { PluginError } from '../../../src/core/errors.ts'
import { logTo } from '../../../src/core/log.ts'
import { type AttemptContext, Connection, type ConnectionOptions } from '../../../src/tunnel/connection.ts'
import type { ConnectionState } from '../../../src/tunnel/connection-states.ts'
import type { Session } from '../../../src/tunnel/transport.ts'
import { FakeClock, turn } from './fakes.ts'

export interface FakeAttempt extends AttemptContext {
  succeed: () => FakeSession
  fail: (error: unknown) => void
  isOver: () => boolean
}

export function rig(options: Partial<ConnectionOptions> = {}) {
  const attempts: FakeAttempt[] = []
  const states: ConnectionState[] = []
  const clock = new FakeClock()
  let logged = ''
  const connection = new Connection({
    ...{ name: 'gpu', clock, random: () => 0.5 },
    log: logTo((line) => (logged += line), 'debug'),
    onState: (state) => states.push(state),
    connect: (context) =>
      new Promise((resolve, reject) => {
        let isOver = false
        const succeed = () => {
          const session = new FakeSession()
          session.isTaken = !isOver
          isOver = true
          resolve(session)
          return session
        }
        const fail = (error: unknown) => {
          isOver = true
          reject(error)
        }
        attempts.push({ ...context, succeed, fail, isOver: () => isOver })
      }),
    ...options,
  })
  const attempt = async (index = 0) => {
    await turn()
    const found = attempts[index]
    if (!found) throw new Error(`There is no attempt ${index}`)
    return found
  }
  /** Brought up by whoever needs it. */
  const up = async (index = 0) => {
    const ready = connection.ready()
    const session = (await attempt(index)).succeed()
    await ready
    return session
  }
  return { connection, attempts, attempt, up, states, clock, log: () => logged }
}

export class FakeSession implements Session {
  ended = 0
  /** It is what its attempt came to, not a second one. */
  isTaken = false
  reason: PluginError | undefined
  heardAt?: number
  /** Probes that nobody has answered yet. */
  probes: { answer: () => void; signal: AbortSignal }[] = []
  openWith: unknown
  lose: (error: PluginError) => void = () => {}
  readonly closed = new Promise<PluginError>((resolve) => {
    this.lose = resolve
  })
  readonly facts = { transport: 'ssh2' as const, address: 'me@gpu:22' }
  readonly streams: PassThrough[] = []

  probe(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.probes.push({ answer: resolve, signal })
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  }
  async open() {
    if (this.openWith !== undefined) throw this.openWith
    const stream = new PassThrough()
    this.streams.push(stream)
    return stream
  }
  end(reason?: PluginError) {
    this.ended++
    this.reason ??= reason
  }
}

export const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ready',
    (error) => error,
  )
