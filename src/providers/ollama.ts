// Ollama's dialect: discovery and streaming chat.
// Not here: what carries the requests; how models are looked after (ollama-keeper.ts); how lines become parts
// (ollama-stream.ts); what errors mean (ollama-errors.ts); how a cut answer is gone on with (ollama-resume.ts).
import * as z from 'zod'
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import { errorFromAnswer } from './ollama-errors.ts'
import { OllamaKeeper } from './ollama-keeper.ts'
import { OllamaResume } from './ollama-resume.ts'
import { partsOf } from './ollama-stream.ts'
import { PhaseFeed, withPhases } from './phases.ts'
import type {
  ChatRequest,
  Http,
  HttpRequest,
  HttpResponse,
  Model,
  ModelKeeper,
  PartialAnswer,
  Provider,
  StreamPart,
  Think,
} from './provider.ts'

/** How many `/api/show` requests an old server without capabilities in its list gets at once. */
const SHOW_AT_ONCE = 4

/** How often the server is asked whether the model is loaded, while nothing comes. */
const LOADED_POLL_MS = 1_000

/** A warm model answers sooner than this, and is spared the question. */
const LOADED_FIRST_POLL_MS = 300

/** A model that is loaded, yet silent for so long in a continuation, may still be at the request that was cut. */
const BUSY_AFTER_MS = 8_000

const MAX_JSON_BYTES = 64 * 1024 * 1024

const versionSchema = z.object({ version: z.string() })
const detailsSchema = z
  .object({
    parent_model: z.string().nullish(),
    family: z.string().nullish(),
    parameter_size: z.string().nullish(),
    quantization_level: z.string().nullish(),
  })
  .nullish()
