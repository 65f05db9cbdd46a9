// A connection that an ssh program holds: streams are opened in it until it is lost or ended. How it came up is in
// openssh-login.ts, how it carries a stream in streams.ts.
import type { Duplex } from 'node:stream'
import type { Clock } from '../../core/clock.ts'
import { PluginError } from '../../core/errors.ts'
import { channelTimeout, lostError, type Place } from '../ssh-errors.ts'
import type { CommandResult, ConnectionFacts, Session } from '../transport.ts'
import { runPiped } from './command.ts'
import type { ForwardTarget } from './mux.ts'
import { PipeSocket } from './pipe-socket.ts'
import type { Opened, Streams } from './streams.ts'

export interface OpensshSessionOptions {
  streams: Streams
  place: Place
  facts: ConnectionFacts
  clock: Clock
  channelTimeoutMs: number
  /** Resolves with why the program or the master is gone. */
  gone: Promise<PluginError>
  /** The words that run a command there; absent where each would be a login of its own. */
  command?: ((command: string) => readonly string[]) | undefined
  /** Ends the program, or lets go of the master. */
  letGo: () => void
}

/** Time in which a living master says so, in milliseconds. */
const JUDGE_MS = 5_000

/** Nothing listens there; that the server says so is a sign of life. */
const NOWHERE: ForwardTarget = { host: '127.0.0.1', port: 1 }

export class OpensshSession implements Session {
  readonly closed: Promise<PluginError>
  readonly facts: ConnectionFacts
  readonly #options: OpensshSessionOptions
  readonly #open = new Set<PipeSocket>()
  /** What is being opened. */
  readonly #attempts = new Set<AbortController>()
  #lastTarget = NOWHERE
  #heardAt: number
  #isEnded = false
  #lost: PluginError | undefined

  constructor(options: OpensshSessionOptions) {
    this.#options = options
    this.#heardAt = options.clock.now()
    this.facts = options.facts
    this.closed = options.gone.then((error) => this.#lose(error))
  }

  async open(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    const target = { host, port }
    const stream = await this.#openBefore(target, signal)
    this.#lastTarget = target
    return stream
  }

  /** Opens a channel where one was opened before: whatever the server answers to that, it lives. */
  async probe(signal: AbortSignal): Promise<void> {
    try {
      const stream = await this.#openBefore(this.#lastTarget, signal)
      stream.destroy()
    } catch (error) {
      if (!isAnswer(error)) throw error
    }
  }

  async run(command: string, signal: AbortSignal): Promise<CommandResult> {
    const { command: words, place } = this.#options
    signal.throwIfAborted()
    if (this.#lost) throw this.#lost
    if (words) return runPiped(words(command), signal)
    throw new PluginError(
      'SSH_UNSUPPORTED',
      `No command is run at ${place.alias}, since it would be a login of its own`,
      {
        hint: 'Set transport = "ssh2" for this server.',
      },
    )
  }

  get heardAt(): number {
    return this.#heardAt
  }

  end(reason?: PluginError): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#lose(reason ?? this.#endedError())
    this.#options.streams.end()
    this.#options.letGo()
  }

  async #openBefore(target: ForwardTarget, signal: AbortSignal | undefined): Promise<PipeSocket> {
    signal?.throwIfAborted()
    if (this.#lost) throw this.#lost
    const { streams, clock, channelTimeoutMs, place } = this.#options
    const attempt = new AbortController()
    const giveUp = () => attempt.abort(signal?.reason)
    signal?.addEventListener('abort', giveUp, { once: true })
    const isOver = new AbortController()
    clock.sleep(channelTimeoutMs, isOver.signal).then(
      () => attempt.abort(channelTimeout(channelTimeoutMs, target, place)),
      () => {},
    )
    this.#attempts.add(attempt)
    try {
      const opened = await streams.open(target, attempt.signal)
      this.#heardAt = clock.now()
      return this.#adopt(opened)
    } catch (error) {
      if (attempt.signal.aborted || error instanceof PluginError) throw error
      throw (await this.#judge(async () => Promise.reject(error))) ?? error
    } finally {
      signal?.removeEventListener('abort', giveUp)
      this.#attempts.delete(attempt)
      isOver.abort()
    }
  }

  #adopt(opened: Opened): PipeSocket {
    const stream = new PipeSocket(opened, () => this.#judge(() => opened.isSound()))
    if (this.#lost) stream.destroy(this.#lost)
    opened.output.on('data', () => {
      this.#heardAt = this.#options.clock.now()
    })
    this.#open.add(stream)
    stream.once('close', () => this.#open.delete(stream))
    return stream
  }

  /** An end that nobody can vouch for is a loss; why is known when the program has ended, which follows at once. */
  async #judge(isSound: () => Promise<void>): Promise<PluginError | undefined> {
    if (this.#lost) return this.#lost
    const isOver = new AbortController()
    const tooLong = this.#options.clock.sleep(JUDGE_MS, isOver.signal).then(
      () => lostError('', this.#options.place),
      () => undefined,
    )
    try {
      const unsound = isSound().then(
        () => undefined,
        (error) =>
          Promise.race([this.closed, soon(this.#options.clock, isOver.signal, lostError(error, this.#options.place))]),
      )
      return await Promise.race([unsound, tooLong])
    } finally {
      isOver.abort()
    }
  }

  #lose(error: PluginError): PluginError {
    this.#lost ??= error
    for (const stream of this.#open) stream.destroy(this.#lost)
    for (const attempt of this.#attempts) attempt.abort(this.#lost)
    return this.#lost
  }

  #endedError(): PluginError {
    return new PluginError('SSH_DISCONNECTED', `The SSH connection to ${this.#options.place.alias} was closed`)
  }
}

/** Time in which a program that lost its link has ended, in milliseconds. */
const ENDING_MS = 1_000

async function soon(clock: Clock, signal: AbortSignal, error: PluginError): Promise<PluginError> {
  await clock.sleep(ENDING_MS, signal).catch(() => {})
  return error
}

/** Whether this error is what the far end said, and not our own guess. */
function isAnswer(error: unknown): boolean {
  return error instanceof PluginError && (error.code === 'API_UNAVAILABLE' || error.code === 'SSH_FORWARDING_DENIED')
}
