// A link without SSH: the url is dialled from this machine.
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import { retryDelay } from './back-off.ts'
import { LinkProbe } from './link-probe.ts'
import type { LinkWatch, Occasion, Watched } from './link-watch.ts'
import type { Link, Milestone, ReadyOptions } from './transport.ts'

/** Time until a server that does not take the connection is given up. */
const CONNECT_TIMEOUT_MS = 10_000

/** With the system's own ten probes of a second each, a silent connection that is dead is noticed within 15 s. */
const KEEP_ALIVE_AFTER_MS = 5_000

interface Place {
  /** A unix socket's path when it begins with `/`. */
  host: string
  port: number
}

/** What is needed to notice that connections are dead. */
export interface DirectLife {
  place: Place
  clock: Clock
  watch: LinkWatch
  /** Connections that nobody uses now may be dead though the server is there. */
  onDoubt: () => void
}

export interface DirectOptions {
  life?: DirectLife | undefined
  connectTimeoutMs?: number
  onMilestone?: ((milestone: Milestone) => void) | undefined
}

export class DirectLink implements Link, Watched {
  readonly #timeoutMs: number
  readonly #onMilestone: DirectOptions['onMilestone']
  readonly #sockets = new Set<Socket>()
  readonly #life: DirectLife | undefined
  readonly #probe: LinkProbe | undefined
  #unwatch: (() => void) | undefined
  #isClosed = false

  constructor(options: DirectOptions = {}) {
    this.#timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
    this.#onMilestone = options.onMilestone
    this.#life = options.life
    this.#probe = options.life && this.#probeOf(options.life)
  }

  /** There is nothing to bring up, since each stream dials for itself; but those that are there may be dead. */
  async ready({ signal }: ReadyOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#sockets.size > 0) await this.#probe?.beforeRequest()
    signal?.throwIfAborted()
  }

  answered(): void {
    this.#probe?.heard()
  }

  look(occasion: Occasion): void {
    if (occasion !== 'focus') this.#life?.onDoubt()
    this.#probe?.suspect(occasion)
  }

  /** @throws PluginError API_UNAVAILABLE; the signal's reason when aborted. */
  open(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      if (this.#isClosed) return reject(new PluginError('CANCELLED', 'The link is closed'))
      const socket = connect({ ...dialOptions(host, port), timeout: this.#timeoutMs })
      this.#keep(socket)
      const hop = host.startsWith('/') ? host : `${host}:${port}`
      socket.once(
        'lookup',
        (error, address) => error ?? this.#onMilestone?.({ stage: 'resolve', hop, detail: address }),
      )
      const fail = (error: unknown) => {
        socket.destroy()
        reject(error)
      }
      const giveUp = () => fail(signal?.reason)
      const onError = (error: Error) => fail(toError(error, host, port))
      signal?.addEventListener('abort', giveUp, { once: true })
      socket.once('timeout', () => fail(tooSlow(host, port, this.#timeoutMs)))
      socket.once('error', onError)
      socket.once('close', () => {
        this.#letGo(socket)
        signal?.removeEventListener('abort', giveUp)
        reject(new PluginError('CANCELLED', 'The link was closed'))
      })
      socket.once('connect', () => {
        signal?.removeEventListener('abort', giveUp)
        socket.off('error', onError).setTimeout(0)
        this.#onMilestone?.({ stage: 'tcp', hop })
        resolve(socket)
      })
    })
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    this.#probe?.keepAnEyeOn(socket)
    this.#unwatch ??= this.#life?.watch.add(this)
  }

  #letGo(socket: Socket): void {
    this.#sockets.delete(socket)
    if (this.#sockets.size > 0) return
    this.#unwatch?.()
    this.#unwatch = undefined
  }

  #probeOf({ place, clock }: DirectLife): LinkProbe {
    return new LinkProbe({
      session: { probe: (signal) => this.#knock(place, signal) },
      clock,
      deadError: (words) => silentError(place, words),
      onDead: (error) => {
        for (const socket of this.#sockets) socket.destroy(error)
      },
    })
  }

  /** A refusal is a sign of life too: it comes from the server's machine. */
  async #knock({ host, port }: Place, signal: AbortSignal): Promise<void> {
    try {
      const stream = await this.open(host, port, signal)
      stream.destroy()
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string }
      if (code !== 'ECONNREFUSED') throw error
    }
  }

  /** The time that a server takes to accept a connection, in milliseconds. @throws PluginError API_UNAVAILABLE */
  async measure({ host, port }: Place, clock: Clock, signal?: AbortSignal): Promise<number> {
    const before = clock.now()
    const stream = await this.open(host, port, signal)
    stream.destroy()
    return clock.now() - before
  }

  /** Resolves when the server accepts a connection; it is dialled at growing intervals until then. */
  async whenBack(
    place: Place,
    { clock, random = Math.random }: { clock: Clock; random?: (() => number) | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.measure(place, clock, signal)
        return
      } catch (error) {
        if (!(error instanceof PluginError) || error.code !== 'API_UNAVAILABLE') throw error
        await clock.sleep(retryDelay(tries, error, random), signal)
      }
    }
  }

  close(): void {
    this.#isClosed = true
    this.#probe?.stop()
    for (const socket of this.#sockets) socket.destroy()
  }
}

function dialOptions(host: string, port: number) {
  if (host.startsWith('/')) return { path: host }
  return { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS }
}

function silentError({ host, port }: Place, words: string): PluginError {
  return new PluginError('API_UNAVAILABLE', `${host.startsWith('/') ? host : `${host}:${port}`} ${words}`, {
    hint: 'Check the network, the address and any firewall between.',
  })
}

function tooSlow(host: string, port: number, ms: number): PluginError {
  return new PluginError('API_UNAVAILABLE', `${host}:${port} did not answer in ${ms / 1000} s`, {
    hint: 'Check the network, the address and any firewall between.',
  })
}

function toError(error: Error & { code?: string }, host: string, port: number): PluginError {
  if (host.startsWith('/')) return noSocket(error, host)
  switch (error.code) {
    case 'ECONNREFUSED':
      return new PluginError('API_UNAVAILABLE', `Nothing listens on ${host}:${port}`, {
        hint: 'Is Ollama running there? systemctl status ollama, or: ollama serve',
        cause: error,
      })
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new PluginError('API_UNAVAILABLE', `The host name ${host} is not known`, {
        hint: 'Check the url of this server, and the network.',
        cause: error,
      })
    default:
      return new PluginError('API_UNAVAILABLE', `${host}:${port} cannot be reached: ${error.message}`, {
        hint: 'Check the url of this server, and the network.',
        cause: error,
      })
  }
}

function noSocket(error: Error & { code?: string }, path: string): PluginError {
  const isForbidden = error.code === 'EACCES' || error.code === 'EPERM'
  const isAbsent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
  const what = isForbidden ? 'may not be used by you' : isAbsent ? 'has nobody who listens' : `fails: ${error.message}`
  return new PluginError('API_UNAVAILABLE', `The socket ${path} ${what}`, {
    hint: isForbidden
      ? 'Check the rights of the socket and of its folder.'
      : 'Check the url of this server, and what listens there.',
    cause: error,
  })
}