const tagsSchema = z.object({
  models: z
    .array(
      z.object({
        name: z.string(),
        size: z.number().nullish(),
        digest: z.string().nullish(),
        modified_at: z.string().nullish(),
        remote_host: z.string().nullish(),
        details: detailsSchema,
        capabilities: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
})
const loadedSchema = z.object({
  models: z.array(z.object({ name: z.string(), model: z.string().nullish() })).nullish(),
})
const showSchema = z.object({ capabilities: z.array(z.string()).nullish() })

interface LoadingWatch {
  feed: PhaseFeed
  signal: AbortSignal
  /** From when on a silence is told as `busy`; never by default. */
  busyAfterMs: number | undefined
}

type Refused = (body: string, status: number) => PluginError

export interface OllamaDeps {
  http: Http
  clock: Clock
  /** The server's name in the configuration, for sentences. */
  server: string
  /** What a digest can, as far as that was learnt in an earlier session. */
  known?: (digest: string) => readonly string[] | undefined
}

export class Ollama implements Provider {
  readonly keeper: ModelKeeper
  readonly #deps: OllamaDeps
  readonly #resume: OllamaResume
  /** Capabilities by digest, or by name where no digest is known: a digest never changes what it can. */
  readonly #capabilities = new Map<string, readonly string[] | undefined>()
  /** The digest last seen of a name, so that a chat's first request needs no list. */
  readonly #digests = new Map<string, string>()

  constructor(deps: OllamaDeps) {
    this.#deps = deps
    this.keeper = new OllamaKeeper({
      server: deps.server,
      now: () => deps.clock.now(),
      send: (request, refused) => this.#send(request, refused),
      json: (request) => this.#json(request),
      read: (schema, value) => this.#read(schema, value),
    })
    this.#resume = new OllamaResume({
      json: (request) => this.#json(request),
      parts: (request, model) => this.#parts(request, model),
    })
  }

  async version(signal?: AbortSignal): Promise<string> {
    return this.#read(versionSchema, await this.#json({ method: 'GET', path: '/api/version', signal })).version
  }

  async models(signal?: AbortSignal): Promise<Model[]> {
    return this.#completeCapabilities(await this.installed(signal), signal)
  }

  /** As `models`, with nothing that takes more than one question. */
  async installed(signal?: AbortSignal): Promise<Model[]> {
    const tags = this.#read(tagsSchema, await this.#json({ method: 'GET', path: '/api/tags', signal }))
    const models = (tags.models ?? []).map(
      (tag): Model => ({
        name: tag.name,
        ...defined('size', tag.size),
        ...defined('digest', tag.digest),
        ...defined('family', tag.details?.family),
        ...defined('parameters', tag.details?.parameter_size),
        ...defined('quantization', tag.details?.quantization_level),
        ...defined('capabilities', tag.capabilities),
        ...defined('modified', momentOf(tag.modified_at)),
        ...defined('parent', tag.details?.parent_model || undefined),
        ...defined('remote', tag.remote_host || undefined),
      }),
    )
    for (const model of models) this.#remember(model)
    return models
  }

  async loaded(signal?: AbortSignal): Promise<string[]> {
    const answer = this.#read(loadedSchema, await this.#json({ method: 'GET', path: '/api/ps', signal }))
    return (answer.models ?? []).map(({ name }) => name)
  }

  stream(request: ChatRequest, { signal }: { signal: AbortSignal }): AsyncGenerator<StreamPart> {
    return this.#watched(request.model, { signal }, (life, feed) => this.#answer(request, life, feed))
  }

  resume(
    request: ChatRequest,
    partial: PartialAnswer,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<StreamPart> {
    return this.#watched(request.model, { signal, busyAfterMs: BUSY_AFTER_MS }, (life, feed) =>
      this.#continuation(request, partial, life, feed),
    )
  }

  /** An answer's parts, and before the first of them what the server is at. */
  async *#watched(
    model: string,
    { signal, busyAfterMs }: { signal: AbortSignal; busyAfterMs?: number },
    begin: (life: AbortSignal, feed: PhaseFeed) => AsyncGenerator<StreamPart>,
  ): AsyncGenerator<StreamPart> {
    signal.throwIfAborted()
    const answered = new AbortController()
    const left = new AbortController()
    const life = AbortSignal.any([signal, left.signal])
    const feed = new PhaseFeed()
    const watch = { feed, signal: AbortSignal.any([life, answered.signal]), busyAfterMs }
    void this.#watchLoading(model, watch).catch(() => {})
    yield* withPhases(begin(life, feed), feed, { onFirst: () => answered.abort(), onLeave: () => left.abort() })
  }

  async *#continuation(
    request: ChatRequest,
    partial: PartialAnswer,
    signal: AbortSignal,
    feed: PhaseFeed,
  ): AsyncGenerator<StreamPart> {
    const think = await this.#think(request, signal, feed)
    yield* this.#resume.parts({ request, partial, think, signal, onPhase: feed.push })
  }

  async *#answer(request: ChatRequest, signal: AbortSignal, feed: PhaseFeed): AsyncGenerator<StreamPart> {
    const think = await this.#think(request, signal, feed)
    const body = {
      model: request.model,
      messages: request.messages,
      stream: true,
      ...(think === undefined ? {} : { think }),
      ...(Object.keys(request.options).length === 0 ? {} : { options: request.options }),
      ...(request.keepAlive === undefined ? {} : { keep_alive: request.keepAlive }),
    }
    yield* this.#parts({ method: 'POST', path: '/api/chat', signal, onPhase: feed.push, body }, request.model)
  }

  async *#parts(request: HttpRequest, model: string): AsyncGenerator<StreamPart> {
    const response = await this.#send(request)
    yield* partsOf(response.body, { server: this.#deps.server, model })
  }

  /**
   * Tells what a silent server is most likely at: a model that `/api/ps` does not list is being loaded
   * (so since 0.30; older ones list it a little early, and then "reading" is said too soon). No server tells whether it
   * still works at a request whose link died: one that is loaded and stays silent for long may.
   */
  async #watchLoading(model: string, { feed, signal, busyAfterMs }: LoadingWatch): Promise<void> {
    const { clock } = this.#deps
    await clock.sleep(LOADED_FIRST_POLL_MS, signal)
    let silentSince: number | undefined
    while (!signal.aborted) {
      const loaded = await this.#isLoaded(model, signal)
      silentSince = loaded ? (silentSince ?? clock.now()) : undefined
      const isBusy = silentSince !== undefined && clock.now() - silentSince >= (busyAfterMs ?? Number.POSITIVE_INFINITY)
      if (loaded !== undefined && !signal.aborted) feed.push(isBusy ? 'busy' : loaded ? 'reading' : 'loading')
      await clock.sleep(LOADED_POLL_MS, signal)
    }
  }

  async #isLoaded(model: string, signal: AbortSignal): Promise<boolean | undefined> {
    const loaded = await this.loaded(signal).catch(() => undefined) // only a hint
    if (!loaded) return undefined
    const names = new Set([model, /:[^/]+$/.test(model) ? model : `${model}:latest`].map((name) => name.toLowerCase()))
    return loaded.some((name) => names.has(name.toLowerCase()))
  }

  /** Said explicitly wherever it is known, since its default differs between versions; left out where it is not. */
  async #think(request: ChatRequest, signal: AbortSignal, feed: PhaseFeed): Promise<Think | undefined> {
    const capabilities = await this.#capabilitiesOf(request.model, { signal, onPhase: feed.push })
    if (capabilities === undefined) return request.think
    return capabilities.includes('thinking') ? (request.think ?? true) : undefined
  }

  async #capabilitiesOf(
    model: string,
    options: Pick<HttpRequest, 'signal' | 'onPhase'>,
  ): Promise<readonly string[] | undefined> {
    const key = this.#digests.get(model) ?? model
    if (this.#capabilities.has(key)) return this.#capabilities.get(key)
    const answer = await this.#json({ method: 'POST', path: '/api/show', isSafe: true, body: { model }, ...options })
    const capabilities = this.#read(showSchema, answer).capabilities ?? undefined
    this.#capabilities.set(key, capabilities)
    return capabilities
  }

  async #completeCapabilities(models: Model[], signal?: AbortSignal): Promise<Model[]> {
    const waiting = models.filter((model) => model.capabilities === undefined)
    const complete = async () => {
      for (let model = waiting.shift(); model; model = waiting.shift()) {
        const known = model.digest === undefined ? undefined : this.#deps.known?.(model.digest)
        const capabilities = known ?? (await this.#capabilitiesOf(model.name, { signal }).catch(unlessAborted(signal)))
        if (capabilities) model.capabilities = capabilities
      }
    }
    await Promise.all(Array.from({ length: SHOW_AT_ONCE }, complete))
    return models
  }

  #remember(model: Model): void {
    if (model.digest) this.#digests.set(model.name, model.digest)
    if (model.capabilities) this.#capabilities.set(model.digest ?? model.name, model.capabilities)
  }

  async #json(request: HttpRequest): Promise<unknown> {
    const response = await this.#send(request)
    const text = await readAll(response)
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw this.#notOllama(cause)
    }
  }

  /** A response whose status says that it is the answer; `refused` tells what another one means, errorFromAnswer else. */
  async #send(request: HttpRequest, refused?: Refused): Promise<HttpResponse> {
    const { http, server } = this.#deps
    const response = await http.request(request)
    const { status } = response
    if (status < 300) return response
    const body = await readAll(response)
    throw refused?.(body, status) ?? errorFromAnswer(body, { server, status, model: modelOf(request) })
  }

  #read<T>(schema: z.ZodType<T>, value: unknown): T {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    throw this.#notOllama(parsed.error)
  }

  #notOllama(cause: unknown): PluginError {
    return new PluginError('API_PROTOCOL', `${this.#deps.server} does not answer as an Ollama server does`, {
      hint: 'Check the url of this server: does Ollama listen there?',
      cause,
    })
  }
}

/** In milliseconds since the epoch; Go's zero time is none. */
function momentOf(text: string | null | undefined): number | undefined {
  const moment = Date.parse(text ?? '')
  return moment > 0 ? moment : undefined
}

function modelOf(request: HttpRequest): string | undefined {
  const body = request.body as { model?: unknown } | undefined
  return typeof body?.model === 'string' ? body.model : undefined
}

async function readAll(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.length
    if (size > MAX_JSON_BYTES) throw new PluginError('API_PROTOCOL', 'The server sent more than a sensible answer')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function defined<K extends string, V>(key: K, value: V | null | undefined): { [P in K]?: V } {
  return (value === null || value === undefined ? {} : { [key]: value }) as { [P in K]?: V }
}

function unlessAborted(signal: AbortSignal | undefined) {
  return (): undefined => {
    signal?.throwIfAborted()
    return undefined
  }
}
