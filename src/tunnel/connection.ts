// The life of one server's SSH connection: brought up on first need, shared by all, looked at when it may have died, and made
// anew after a loss. Not here: how it comes up (connect.ts), the legal states (connection-states.ts), who needs it while it is
// down and when it is tried for them (reconnection.ts).
import type { Duplex } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { mayRetry, mustWait, STABLE_AFTER_MS } from './back-off.ts'
import { Attempt, type Waiter } from './connection-attempt.ts'
import { asError, closedError, codeOf, endedError, unansweredError } from './connection-errors.ts'
import { type ConnectionState, ConnectionStates } from './connection-states.ts'
import { LinkProbe } from './link-probe.ts'
import type { LinkWatch, Occasion, Watched } from './link-watch.ts'
import { Reconnection } from './reconnection.ts'
import type { CommandResult, Link, LinkPhase, LinkStatus, ReadyOptions, Session } from './transport.ts'

export interface AttemptContext {
  /** Gives the attempt up. */
  signal: AbortSignal
  onPhase: (phase: LinkPhase) => void
  /** To be called before a person is asked. @throws PluginError CANCELLED when nobody is there, which ends the attempt. */
  refuseUnattended: () => void
}

export interface ConnectionOptions {
  /** The server's, for the log and for sentences. */
  name: string
  connect: (attempt: AttemptContext) => Promise<Session>
  log: Log
  clock: Clock
  /** In [0, 1). */
  random?: (() => number) | undefined
  watch?: LinkWatch | undefined
  /** Told after each move; `error` is why the link is lost or failed. */
  onState?: ((state: ConnectionState, error: PluginError | undefined) => void) | undefined
}

