// The life of one server's SSH connection: brought up on first need, shared by all, made anew after a loss when somebody
// needs it again. How it comes up is not known here.
import type { Duplex } from 'node:stream'
import { isAbort, PluginError, toPluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ConnectionFacts, Link, LinkPhase, Session } from './transport.ts'

export type ConnectionState = 'idle' | 'connecting' | 'authenticating' | 'ready' | 'lost' | 'failed' | 'closed'

/** From each state the ones that may follow. */
const MOVES: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  idle: ['connecting', 'closed'],
  connecting: ['authenticating', 'ready', 'failed', 'idle', 'closed'],
  authenticating: ['ready', 'failed', 'idle', 'closed'],
  ready: ['lost', 'idle', 'closed'],
  lost: ['connecting', 'idle', 'closed'],
  failed: ['connecting', 'idle', 'closed'],
  closed: [],
}

export interface ConnectionOptions {
  /** For the log. */
  name: string
  /** Makes one attempt, which the signal gives up. */
  connect: (attempt: { signal: AbortSignal; onPhase: (phase: LinkPhase) => void }) => Promise<Session>
  log: Log
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
  #state: ConnectionState = 'idle'
  #error: PluginError | undefined
  #attempt: Attempt | undefined
  #session: Session | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Why the link is lost or failed; `undefined` in every other state. */
  get error(): PluginError | undefined {
    return this.#error
  }

  status(): { state: ConnectionState; error?: PluginError; facts?: ConnectionFacts } {
    const facts = this.#session?.facts
    return { state: this.#state, ...(this.#error ? { error: this.#error } : {}), ...(facts ? { facts } : {}) }
  }

  /** Ends the connection that is up, and an attempt at one; whoever needs it next brings it up again. */
  disconnect(): void {
    if (this.#state === 'closed' || this.#state === 'idle') return
    const attempt = this.#attempt
    const session = this.#session
    this.#attempt = undefined
    this.#session = undefined
    this.#move('idle')
    attempt?.controller.abort(new PluginError('CANCELLED', 'The connection was ended'))
    session?.end()
  }

  async ready(options: { signal?: AbortSignal; onPhase?: (phase: LinkPhase) => void } = {}): Promise<void> {
    await this.#sessionFor(options)
  }

  async open(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    const session = await this.#sessionFor(signal ? { signal } : {})
    return session.open(host, port, signal)
  }

  close(): void {
    if (this.#state === 'closed') return
    const session = this.#session
    this.#session = undefined
    this.#move('closed')
    this.#attempt?.controller.abort(closedError())
    session?.end()
  }

  async #sessionFor(options: { signal?: AbortSignal; onPhase?: (phase: LinkPhase) => void }): Promise<Session> {
    options.signal?.throwIfAborted()
    if (this.#state === 'closed') throw closedError()
    if (this.#session) return this.#session
    this.#attempt ??= this.#start()
    return this.#wait(this.#attempt, { onPhase: options.onPhase }, options.signal)
  }

  #start(): Attempt {
    this.#move('connecting')
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
    if (phase === 'authenticating') this.#move('authenticating')
    for (const waiter of attempt.waiters) waiter.onPhase?.(phase)
  }

  /** An attempt that was given up may still succeed: its session is of no use to anybody. */
  #came(attempt: Attempt, session: Session): Session {
    if (this.#attempt !== attempt || this.#state === 'closed') {
      session.end()
      throw this.#state === 'closed' ? closedError() : attempt.controller.signal.reason
    }
    this.#attempt = undefined
    this.#session = session
    this.#move('ready')
    session.closed.then((error) => this.#lost(session, error))
    return session
  }

  #failed(attempt: Attempt, thrown: unknown): never {
    const error = this.#state === 'closed' ? closedError() : asError(thrown)
    if (this.#attempt === attempt) {
      this.#attempt = undefined
      if (this.#state !== 'closed') this.#move('failed', error)
    }
    throw error
  }

  #lost(session: Session, error: PluginError): void {
    if (this.#session !== session) return
    this.#session = undefined
    this.#move('lost', error)
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
    this.#move('idle')
    attempt.controller.abort(new PluginError('CANCELLED', 'Nobody waits for the connection any more'))
  }

  /** @throws PluginError INTERNAL for a move that is not in the table. */
  #move(to: ConnectionState, error?: PluginError): void {
    const from = this.#state
    if (!MOVES[from].includes(to)) {
      throw new PluginError('INTERNAL', `The connection to ${this.#options.name} cannot go from ${from} to ${to}`)
    }
    this.#state = to
    this.#error = error
    const fields = { server: this.#options.name, from, to, ...(error ? { code: error.code, error } : {}) }
    if (error) this.#options.log.warn('connection', fields)
    else this.#options.log.info('connection', fields)
    this.#options.onState?.(to, error)
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
