// HTTP over a link: the port that providers see. The only module that imports undici, and that on first need: it costs
// a start 40 ms. Proxy variables of the environment never apply.
import type { Duplex } from 'node:stream'
import type { Agent, buildConnector, Dispatcher } from 'undici'
import { PluginError } from '../../core/errors.ts'
import type { Http, HttpRequest, HttpResponse } from '../../providers/provider.ts'
import type { Link } from '../transport.ts'
import { everythingOf } from './body.ts'
import { bodyError, isDeadChannel, NotSent, requestError, withoutWrapper } from './http-errors.ts'

export type Undici = typeof import('undici')

/** A channel that is kept costs nothing; a new one costs a round trip. */
const KEEP_ALIVE_MS = 600_000
const MAX_CHANNELS = 32

export interface TunnelHttpOptions {
  link: Link
  /** The server as seen from the link's far end; a path in it goes before every request's path. */
  url: URL
  /** Certificates to trust for https, when not the usual ones alone. */
  authorities?: (() => Promise<string[]>) | undefined
  /** A request is sent again, since it met a channel that was dead. */
  onRepeat?: ((path: string, why: string) => void) | undefined
}

export class TunnelHttp implements Http {
  readonly #link: Link
  readonly #url: URL
  readonly #socketPath: string | undefined
  readonly #authorities: TunnelHttpOptions['authorities']
  readonly #onRepeat: TunnelHttpOptions['onRepeat']
  #isClosed = false
  #agent: Promise<{ undici: Undici; agent: Agent }> | undefined
  /** Those that end with their last request. */
  readonly #retired = new Set<Agent>()
  /** Requests without a response yet. */
  #unanswered = 0

  constructor(options: TunnelHttpOptions) {
    this.#link = options.link
    this.#socketPath = options.url.protocol === 'unix:' ? decodeURIComponent(options.url.pathname) : undefined
    this.#url = this.#socketPath === undefined ? options.url : new URL('http://localhost')
    this.#authorities = options.authorities
    this.#onRepeat = options.onRepeat
  }

  /** A body that is not iterated keeps its channel busy until the signal is aborted or this is closed. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    const { signal } = request
    this.#unanswered++
    try {
      const response = await this.#repeatable(request, signal)
      this.#link.answered?.()
      return {
        status: response.statusCode,
        contentType: String(response.headers['content-type'] ?? ''),
        body: this.#read(everythingOf(response.body), signal),
      }
    } catch (error) {
      throw this.#reasonToEnd(signal) ?? requestError(withoutWrapper(error), this.#url)
    } finally {
      this.#unanswered--
    }
  }

  /** Ends all requests; idempotent. The link is not closed: it may serve others. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#agent?.then(({ agent }) => agent.destroy(closedError())).catch(() => {})
    for (const agent of this.#retired) agent.destroy(closedError()).catch(() => {})
  }

  /** Closes the channels that no request uses now; those that run keep theirs. */
  renew(): void {
    const retiring = this.#agent
    this.#agent = undefined
    const retire = async () => {
      const found = await retiring
      if (!found) return
      this.#retired.add(found.agent)
      await (this.#isClosed ? found.agent.destroy(closedError()) : found.agent.close())
      this.#retired.delete(found.agent)
    }
    retire().catch(() => {})
  }

  /**
   * What only asks may be asked once again on a new channel, over a new connection if need be, when the kept one was dead.
   * What acts is sent again only if no byte of it can have left.
   */
  async #repeatable(request: HttpRequest, signal: AbortSignal | undefined): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#send(request, signal)
    } catch (error) {
      const isSafe = request.isSafe || request.method === 'GET' || request.method === 'HEAD'
      if (!(isSafe || error instanceof NotSent) || signal?.aborted || this.#isClosed || !isDeadChannel(error))
        throw error
      const cause = withoutWrapper(error)
      this.#onRepeat?.(request.path, cause instanceof Error ? cause.message : String(cause))
      return this.#send(request, signal)
    }
  }