export class Connection implements Link, Watched {
  readonly #options: ConnectionOptions
  readonly #states: ConnectionStates
  readonly #reconnection: Reconnection
  #attempt: Attempt | undefined
  #up: { session: Session; probe: LinkProbe; since: number; hasAnswered: boolean } | undefined
  /** Since the link was last ready. */
  #attempts = 0
  #unwatch: (() => void) | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { name, log, clock, random = Math.random } = options
    this.#reconnection = new Reconnection({ clock, random })
    this.#states = new ConnectionStates({
      ...{ name, log, now: () => clock.now() },
      onMove: (state, error) => this.#moved(state, error),
    })
  }

  get state(): ConnectionState {
    return this.#states.current
  }

  /** Why the link is lost or failed, or what it waits after; `undefined` in every other state. */
  get error(): PluginError | undefined {
    return this.#states.error
  }

  status(): LinkStatus {
    const { current: state, since, error } = this.#states
    const { retryAt } = this.#reconnection
    const roundTripMs = this.#up?.probe.roundTripMs
    return {
      ...{ state, since, attempts: this.#attempts },
      ...(retryAt === undefined ? {} : { retryAt }),
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(error ? { error } : {}),
      ...(this.#up ? { facts: this.#up.session.facts } : {}),
    }
  }

  async ready(options: ReadyOptions = {}): Promise<void> {
    await this.#sessionFor(options)
  }

  async open(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    const session = await this.#sessionFor(signal ? { signal } : {})
    try {
      const stream = await session.open(host, port, signal)
      this.#probeOf(session)?.keepAnEyeOn(stream)
      return stream
    } catch (error) {
      // Known here before the session itself says so; whoever tries again must find a new one.
      if (codeOf(error) === 'SSH_DISCONNECTED') this.#lost(session, error as PluginError)
      else if (codeOf(error) === 'SSH_CHANNEL_ERROR') void this.#probeOf(session)?.run('asking')
      throw error
    }
  }

  /**
   * Runs a command at the far end, if the link comes up without a question.
   * @throws PluginError SSH_*, SSH_UNSUPPORTED where the transport cannot; the signal's reason when aborted.
   */
  async run(command: string, signal: AbortSignal): Promise<CommandResult> {
    const session = await this.#sessionFor({ signal, isUnattended: true })
    if (session.run) return session.run(command, signal)
    throw new PluginError('SSH_UNSUPPORTED', `No command can be run over this connection to ${this.#options.name}`, {
      hint: 'Set transport = "ssh2" for this server.',
    })
  }

  answered(): void {
    if (!this.#up) return
    this.#up.hasAnswered = true
    this.#up.probe.heard()
  }

  /** Resolves when the link is up, and has it tried until it is. @throws PluginError when that needs a person. */
  async whenBack(signal: AbortSignal): Promise<void> {
    const probe = this.#up?.probe
    // Whoever has just lost a stream may know more than the session does.
    if (probe) await abortable(probe.run('asking'), signal)
    signal.throwIfAborted()
    if (this.state === 'closed') throw closedError()
    if (this.#up) return
    if (probe && this.state === 'idle') throw endedError()
    const back = this.#reconnection.wait(signal, () => this.#forgetUnneeded())
    this.#goOn()
    return back
  }

  /** Brings the link up ahead, unless that would ask or has been refused, and keeps it up. */
  prepare(): void {
    if (this.state === 'closed') return
    this.#reconnection.keepUp(true)
    // What comes of it is the state.
    this.reach().catch(() => {})
  }

  /** @throws PluginError why it is not up; CANCELLED when somebody would have to answer; the signal's reason when aborted */
  async reach(signal?: AbortSignal): Promise<void> {
    if (this.state === 'failed' && this.error && !mayRetry(this.error)) throw this.error
    await this.ready({ isUnattended: true, ...(signal ? { signal } : {}) })
  }

  /** While kept up, a link that is lost is made anew though nobody waits for it. */
  keepUp(isKeptUp: boolean): void {
    this.#reconnection.keepUp(isKeptUp)
    if (isKeptUp) this.#goOn()
    else this.#forgetUnneeded()
  }

  /** The time of one round trip, in milliseconds. @throws PluginError SSH_*; the signal's reason when aborted. */
  async measure(signal: AbortSignal): Promise<number> {
    await this.#sessionFor({ signal })
    const probe = this.#up?.probe
    if (probe) await abortable(probe.run('asking'), signal)
    if (probe && this.#up?.probe === probe && probe.roundTripMs !== undefined) return probe.roundTripMs
    throw this.error ?? endedError()
  }

  /** It may have died, or may be had again. */
  look(occasion: Occasion): void {
    if (this.#up) {
      this.#up.probe.suspect(occasion)
    } else if (this.state === 'waiting' && !mustWait(this.error)) {
      this.#reconnection.startOver()
      this.#tryAgain()
    }
  }

  /** Ends the connection that is up, and an attempt at one; whoever needs it next brings it up again. */
  disconnect(): void {
    if (this.state === 'closed' || this.state === 'idle') return
    this.#leave('idle', endedError())
  }

  close(): void {
    if (this.state === 'closed') return
    this.#leave('closed', closedError())
  }

  /** Nothing may be left behind that is not in the new state. */
  #leave(to: 'idle' | 'closed', reason: PluginError): void {
    const attempt = this.#attempt
    const up = this.#up
    this.#attempt = undefined
    this.#up = undefined
    this.#reconnection.endPause()
    this.#states.move(to)
    attempt?.giveUp(reason)
    this.#reconnection.end(reason)
    up?.probe.stop()
    up?.session.end(reason)
  }

  async #sessionFor({ signal, ...waiter }: ReadyOptions): Promise<Session> {
    for (;;) {
      signal?.throwIfAborted()
      if (this.state === 'closed') throw closedError()
      const up = this.#up
      if (!up) return this.#attemptFor(waiter, signal)
      const suspicion = up.probe.beforeRequest()
      if (!suspicion) return up.session
      await abortable(suspicion, signal)
    }
  }

  #attemptFor(waiter: Waiter, signal: AbortSignal | undefined): Promise<Session> {
    if (!this.#attempt) {
      this.#reconnection.startOver()
      this.#attempt = this.#start()
    }
    return this.#attempt.wait(waiter, signal, () => this.#forgetUnneeded())
  }

  #start(): Attempt {
    this.#reconnection.endPause()
    this.#attempts++
    this.#states.move('connecting', undefined, { attempt: this.#attempts })
    return new Attempt((attempt) =>
      this.#options
        .connect({
          signal: attempt.signal,
          onPhase: (phase) => this.#enter(attempt, phase),
          refuseUnattended: () => this.#refuseUnattended(attempt),
        })
        .then(
          (session) => this.#came(attempt, session),
          (error) => this.#failed(attempt, error),
        ),
    )
  }

  #enter(attempt: Attempt, phase: LinkPhase): void {
    if (this.#attempt !== attempt || !attempt.enter(phase)) return
    this.#states.move(phase)
    attempt.tellPhase()
  }

  #refuseUnattended(attempt: Attempt): void {
    // What is asked when the attempt is over is asked for a request, as whether a bridge may be run.
    if (this.#attempt !== attempt || attempt.isAttended || this.#reconnection.isAwaited) return
    const reason = new PluginError('CANCELLED', 'The login asks for something, and nobody is there to answer')
    this.#leave('idle', reason)
    throw reason
  }

  /** An attempt that was given up may still succeed: its session is of no use to anybody. */
  #came(attempt: Attempt, session: Session): Session {
    if (this.#attempt !== attempt) {
      session.end()
      throw attempt.signal.reason
    }
    const { clock, name } = this.#options
    const deadError = (words: string) => unansweredError(name, words)
    const probe = new LinkProbe({ session, clock, deadError, onDead: (error) => this.#lost(session, error) })
    this.#attempt = undefined
    this.#up = { session, probe, since: clock.now(), hasAnswered: false }
    this.#attempts = 0
    this.#states.move('ready')
    session.closed.then((error) => this.#lost(session, error))
    this.#reconnection.cameUp()
    return session
  }

  #failed(attempt: Attempt, thrown: unknown): never {
    const error = asError(thrown)
    if (this.#attempt === attempt) {
      this.#attempt = undefined
      this.#states.move('failed', error)
      this.#goOn()
    }
    throw error
  }

  #lost(session: Session, error: PluginError): void {
    const up = this.#up
    if (up?.session !== session) return
    const isSound = up.hasAnswered || this.#options.clock.now() - up.since >= STABLE_AFTER_MS
    if (isSound) this.#reconnection.startOver()
    this.#up = undefined
    up.probe.stop()
    this.#states.move('lost', error)
    session.end(error)
    this.#goOn()
  }

  /** Does what comes next by itself, if anybody needs it: a try now, a try later, or nothing. */
  #goOn(): void {
    if (this.#attempt || this.#up || this.state === 'waiting') return
    const { error } = this
    const delay = this.#reconnection.nextDelay(error)
    if (delay === undefined) return
    if (delay === 0) {
      this.#tryAgain()
    } else {
      this.#reconnection.pause(delay, () => this.#tryAgain())
      this.#states.move('waiting', error, { seconds: delay / 1000 })
    }
  }

  #tryAgain(): void {
    this.#reconnection.countTry()
    this.#attempt = this.#start()
  }

  #forgetUnneeded(): void {
    if (this.#reconnection.isWanted || this.#attempt?.isWaitedFor) return
    if (this.#attempt) this.#leave('idle', new PluginError('CANCELLED', 'Nobody waits for the connection any more'))
    if (this.state !== 'waiting') return
    const { error } = this
    this.#reconnection.endPause()
    this.#states.move(error?.code === 'SSH_DISCONNECTED' ? 'lost' : 'failed', error)
  }

  #probeOf(session: Session): LinkProbe | undefined {
    return this.#up?.session === session ? this.#up.probe : undefined
  }

  #moved(state: ConnectionState, error: PluginError | undefined): void {
    const { watch, onState } = this.#options
    if (state !== 'ready' && state !== 'waiting') {
      this.#unwatch?.()
      this.#unwatch = undefined
    } else this.#unwatch ??= watch?.add(this)
    onState?.(state, error)
  }
}

/** Rejects with the signal's reason as soon as it is aborted. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    promise.finally(() => signal.removeEventListener('abort', leave)).then(resolve, reject)
  })
}
