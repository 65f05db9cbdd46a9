// A connection that is up: streams are opened in it until it is lost or ended. How it came up is in ssh2.ts.
import type { Duplex } from 'node:stream'
import type { Clock } from '../../core/clock.ts'
import { PluginError } from '../../core/errors.ts'
import { channelError, channelTimeout, isProhibited, lostError, type Place } from '../ssh-errors.ts'
import type { CommandResult, ConnectionFacts, Session } from '../transport.ts'
import { type Channel, ChannelSocket } from './channel-socket.ts'
import { runCommand } from './command.ts'
import type { Bridge } from './exec-bridge.ts'
import type { ExecClient } from './exec-channel.ts'

/** What is used of an ssh2 client that is logged in. */
export interface ForwardingClient {
  forwardOut(
    fromHost: string,
    fromPort: number,
    toHost: string,
    toPort: number,
    callback: (error: Error | undefined, channel: Channel) => void,
  ): unknown
  openssh_forwardOutStreamLocal(path: string, callback: (error: Error | undefined, channel: Channel) => void): unknown
  unforwardIn(bindHost: string, bindPort: number, callback: (error?: Error) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'close', listener: () => void): unknown
  end(): unknown
}

/** What is used of the socket under it. */
export interface Carrier {
  readonly destroyed: boolean
  readonly writable: boolean
  readonly readableEnded: boolean
  /** Why it was destroyed, when there was an error. */
  readonly errored?: Error | null
  on(event: 'data', listener: () => void): unknown
  destroySoon(): unknown
  destroy(): unknown
}

export interface SessionOptions {
  place: Place
  facts: ConnectionFacts
  clock: Clock
  channelTimeoutMs: number
  /** What runs commands. */
  exec?: ExecClient | undefined
  /** For a server that forbids forwarding. */
  bridge?: Bridge | undefined
}

export class Ssh2Session implements Session {
  readonly closed: Promise<PluginError>
  readonly facts: ConnectionFacts
  readonly #client: ForwardingClient
  readonly #carrier: Carrier
  readonly #options: SessionOptions
  /** The first error after the login says more than the bare end that follows it. */
  #cause: Error | undefined
  /** Why it was taken for dead from outside, which says more still. */
  #reason: PluginError | undefined
  #isEnded = false
  #heardAt: number
  /** Those who wait for a sign of life. */
  readonly #probing = new Set<(error: PluginError) => void>()

  constructor(client: ForwardingClient, carrier: Carrier, options: SessionOptions) {
    this.#client = client
    this.#carrier = carrier
    this.#options = options
    this.facts = options.facts
    client.on('error', (error) => {
      this.#cause ??= error
    })
    this.#heardAt = options.clock.now()
    carrier.on('data', () => {
      this.#heardAt = options.clock.now()
    })
    this.closed = new Promise((resolve) => client.on('close', () => resolve(this.#lostNow())))
    this.closed.then((error) => {
      for (const reject of this.#probing) reject(error)
    })
  }

  get heardAt(): number {
    return this.#heardAt
  }

  async open(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    signal?.throwIfAborted()
    const lost = this.#lost()
    if (lost) throw lost
    const timer = new AbortController()
    const giveUp = () => timer.abort()
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      return await this.#openBefore(this.#deadline(timer.signal), { host, port }, signal)
    } catch (error) {
      timer.abort()
      const { bridge } = this.#options
      if (!bridge || !isProhibited(error)) throw error
      return await this.#bridged(bridge, { host, port }, error, signal)
    } finally {
      signal?.removeEventListener('abort', giveUp)
      timer.abort()
    }
  }

  /** When the connection is lost meanwhile, that is what is told. */
  async #bridged(
    bridge: Bridge,
    target: { host: string; port: number },
    denied: PluginError,
    signal?: AbortSignal,
  ): Promise<Duplex> {
    try {
      return await bridge.open(target, denied, () => this.#lost(), signal)
    } catch (error) {
      throw signal?.aborted ? signal.reason : (this.#lost() ?? error)
    }
  }

  async run(command: string, signal: AbortSignal): Promise<CommandResult> {
    const { exec, place } = this.#options
    const lost = this.#lost()
    if (lost) throw lost
    if (!exec) throw new PluginError('SSH_UNSUPPORTED', `${place.alias} runs no command`)
    return runCommand(exec, command, place, signal)
  }

  /** Any answer is a sign of life: this asks to cancel a forward that was never asked for, which every server refuses. */
  probe(signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    return new Promise<void>((resolve, reject) => {
      const lost = this.#lost()
      if (lost) return reject(lost)
      this.#probing.add(reject)
      over.signal.addEventListener('abort', () => this.#probing.delete(reject))
      signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal })
      // ssh2 answers for a server that is gone.
      const answered = () => {
        const gone = this.#lost()
        if (gone) reject(gone)
        else resolve()
      }
      this.#client.unforwardIn('127.0.0.1', 1, answered)
    }).finally(() => over.abort())
  }

  end(reason?: PluginError): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#reason = reason
    this.#client.end()
    // What a dead link still has to send would be waited for in vain.
    if (reason) this.#carrier.destroy()
    else this.#carrier.destroySoon()
  }

  /** Resolves to true when the time is up, to false when nobody waits any more. */
  #deadline(signal: AbortSignal): Promise<boolean> {
    return this.#options.clock.sleep(this.#options.channelTimeoutMs, signal).then(
      () => true,
      () => false,
    )
  }

  /** A channel that comes after nobody waits for it any more is closed at once. */
  #openBefore(
    deadline: Promise<boolean>,
    target: { host: string; port: number },
    signal?: AbortSignal,
  ): Promise<Duplex> {
    const { place, channelTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      let isOver = false
      const settle = (act: () => void) => {
        if (isOver) return
        isOver = true
        act()
      }
      deadline.then((isLate) =>
        settle(() => reject(isLate ? channelTimeout(channelTimeoutMs, target, place) : signal?.reason)),
      )
      const opened = (error: Error | undefined, channel: Channel) => {
        if (error) settle(() => reject(this.#lost() ?? channelError(error, target, place)))
        else if (isOver) discard(channel)
        else settle(() => resolve(new ChannelSocket(channel, () => this.#lost())))
      }
      try {
        if (target.host.startsWith('/')) this.#client.openssh_forwardOutStreamLocal(target.host, opened)
        else this.#client.forwardOut('127.0.0.1', 0, target.host, target.port, opened)
      } catch (error) {
        settle(() => reject(this.#lost() ?? lostError(error, place)))
      }
    })
  }

  /** Channels end before the client says that it is closed, so the socket is looked at too. */
  #lost(): PluginError | undefined {
    const { destroyed, writable, readableEnded } = this.#carrier
    return this.#isEnded || destroyed || !writable || readableEnded ? this.#lostNow() : undefined
  }

  #lostNow(): PluginError {
    const { place } = this.#options
    if (this.#reason) return this.#reason
    if (this.#isEnded) return new PluginError('SSH_DISCONNECTED', `The SSH connection to ${place.alias} was closed`)
    return lostError(this.#cause ?? this.#carrier.errored ?? '', place)
  }
}

function discard(channel: Channel): void {
  channel.on('error', () => {})
  channel.close()
  channel.resume()
}
