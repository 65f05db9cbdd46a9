// One try to come up at one server: verify the host, log in. How it is dialled is given; the library too.
import type { Duplex } from 'node:stream'
import type * as ssh2Library from 'ssh2'
import type { AnyAuthMethod, Client, ConnectConfig } from 'ssh2'
import { type Clock, systemClock } from '../../core/clock.ts'
import { PluginError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { hostVerifier, judgeHostKey, namesOf } from '../host-keys/host-key.ts'
import { type KnownHost, knownKeyTypes } from '../host-keys/known-hosts.ts'
import { listAgentIdentities } from '../login/agent-identities.ts'
import { Authenticator } from '../login/auth.ts'
import type { ParseKey } from '../login/key-files.ts'
import { unlockKey } from '../login/key-unlocking.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import { connectError, droppedInLogin, timeoutError } from '../ssh-errors.ts'
import type { SshFiles } from '../ssh-files.ts'
import type { LinkPhase, Milestone, Prompts, Session } from '../transport.ts'
import { offerFor } from './algorithms.ts'
import { type BridgeConsent, ExecBridge } from './exec-bridge.ts'
import type { ExecClient } from './exec-channel.ts'
import { addressOf, type OpenCarrier } from './jump-chain.ts'
import { needsNudge, nudge } from './nudge.ts'
import { PhaseTimer, paused, pausing } from './phase-timer.ts'
import { listAgentKeys, toMethod } from './ssh2-methods.ts'
import { type Carrier, type ForwardingClient, Ssh2Session } from './ssh2-session.ts'

type Ssh2 = typeof ssh2Library

/** Milliseconds. Dialling, with the server's first byte, may take `SshParameters.connectTimeoutMs`. */
export interface SshTimeouts {
  keyExchange: number
  /** Without the time in which a person is asked. */
  login: number
  channel: number
  keepaliveInterval: number
}

export interface AttemptOptions {
  prompts: Prompts
  files: SshFiles
  secrets: Secrets
  log: Log
  signal: AbortSignal
  onPhase: (phase: LinkPhase) => void
  onMilestone?: ((milestone: Milestone) => void) | undefined
  onNotice: (text: string) => void
  /** What the user has said of going round forbidden forwarding on the target. */
  bridgeConsent?: BridgeConsent | undefined
  /** Whether an old sshd may be told to send small packets at once; by default it is. */
  mayNudge?: boolean | undefined
  clock?: Clock | undefined
  timeouts?: Partial<SshTimeouts> | undefined
  /** Of a chain of hops. */
  isFirst: boolean
  isLast: boolean
}

const TIMEOUTS: SshTimeouts = { keyExchange: 10_000, login: 15_000, channel: 8_000, keepaliveInterval: 5_000 }

/** Unanswered probes until a link is dead: noticed after interval × (count + 1) at the latest. */
const KEEPALIVE_COUNT = 2

/** The first hop's probes find a dead link before those of the others do, so that it is the one that is named. */
const LATER_HOP_KEEPALIVE_FACTOR = 1.2

/** One try to come up, with a client of its own; it ends in a session or in one error. */
export class Attempt {
  readonly #ssh2: Ssh2
  readonly #parameters: SshParameters
  readonly #options: AttemptOptions
  readonly #timeouts: SshTimeouts
  readonly #clock: Clock
  readonly #client: Client
  readonly #carrier: Duplex
  readonly #timer: PhaseTimer
  /** Aborted when the attempt is over, so that no prompt outlives it. */
  readonly #over = new AbortController()
  readonly #authenticator: Authenticator
  readonly #prompts: Prompts
  readonly #outcome: Promise<Session>
  #resolve: (session: Session) => void = () => {}
  #reject: (reason: unknown) => void = () => {}
  #phase: 'dialling' | 'agreeing on keys' | 'logging in' = 'dialling'
  #banner = ''

  constructor(ssh2: Ssh2, parameters: SshParameters, openCarrier: OpenCarrier, options: AttemptOptions) {
    this.#outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#ssh2 = ssh2
    this.#parameters = parameters
    this.#options = options
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts }
    this.#clock = options.clock ?? systemClock
    this.#timer = new PhaseTimer(this.#clock, (phase, ms) => this.#fail(timeoutError(phase, ms, parameters)))
    this.#prompts = pausing(options.prompts, this.#timer)
    this.#client = new ssh2.Client()
    this.#carrier = openCarrier()
    const parseKey = ssh2.utils.parseKey as unknown as ParseKey
    this.#authenticator = new Authenticator({
      ...{ parameters, files: options.files, log: options.log },
      secrets: {
        get: (name) => paused(this.#timer, async () => options.secrets.get(name, this.#over.signal)),
        set: (name, secret) => options.secrets.set(name, secret),
        delete: (name) => options.secrets.delete(name),
        inTurn: (name, work) => paused(this.#timer, () => options.secrets.inTurn?.(name, work) ?? work()),
      },
      prompts: this.#prompts,
      signal: this.#over.signal,
      parseKey,
      unlock: (text, passphrase) => paused(this.#timer, () => unlockKey(text, passphrase, parseKey, this.#over.signal)),
      listAgentKeys: (socket) => listAgentKeys(ssh2, socket),
      listAgentIdentities,
    })
  }

  run(known: readonly KnownHost[]): Promise<Session> {
    const giveUp = () => this.#fail(this.#options.signal.reason)
    this.#options.signal.addEventListener('abort', giveUp, { once: true })
    this.#over.signal.addEventListener('abort', () => this.#options.signal.removeEventListener('abort', giveUp))
    this.#listen()
    this.#enter('dialling', this.#parameters.connectTimeoutMs)
    try {
      this.#client.connect(this.#config(known))
      this.#carrier.once('data', (first: Buffer) => this.#greeted(first))
    } catch (error) {
      this.#fail(connectError(error, this.#parameters))
    }
    return this.#outcome
  }

  #enter(phase: 'dialling' | 'agreeing on keys' | 'logging in', ms: number): void {
    this.#phase = phase
    this.#timer.start(phase, ms)
    this.#options.log.debug('ssh', { host: this.#parameters.host, phase })
  }

  #pass(stage: Milestone['stage'], detail?: string): void {
    this.#options.onMilestone?.({ stage, hop: addressOf(this.#parameters), ...(detail ? { detail } : {}) })
  }

  #listen(): void {
    const client = this.#client
    this.#carrier.once('lookup', (error: Error | null, address: string) => error ?? this.#pass('resolve', address))
    this.#carrier.once('connect', () => this.#pass('tcp'))
    client.on('error', (error) => this.#onError(error))
    client.on('close', () =>
      this.#fail(this.#phase === 'logging in' ? droppedInLogin(this.#parameters) : this.#hungUp()),
    )
    // Emitted again at every re-keying.
    client.once('handshake', ({ serverHostKey }) => {
      this.#pass('host-key', serverHostKey)
      this.#options.onPhase('authenticating')
      this.#enter('logging in', this.#timeouts.login)
    })
    client.on('banner', (text) => this.#options.log.info('the server says', { text }))
    client.once('ready', () => this.#succeed())
  }

  #greeted(first: Buffer): void {
    const isSocket = 'connecting' in this.#carrier
    if (!isSocket) this.#pass('tcp', this.#parameters.proxyCommand === undefined ? undefined : 'by ProxyCommand')
    this.#banner = /^SSH-[^\r\n]*/m.exec(first.toString('latin1'))?.[0] ?? ''
    if (this.#phase === 'dialling') this.#enter('agreeing on keys', this.#timeouts.keyExchange)
  }

  #hungUp(): PluginError {
    return connectError(new Error('Connection lost before handshake'), this.#parameters)
  }

  #onError(error: Error & { level?: string; code?: unknown }): void {
    // An agent that fails ends its own method only.
    if (error.level === 'agent') {
      this.#options.log.warn('the ssh agent failed', { error })
      return
    }
    // Of the way: the hop before, or a ProxyCommand.
    if (error instanceof PluginError) {
      this.#fail(error)
      return
    }
    const isTooMany = /Too many authentication failures/i.test(error.message)
    if (isTooMany) this.#fail(this.#authenticator.failure(error.message))
    else if (error.level === 'client-authentication') this.#fail(this.#authenticator.failure())
    else this.#fail(connectError(error, this.#parameters))
  }

  #succeed(): void {
    this.#authenticator.succeeded()
    this.#timer.stop()
    this.#pass('authentication', this.#authenticator.login)
    const isHeldBack = this.#options.mayNudge !== false && needsNudge(this.#banner)
    const quiet = isHeldBack ? nudge(this.#client as unknown as ExecClient) : Promise.resolve()
    const session = new Ssh2Session(this.#client as unknown as ForwardingClient, this.#carrier as Duplex & Carrier, {
      place: this.#parameters,
      facts: {
        ...{ transport: 'ssh2', address: addressOf(this.#parameters) },
        ...{ login: this.#authenticator.login, banner: this.#banner },
      },
      clock: this.#clock,
      channelTimeoutMs: this.#timeouts.channel,
      exec: this.#client as unknown as ExecClient,
      bridge: this.#options.isLast ? this.#makeBridge(quiet) : undefined,
    })
    this.#resolve(session)
    this.#over.abort()
  }

  #makeBridge(quiet: Promise<void>): ExecBridge {
    const over = new AbortController()
    this.#client.once('close', () => over.abort(this.#hungUp()))
    return new ExecBridge(this.#client as unknown as ExecClient, {
      ...{ place: this.#parameters, clock: this.#clock, log: this.#options.log, quiet },
      prompts: this.#options.prompts,
      consent: this.#options.bridgeConsent ?? { answer: undefined },
      channelTimeoutMs: this.#timeouts.channel,
      over: over.signal,
    })
  }

  /** The first reason counts; what ssh2 tells afterwards is only its consequence. */
  #fail(reason: unknown): void {
    if (this.#over.signal.aborted) return
    this.#timer.stop()
    this.#reject(reason)
    this.#over.abort(reason)
    this.#carrier.destroy()
  }

  #config(known: readonly KnownHost[]): ConnectConfig {
    const { signal } = this.#over
    const { files, log, onNotice } = this.#options
    const context = { parameters: this.#parameters, known, files, prompts: this.#prompts, signal, log, onNotice }
    const types = knownKeyTypes(known, namesOf(this.#parameters))
    return {
      sock: this.#carrier,
      username: this.#parameters.user,
      readyTimeout: 0,
      ...this.#keepalive(),
      algorithms: offerFor(this.#parameters, types) as NonNullable<ConnectConfig['algorithms']>,
      hostVerifier: hostVerifier(
        (key) => judgeHostKey(key, context),
        (reason) => this.#fail(reason),
      ),
      authHandler: (left, isPartial, next) => {
        this.#authenticate(left, isPartial, next as (method: AnyAuthMethod | false) => void)
      },
    }
  }

  /** A dead link is noticed after interval × (count + 1); who configured it to be noticed sooner gets that. */
  #keepalive(): { keepaliveInterval: number; keepaliveCountMax: number } {
    const { serverAlive } = this.#parameters
    const own = { intervalMs: this.#timeouts.keepaliveInterval, count: KEEPALIVE_COUNT }
    const span = ({ intervalMs, count }: typeof own) => intervalMs * (count + 1)
    const { intervalMs, count } = serverAlive && span(serverAlive) < span(own) ? serverAlive : own
    const factor = this.#options.isFirst ? 1 : LATER_HOP_KEEPALIVE_FACTOR
    return { keepaliveInterval: intervalMs * factor, keepaliveCountMax: count }
  }

  #authenticate(
    left: readonly string[] | null,
    isPartial: boolean,
    next: (method: AnyAuthMethod | false) => void,
  ): void {
    this.#authenticator.next(left, isPartial).then(
      (attempt) => {
        if (this.#over.signal.aborted) return
        next(attempt ? toMethod(this.#ssh2, this.#parameters.user, attempt, () => next(false)) : false)
      },
      (error) => this.#fail(error),
    )
  }
}
