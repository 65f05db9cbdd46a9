// A registry of models with TLS on the loopback address, which stands for ollama.com, registry.ollama.ai, hf.co and any other.
// It answers as those do; how a test has the host end here is its `detour`.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Detour } from '../../../src/tunnel/http/web.ts'
import { makeWebCertificates, type WebCertificates } from '../web-certificates.ts'
import type { Published } from './published.ts'

export const REGISTRY_HOSTS = ['ollama.com', 'registry.ollama.ai', 'hf.co', 'registry.example']

export interface Entry {
  published?: Published
  /** As `ollama-push-time` tells it; seconds since the epoch. */
  pushed?: number
  /** In place of what it would answer. */
  answers?: Answer
}

export type Answer =
  | 'private'
  | 'forbidden'
  | 'needs newer'
  | 'broken'
  | 'nonsense'
  | 'no headers'
  /** Never. */
  | 'silent'
  | { redirect: string }
  /** Refuses the first so many requests, each with this header where there is one. */
  | { busy: number; retryAfter?: string }

export interface RegistryRequest {
  method: string
  /** As the client named it. */
  host: string
  path: string
  headers: IncomingMessage['headers']
}

export interface RegistryDoubleOptions {
  /** Before each answer, in milliseconds. */
  delayMs?: number
  /** Other hosts for which it stands. */
  hosts?: readonly string[]
  /** The hosts of its certificate, when that is the wrong one. */
  certifiedHosts?: readonly string[]
}

export async function startRegistryDouble(options: RegistryDoubleOptions = {}): Promise<RegistryDouble> {
  const hosts = [...REGISTRY_HOSTS, ...(options.hosts ?? [])]
  const certificates = await makeWebCertificates(options.certifiedHosts ?? hosts)
  const double = new RegistryDouble(certificates, hosts, options.delayMs ?? 0)
  await double.listen()
  return double
}

export class RegistryDouble {
  readonly requests: RegistryRequest[] = []
  /** Connections that were taken. */
  connections = 0
  /** How many requests waited for their answers at one time, at the most. */
  mostAtOnce = 0
  #waiting = 0
  readonly #entries = new Map<string, Entry>()
  readonly #busy = new Map<string, number>()
  readonly #server: Server
  readonly #authority: string
  readonly #hosts: readonly string[]
  readonly #delayMs: number

  /** Use `startRegistryDouble`. */
  constructor({ authority, key, certificate }: WebCertificates, hosts: readonly string[], delayMs: number) {
    this.#authority = authority
    this.#hosts = hosts
    this.#delayMs = delayMs
    this.#server = createServer({ key, cert: certificate }, (request, response) => this.#serve(request, response))
    this.#server.on('secureConnection', () => this.connections++)
    // A client that does not trust it goes.
    this.#server.on('tlsClientError', () => {})
  }

  /** Has a model of this name, as `namespace/model/tag`, with `library` for Ollama's own. */
  publish(name: string, entry: Entry): void {
    this.#entries.set(name, entry)
  }

  /** Has the web's hosts end here. */
  get detour(): Detour {
    const place = { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port }
    return {
      places: Object.fromEntries(this.#hosts.map((host) => [host.includes(':') ? host : `${host}:443`, place])),
      authorities: [this.#authority],
    }
  }

  /** What a host finds in its environment, so that it takes the detour. */
  get environment(): Record<string, string> {
    return { OLLAMA_REMOTE_TEST_WEB: JSON.stringify(this.detour) }
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request
    this.requests.push({ method, host: headers.host ?? '', path: url, headers })
    this.#waiting += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#waiting)
    response.once('close', () => {
      this.#waiting -= 1
    })
    const [, name = ''] = /^\/v2\/([^/]+\/[^/]+)\/manifests\/[^/]+$/.exec(url) ?? []
    const key = name === '' ? '' : url.replace(/^\/v2\//, '').replace('/manifests/', '/')
    if (this.#delayMs === 0) this.#answer(key, request, response)
    else setTimeout(() => this.#answer(key, request, response), this.#delayMs)
  }

  #answer(key: string, request: IncomingMessage, response: ServerResponse): void {
    const { answers, ...entry } = this.#entries.get(key) ?? {}
    if (answers === 'silent') return
    if (answers === 'nonsense') {
      response.end('<html>Please log in</html>')
      return
    }
    if (typeof answers === 'object' && 'redirect' in answers) {
      response.writeHead(307, { location: answers.redirect }).end()
      return
    }
    if (typeof answers === 'object') {
      const left = this.#busy.get(key) ?? answers.busy
      this.#busy.set(key, left - 1)
      const wait = answers.retryAfter === undefined ? {} : { 'retry-after': answers.retryAfter }
      if (left > 0) {
        refuse(response, 429, 'TOOMANYREQUESTS', 'too many requests', wait)
        return
      }
    } else if (typeof answers === 'string' && answers !== 'no headers') {
      refusals[answers](response, request)
      return
    }
    if (!entry.published) refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    else send(entry.published, entry.pushed, answers !== 'no headers', { request, response })
  }
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

function send(
  { bytes, digest }: Published,
  pushed: number | undefined,
  isListed: boolean,
  { request, response }: Exchange,
) {
  const isOllamas = request.headers.host === 'ollama.com'
  response.writeHead(200, {
    'content-type': 'application/vnd.docker.distribution.manifest.v2+json',
    'content-length': bytes.length,
    ...(isOllamas && isListed ? { 'ollama-content-digest': digest } : {}),
    ...(isOllamas && isListed && pushed !== undefined ? { 'ollama-push-time': pushed } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ errors: [{ code, message }] }))
}

const refusals = {
  private: (response: ServerResponse, { url = '' }: IncomingMessage) => {
    const [, namespace, model] = /^\/v2\/([^/]+)\/([^/]+)/.exec(url) ?? []
    const scope = `repository:${namespace}/${model}:pull`
    const challenge = `Bearer realm="https://ollama.com/token",service="ollama.com",scope="${scope}"`
    refuse(response, 401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge })
  },
  forbidden: (response: ServerResponse) => refuse(response, 403, 'DENIED', 'access denied'),
  'needs newer': (response: ServerResponse) =>
    refuse(response, 412, 'UNSUPPORTED', 'The model you are attempting to pull requires a newer version of Ollama.'),
  broken: (response: ServerResponse) => refuse(response, 503, 'UNAVAILABLE', 'try again later'),
}
