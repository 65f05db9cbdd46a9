// The web, seen from this machine or from a server's: HTTPS whose certificates are always verified here, whoever carries it.
// Not here: who is asked for what (models/registry.ts).
import type { Duplex } from 'node:stream'
import type { Agent, buildConnector, Dispatcher } from 'undici'
import type { Clock } from '../../core/clock.ts'
import { PluginError } from '../../core/errors.ts'
import type { Web, WebRequest, WebResponse } from '../../models/web.ts'
import type { Link } from '../transport.ts'
import { everythingOf } from './body.ts'
import { loadUndici, raceAbort, type Undici } from './http.ts'
import { NotSent } from './http-errors.ts'
import { tooSlow, unreachable } from './web-errors.ts'

/** For a request with its redirects, in milliseconds. */
const REQUEST_TIMEOUT_MS = 5_000
const MAX_REDIRECTS = 3
const MAX_BODY_BYTES = 8 * 1024 * 1024
/** For each registry: a check has no more requests at once. */
const MAX_CONNECTIONS = 16

/** For tests: other addresses for hosts of the web, and authorities that vouch for them besides the usual ones. */
export interface Detour {
  /** By `host:port`. */
  places: Readonly<Record<string, { host: string; port: number }>>
  authorities: readonly string[]
}

export interface WebOptions {
  clock: Clock
  /** The server from which the web is seen; by default it is this machine, with the proxies that its environment names. */
  link?: Link | undefined
  detour?: Detour | undefined
}

export class TunnelWeb implements Web {
  readonly #options: WebOptions
  readonly #over = new AbortController()
  #dispatcher: Promise<{ undici: Undici; dispatcher: Dispatcher }> | undefined
  /** After an abort undici dials anew for nobody. */
  #unanswered = 0

  constructor(options: WebOptions) {
    this.#options = options
  }

  async request(request: WebRequest): Promise<WebResponse> {
    const late = new AbortController()
    const done = new AbortController()
    const { clock } = this.#options
    clock.sleep(REQUEST_TIMEOUT_MS, done.signal).then(
      () => late.abort(tooSlow(REQUEST_TIMEOUT_MS)),
      () => {},
    )
    this.#unanswered++
    const signal = AbortSignal.any([request.signal, late.signal, this.#over.signal])
    try {
      return await this.#follow({ ...request, signal })
    } catch (error) {
      throw signal.aborted ? signal.reason : unreachable(error, request.url)
    } finally {
      this.#unanswered--
      done.abort()
    }
  }

  close(): void {
    if (this.#over.signal.aborted) return
    this.#over.abort(new PluginError('CANCELLED', 'The look at the registries was ended'))
    this.#dispatcher?.then(({ dispatcher }) => dispatcher.destroy()).catch(() => {})
  }

  async #follow(request: WebRequest): Promise<WebResponse> {
    let { url } = request
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const response = await this.#send({ ...request, url })
      const next = redirectOf(response, url)
      if (!next) return response
      if (next.protocol !== 'https:') {
        throw new PluginError('API_PROTOCOL', `${url.host} leads on to ${next.origin}, where nothing is encrypted`)
      }
      url = next
    }
    throw new PluginError('API_PROTOCOL', `${request.url.host} leads on and on`)
  }

  async #send({ method, url, headers, signal }: WebRequest): Promise<WebResponse> {
    const { link } = this.#options
    if (link) await link.ready({ signal, isUnattended: true })
    this.#dispatcher ??= this.#makeDispatcher()
    const { undici, dispatcher } = await this.#dispatcher
    signal.throwIfAborted()
    const asked = undici.request(url.href, {
      ...{ dispatcher, method, signal },
      headers: { 'user-agent': 'ollama-remote.nvim', ...headers },
    })
    const response = await raceAbort(asked, signal)
    link?.answered?.()
    const body = await wholeOf(everythingOf(response.body), url)
    // undici gives the connection back one turn later; whoever asks again at once would be given a second one.
    await new Promise((resolve) => setImmediate(resolve))
    const lines = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
    return { status: response.statusCode, headers: Object.fromEntries(lines), body }
  }

  async #makeDispatcher(): Promise<{ undici: Undici; dispatcher: Dispatcher }> {
    const undici = await loadUndici()
    const { link, detour } = this.#options
    const tls = {
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
      rejectUnauthorized: true,
      ...(detour?.authorities.length ? { ca: [...detour.authorities] } : {}),
    }
    const options: Agent.Options = {
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout: REQUEST_TIMEOUT_MS,
    }
    const dial = undici.buildConnector({ ...tls, timeout: REQUEST_TIMEOUT_MS })
    if (link) {
      const connect: buildConnector.connector = (target, callback) => this.#dialFrom(link, target, dial, callback)
      return { undici, dispatcher: new undici.Agent({ ...options, connect }) }
    }
    const connect: buildConnector.connector = (target, callback) =>
      dial({ ...target, ...this.#placeOf(target) }, callback)
    return { undici, dispatcher: new undici.EnvHttpProxyAgent({ ...options, connect, requestTls: tls }) }
  }

  /** Must call back later, never at once: undici would stall for ever. Errors of undici's own codes would make it dial on. */
  #dialFrom(
    link: Link,
    target: buildConnector.Options,
    overTls: buildConnector.connector,
    callback: buildConnector.Callback,
  ): void {
    const open = async (): Promise<Duplex> => {
      if (this.#unanswered === 0) throw new PluginError('CANCELLED', 'Nobody waits for this channel')
      const { hostname, port } = this.#placeOf(target)
      // A signal of its own each, for many listen at once.
      return link.open(hostname.replace(/^\[|\]$/g, ''), Number(port), AbortSignal.any([this.#over.signal]))
    }
    open().then(
      (socket) => {
        if (target.protocol === 'https:') overTls({ ...target, httpSocket: socket as never }, callback)
        else callback(null, socket as never)
      },
      (error) => callback(new NotSent(error), null),
    )
  }

  #placeOf({ hostname, port, protocol }: buildConnector.Options): { hostname: string; port: string } {
    const number = Number(port) || (protocol === 'https:' ? 443 : 80)
    const detour = this.#options.detour?.places[`${hostname}:${number}`]
    return detour ? { hostname: detour.host, port: String(detour.port) } : { hostname, port: String(number) }
  }
}

function redirectOf({ status, headers }: WebResponse, from: URL): URL | undefined {
  const { location } = headers
  if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return undefined
  if (URL.canParse(location, from.href)) return new URL(location, from)
  throw new PluginError('API_PROTOCOL', `${from.host} leads on to something that is no address`)
}

async function wholeOf(body: AsyncIterable<Uint8Array>, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new PluginError('API_PROTOCOL', `${url.host} sent more than a sensible answer`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
