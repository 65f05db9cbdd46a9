// What registries say of a model: the digest it has there, and its manifest. Nothing of the model itself is fetched.
// Not here: what follows for a model that is installed (verdict.ts).
import type { Clock } from '../core/clock.ts'
import { digestOf, type Manifest, parseManifest } from './manifest.ts'
import type { ModelName } from './names.ts'
import type { Web, WebRequest, WebResponse } from './web.ts'

/** What a registry tells without its manifest; each may be missing. */
export interface Listed {
  digest?: string
  /** When it was put there, in milliseconds since the epoch. */
  pushed?: number
}

/** `absent`: it has no such model, or says so. All others tell nothing of the model. */
export interface Refused {
  refused: 'absent' | 'private' | 'needs newer' | 'otherwise'
  why: string
}

/** Whom Ollama's own models are asked of without their manifest, and whom for it. */
const LIST_HOST = 'ollama.com'
const MANIFEST_HOST = 'registry.ollama.ai'
const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json'

/** The longest wait that a registry may ask for, in milliseconds. */
const MAX_WAIT_MS = 5_000
const MAX_WORDS = 120

export class Registry {
  readonly #web: Web
  readonly #clock: Clock

  constructor({ web, clock }: { web: Web; clock: Clock }) {
    this.#web = web
    this.#clock = clock
  }

  /** For Ollama's own models only. @throws PluginError REGISTRY_UNREACHABLE, API_PROTOCOL; the signal's reason. */
  async list(name: ModelName, signal: AbortSignal): Promise<Listed | Refused> {
    const response = await this.#ask({ method: 'HEAD', url: manifestUrl(name, LIST_HOST), signal })
    if (response.status !== 200) return refusal(response, LIST_HOST)
    const [digest] = /(?<=^(?:sha256:)?)[0-9a-f]{64}$/.exec(response.headers['ollama-content-digest'] ?? '') ?? []
    const pushed = Number(response.headers['ollama-push-time'])
    return { ...(digest === undefined ? {} : { digest }), ...(pushed > 0 ? { pushed: pushed * 1000 } : {}) }
  }

  /** @throws PluginError REGISTRY_UNREACHABLE, API_PROTOCOL; the signal's reason. */
  async manifest(name: ModelName, signal: AbortSignal): Promise<{ digest: string; manifest: Manifest } | Refused> {
    const host = name.host.toLowerCase() === LIST_HOST ? MANIFEST_HOST : name.host
    const url = manifestUrl(name, host)
    const response = await this.#ask({ method: 'GET', url, headers: { accept: MANIFEST_TYPE }, signal })
    if (response.status !== 200) return refusal(response, host)
    const manifest = parseManifest(response.body)
    if (!manifest) return { refused: 'otherwise', why: `${host} sent something that is no manifest` }
    return { digest: digestOf(response.body), manifest }
  }

  /** Who is told to wait a little is heeded once. */
  async #ask(request: WebRequest): Promise<WebResponse> {
    const response = await this.#web.request(request)
    const wait = response.status === 429 ? waitOf(response, this.#clock.now()) : undefined
    if (wait === undefined || wait > MAX_WAIT_MS) return response
    // A signal of its own, for many may wait at once.
    await this.#clock.sleep(wait, AbortSignal.any([request.signal]))
    return this.#web.request(request)
  }
}

function manifestUrl({ namespace, model, tag, isPlain }: ModelName, host: string): URL {
  return new URL(`${isPlain ? 'http' : 'https'}://${host}/v2/${namespace}/${model}/manifests/${tag}`)
}

function refusal(response: WebResponse, host: string): Refused {
  switch (response.status) {
    case 404:
      return { refused: 'absent', why: `${host} has no model of this name` }
    case 401:
    case 403:
      return { refused: 'private', why: `it is private: ${host} tells only the server itself, when it pulls` }
    case 412:
      return { refused: 'needs newer', why: `${host} says that it needs a newer Ollama` }
    case 429:
      return { refused: 'otherwise', why: `${host} was asked too often and wants to be left alone for a while` }
    default:
      return { refused: 'otherwise', why: `${host} answered with ${response.status}${wordsOf(response)}` }
  }
}

/** As `{"errors":[{"code","message"}]}`. */
function wordsOf({ body }: WebResponse): string {
  try {
    const { errors } = JSON.parse(Buffer.from(body).toString('utf8'))
    const words = String(errors[0].message)
      .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
      .trim()
    return words === '' ? '' : `: ${words.slice(0, MAX_WORDS)}`
  } catch {
    return ''
  }
}

/** In milliseconds; seconds or a moment stand in the header. */
function waitOf({ headers }: WebResponse, now: number): number | undefined {
  const written = headers['retry-after'] ?? ''
  const wait = /^\d+$/.test(written) ? Number(written) * 1000 : Date.parse(written) - now
  return Number.isNaN(wait) ? undefined : Math.max(0, wait)
}
