// The life of one server's SSH connection: brought up on first need, shared by all, made anew after a loss when somebody
// needs it again. How it comes up is not known here.
import type { Duplex } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { isAbort, PluginError, toPluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { type ConnectionState, ConnectionStates } from './connection-states.ts'
import type { Link, LinkPhase, LinkStatus, Session } from './transport.ts'

export interface ConnectionOptions {
  /** For the log. */
  name: string
  /** Makes one attempt, which the signal gives up. */
  connect: (attempt: { signal: AbortSignal; onPhase: (phase: LinkPhase) => void }) => Promise<Session>
  log: Log
  clock: Clock
  /** Told after each move; `error` is why the link is lost or failed. */
  onState?: ((state: ConnectionState, error: PluginError | undefined) => void) | undefined
}

interface Waiter {
  onPhase?: ((phase: LinkPhase) => void) | undefined
}

interface Attempt {
  readonly controller: AbortController
  readonly waiters: Set<Waiter>
  readonly outcome: Promise<Session>
  phase: LinkPhase
}

export class Connection implements Link {
  readonly #options: ConnectionOptions
  readonly #states: ConnectionStates
  #attempt: Attempt | undefined
  #session: Session | undefined
  /** Since the link was last ready. */
  #attempts = 0
  #roundTripMs: number | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { name, log, clock, onState } = options
    this.#states = new ConnectionStates({
      ...{ name, log, now: () => clock.now() },
      onMove: (state, error) => onState?.(state, error),
    })
  }

  get state(): ConnectionState {
    return this.#states.current
  }

  /** Why the link is lost or failed; `undefined` in every other state. */
  get error(): PluginError | undefined {
    return this.#states.error
  }

  status(): LinkStatus {
    const { current: state, since, error } = this.#states
    const facts = this.#session?.facts
    return {
      ...{ state, since, attempts: this.#attempts },
      ...(error ? { error } : {}),
      ...(facts ? { facts } : {}),
      ...(facts && this.#roundTripMs !== undefined ? { roundTripMs: this.#roundTripMs } : {}),
    }
  }

  /** Ends the connection that is up, and an attempt at one; whoever needs it next brings it up again. */
  disconnect(): void {
    if (this.#states.current === 'closed' || this.#states.current === 'idle') return
    const attempt = this.#attempt
    const session = this.#session
    this.#attempt = undefined
    this.#session = undefined
    this.#states.move('idle')
    attempt?.controller.abort(new PluginError('CANCELLED', 'The connection was ended'))
    session?.end()
  }

  async ready(options: { signal?: AbortSignal; onPhase?: (phase: LinkPhase) => void } = {}): Promise<void> {
    await this.#sessionFor(options)
  }

  /** Resolves when the link is up. @throws PluginError SSH_* when it does not come up by itself; the signal's reason. */
  async whenBack(signal: AbortSignal): Promise<void> {
    await this.#sessionFor({ signal })
  }

  /** The time of one round trip, in milliseconds. @throws PluginError SSH_*; the signal's reason when aborted. */
  async measure(signal: AbortSignal): Promise<number> {
    const session = await this.#sessionFor({ signal })
    const before = this.#options.clock.now()
    await session.probe(signal)
    this.#roundTripMs = this.#options.clock.now() - before
    return this.#roundTripMs
  }

  async open(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    const session = await this.#sessionFor(signal ? { signal } : {})
    return session.open(host, port, signal)
  }

  close(): void {
    if (this.#states.current === 'closed') return
    const session = this.#session
    this.#session = undefined
    this.#states.move('closed')
    this.#attempt?.controller.abort(closedError())
    session?.end()
  }

  async #sessionFor(options: { signal?: AbortSignal; onPhase?: (phase: LinkPhase) => void }): Promise<Session> {
    options.signal?.throwIfAborted()
    if (this.#states.current === 'closed') throw closedError()
    if (this.#session) return this.#session
    this.#attempt ??= this.#start()
    return this.#wait(this.#attempt, { onPhase: options.onPhase }, options.signal)
  }

  #start(): Attempt {
    this.#attempts++
    this.#states.move('connecting')
    const controller = new AbortController()
    const waiters = new Set<Waiter>()
    const onPhase = (phase: LinkPhase) => this.#enter(attempt, phase)
    // Put off, so that a phase told at once finds the attempt in place.
    const outcome = Promise.resolve()
      .then(() => this.#options.connect({ signal: controller.signal, onPhase }))
      .then(
        (session) => this.#came(attempt, session),
        (error) => this.#failed(attempt, error),
      )
    const attempt: Attempt = { controller, waiters, outcome, phase: 'connecting' }
    outcome.catch(() => {})
    return attempt
  }

  #enter(attempt: Attempt, phase: LinkPhase): void {
    if (this.#attempt !== attempt || attempt.phase === phase) return
    attempt.phase = phase
    this.#states.move(phase)
    for (const waiter of attempt.waiters) waiter.onPhase?.(phase)
  }

  /** An attempt that was given up may still succeed: its session is of no use to anybody. */
  #came(attempt: Attempt, session: Session): Session {
    if (this.#attempt !== attempt || this.#states.current === 'closed') {
      session.end()
      throw this.#states.current === 'closed' ? closedError() : attempt.controller.signal.reason
    }
    this.#attempt = undefined
    this.#session = session
    this.#attempts = 0
    this.#roundTripMs = undefined
    this.#states.move('ready')
    session.closed.then((error) => this.#lost(session, error))
    return session
  }

  #failed(attempt: Attempt, thrown: unknown): never {
    const error = this.#states.current === 'closed' ? closedError() : asError(thrown)
    if (this.#attempt === attempt) {
      this.#attempt = undefined
      if (this.#states.current !== 'closed') this.#states.move('failed', error)
    }
    throw error
  }

  #lost(session: Session, error: PluginError): void {
    if (this.#session !== session) return
    this.#session = undefined
    this.#states.move('lost', error)
  }

  #wait(attempt: Attempt, waiter: Waiter, signal?: AbortSignal): Promise<Session> {
    attempt.waiters.add(waiter)
    waiter.onPhase?.(attempt.phase)
    return new Promise<Session>((resolve, reject) => {
      const leave = () => {
        reject(signal?.reason)
        attempt.waiters.delete(waiter)
        if (attempt.waiters.size === 0) this.#giveUp(attempt)
      }
      signal?.addEventListener('abort', leave, { once: true })
      const stay = () => signal?.removeEventListener('abort', leave)
      attempt.outcome.finally(stay).then(resolve, reject)
    })
  }

  #giveUp(attempt: Attempt): void {
    if (this.#attempt !== attempt) return
    this.#attempt = undefined
    this.#states.move('idle')
    attempt.controller.abort(new PluginError('CANCELLED', 'Nobody waits for the connection any more'))
  }
}

function closedError(): PluginError {
  return new PluginError('CANCELLED', 'The connection is closed')
}

/** A reason of ours passes as it is; only what nobody foresaw is wrapped. */
function asError(thrown: unknown): PluginError {
  return isAbort(thrown)
    ? new PluginError('CANCELLED', 'The attempt was given up', { cause: thrown })
    : toPluginError(thrown)
}
