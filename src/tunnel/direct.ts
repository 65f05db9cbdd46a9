// A link without SSH: the url is dialled from this machine.
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import { retryDelay } from './back-off.ts'
import type { Link, Milestone } from './transport.ts'

/** Time until a server that does not take the connection is given up. */
const CONNECT_TIMEOUT_MS = 10_000

export interface DirectOptions {
  connectTimeoutMs?: number
  onMilestone?: ((milestone: Milestone) => void) | undefined
}

export class DirectLink implements Link {
  readonly #timeoutMs: number
  readonly #onMilestone: DirectOptions['onMilestone']
  readonly #sockets = new Set<Socket>()
  #isClosed = false

  constructor(options: DirectOptions = {}) {
    this.#timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
    this.#onMilestone = options.onMilestone
  }

  /** There is nothing to bring up: each stream dials for itself. */
  async ready(options: { signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted()
  }

  /** @throws PluginError API_UNAVAILABLE; the signal's reason when aborted. */
  open(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      if (this.#isClosed) return reject(new PluginError('CANCELLED', 'The link is closed'))
      const place = host.startsWith('/') ? { path: host } : { host, port, noDelay: true }
      const socket = connect({ ...place, timeout: this.#timeoutMs })
      this.#sockets.add(socket)
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
        this.#sockets.delete(socket)
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

  /** The time that a server takes to accept a connection, in milliseconds. @throws PluginError API_UNAVAILABLE */
  async measure({ host, port }: { host: string; port: number }, clock: Clock, signal?: AbortSignal): Promise<number> {
    const before = clock.now()
    const stream = await this.open(host, port, signal)
    stream.destroy()
    return clock.now() - before
  }

  /** Resolves when the server accepts a connection; it is dialled at growing intervals until then. */
  async whenBack(
    place: { host: string; port: number },
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
    for (const socket of this.#sockets) socket.destroy()
  }
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