  async #send(request: HttpRequest, signal: AbortSignal | undefined): Promise<Dispatcher.ResponseData> {
    if (this.#isClosed) throw closedError()
    await this.#link.ready({ ...(signal ? { signal } : {}), ...(request.onPhase ? { onPhase: request.onPhase } : {}) })
    this.#agent ??= this.#makeAgent().catch((error) => {
      this.#agent = undefined
      throw error
    })
    const { undici, agent } = await this.#agent
    signal?.throwIfAborted()
    if (this.#isClosed) throw closedError()
    const hasBody = request.body !== undefined
    const answer = undici.request(new URL(this.#pathTo(request.path), this.#url), {
      dispatcher: agent,
      method: request.method,
      headers: { ...this.#authorization(), ...(hasBody ? { 'content-type': 'application/json' } : {}) },
      ...(hasBody ? { body: JSON.stringify(request.body) } : {}),
      ...(signal ? { signal } : {}),
    })
    return signal ? raceAbort(answer, signal) : answer
  }

  async *#read(
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* body
      // undici gives the channel back one turn later; whoever asks again at once would be given a second one.
      await new Promise((resolve) => setImmediate(resolve))
    } catch (error) {
      throw this.#reasonToEnd(signal) ?? bodyError(error, this.#url)
    }
  }

  /** Why it was ended from here, which says more than how that looks on the wire. */
  #reasonToEnd(signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason
    return this.#isClosed ? closedError() : undefined
  }

  #pathTo(path: string): string {
    return `${this.#url.pathname.replace(/\/$/, '')}${path}`
  }

  /** A name and password in the url are for a proxy before the server; undici itself would drop them. */
  #authorization(): { authorization?: string } {
    const { username, password } = this.#url
    if (username === '') return {}
    const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return { authorization: `Basic ${Buffer.from(plain).toString('base64')}` }
  }

  async #makeAgent(): Promise<{ undici: Undici; agent: Agent }> {
    const undici = await loadUndici()
    const ca = await this.#authorities?.()
    const overTls = undici.buildConnector(ca ? { ca } : {})
    const agent = new undici.Agent({
      connect: (options, callback) => {
        this.#connect(options, overTls, callback)
      },
      connections: MAX_CHANNELS,
      pipelining: 1,
      // A model may take minutes to load and to think.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
    })
    return { undici, agent }
  }

  /** Must call back later, never at once: undici would stall for ever. Errors of undici's own codes would make it dial on. */
  #connect(
    options: buildConnector.Options,
    overTls: buildConnector.connector,
    callback: buildConnector.Callback,
  ): void {
    this.#dial(options).then(
      (socket) => {
        if (options.protocol === 'https:') overTls({ ...options, httpSocket: socket as never }, callback)
        else callback(null, socket as never)
      },
      (error) => callback(new NotSent(error), null),
    )
  }

  /** After an abort undici dials anew for nobody, which must not bring a lost link up and ask for a password. */
  async #dial(options: buildConnector.Options): Promise<Duplex> {
    if (this.#unanswered === 0) throw new PluginError('CANCELLED', 'Nobody waits for this channel')
    if (this.#socketPath !== undefined) return this.#link.open(this.#socketPath, 0)
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80)
    return this.#link.open(options.hostname, port)
  }
}

export async function loadUndici(): Promise<Undici> {
  return (await import('undici')).default as unknown as Undici
}

function closedError(): PluginError {
  return new PluginError('CANCELLED', 'The server was closed')
}

/** undici heeds an abort only once its channel is there; an answer that comes later is thrown away. */
export function raceAbort(
  answer: Promise<Dispatcher.ResponseData>,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      reject(signal.reason)
      answer.then(({ body }) => body.on('error', () => {}).destroy()).catch(() => {})
    }
    signal.addEventListener('abort', giveUp, { once: true })
    answer.finally(() => signal.removeEventListener('abort', giveUp)).then(resolve, reject)
  })
}
