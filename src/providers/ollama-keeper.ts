// Ollama's dialect of looking after models: what is in memory, what a model is, pulling, deleting, copying, loading.
// Not here: the list of installed models (ollama.ts); what a failed pull's words mean (pull-errors.ts).
import * as z from 'zod'
import { PluginError } from '../core/errors.ts'
import { lineBatches } from '../core/framing.ts'
import type { HttpRequest, HttpResponse, LoadedModel, ModelDetails, ModelKeeper, PullReport } from './provider.ts'
import { pullError } from './pull-errors.ts'

/** A model that stays is told to be unloaded in some 292 years. */
const FOR_EVER_MS = 100 * 365 * 24 * 3_600_000

// What has another type than it should is as good as not told.
const count = z.number().nullish().catch(undefined)
const text = z.string().nullish().catch(undefined)

const psSchema = z.object({
  models: z
    .array(
      z.object({
        name: z.string(),
        digest: text,
        size: count,
        size_vram: count,
        context_length: count,
        expires_at: text,
      }),
    )
    .nullish(),
})

const showSchema = z.object({
  parameters: text,
  template: text,
  system: text,
  license: text,
  modelfile: text,
  capabilities: z.array(z.string()).nullish().catch(undefined),
  model_info: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  projector_info: z.unknown().optional(),
})

const reportSchema = z.object({
  error: z.unknown().optional(),
  status: text,
  digest: text,
  total: count,
  completed: count,
})

/** What of the server's requests is needed; each throws as `Ollama`'s own. */
export interface KeeperDeps {
  /** The server's name in the configuration, for sentences. */
  server: string
  /** A response whose status says that it is the answer; `refused` says what else its body means, if that is its own. */
  send(request: HttpRequest, refused?: (body: string, status: number) => PluginError): Promise<HttpResponse>
  /** As `send`, and its body as JSON. */
  json(request: HttpRequest): Promise<unknown>
  /** @throws PluginError API_PROTOCOL for what does not have the schema */
  read<T>(schema: z.ZodType<T>, value: unknown): T
  /** Milliseconds since the epoch. */
  now(): number
}

export class OllamaKeeper implements ModelKeeper {
  readonly #deps: KeeperDeps

  constructor(deps: KeeperDeps) {
    this.#deps = deps
  }

  async loadedModels(signal?: AbortSignal): Promise<LoadedModel[]> {
    const { json, read, now } = this.#deps
    const { models } = read(psSchema, await json({ method: 'GET', path: '/api/ps', signal }))
    return (models ?? []).map((model) => ({
      name: model.name,
      ...present({
        digest: model.digest,
        size: model.size,
        vram: model.size_vram,
        context: model.context_length,
        expires: expiryOf(model.expires_at, now()),
      }),
    }))
  }

  async show(model: string, signal?: AbortSignal): Promise<ModelDetails> {
    const { json, read } = this.#deps
    const request = { method: 'POST', path: '/api/show', isSafe: true, body: { model }, signal } as const
    const shown = read(showSchema, await json(request))
    const info = shown.model_info
    return present({
      parameters: shown.parameters,
      template: shown.template,
      system: shown.system,
      license: shown.license,
      modelFile: shown.modelfile,
      capabilities: shown.capabilities ?? capabilitiesBySigns(shown),
      trainedContext: trainedContextOf(info),
      info,
    })
  }

  async *pull(model: string, { signal }: { signal: AbortSignal }): AsyncGenerator<PullReport> {
    const { server } = this.#deps
    let status = ''
    for await (const batch of lineBatches(await this.#askToPull(model, signal))) {
      for (const line of batch) {
        if (line.trim() === '') continue
        const report = this.#reportOf(line, model)
        status = report.status
        yield report
      }
    }
    if (status === 'success') return
    throw new PluginError('API_INCOMPLETE', `${server} ended the pull of ${model} before it was done`, {
      hint: 'What was fetched is kept there: pulling again goes on with it.',
    })
  }

  async remove(model: string): Promise<void> {
    await this.#done({ method: 'DELETE', path: '/api/delete', body: { model } })
  }

  async copy(model: string, to: string): Promise<void> {
    await this.#done({ method: 'POST', path: '/api/copy', body: { source: model, destination: to } })
  }

  async load(
    model: string,
    { keepAlive, signal }: { keepAlive?: string | number; signal?: AbortSignal },
  ): Promise<void> {
    const body = { model, ...present({ keep_alive: keepAlive }) }
    try {
      await this.#done({ method: 'POST', path: '/api/generate', body: { ...body, stream: false }, signal })
    } catch (thrown) {
      // A model that only embeds is loaded by embedding nothing.
      if (!(thrown instanceof PluginError) || thrown.code !== 'API_MODEL_UNFIT') throw thrown
      await this.#done({ method: 'POST', path: '/api/embed', body: { ...body, input: [] }, signal })
    }
  }

  async unload(model: string): Promise<void> {
    await this.#done({ method: 'POST', path: '/api/generate', body: { model, keep_alive: 0, stream: false } })
  }

  async #askToPull(model: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { send, server } = this.#deps
    const request = { method: 'POST', path: '/api/pull', body: { model, stream: true }, signal } as const
    const response = await send(request, (body, status) => pullError(body, { server, status, model }))
    return response.body
  }

  #reportOf(line: string, model: string): PullReport {
    const { server } = this.#deps
    const parsed = reportSchema.safeParse(tryParse(line))
    const report = parsed.data
    if (!report || report.error !== undefined || typeof report.status !== 'string')
      throw pullError(line, { server, model })
    const { status, digest, total, completed } = report
    if (!digest || !total) return { status }
    return { status, layer: { digest, total, completed: completed ?? 0 } }
  }

  /** Closes an answer of which nothing but its success matters. */
  async #done(request: HttpRequest): Promise<void> {
    const { body } = await this.#deps.send(request)
    for await (const _ of body);
  }
}

function expiryOf(told: string | null | undefined, now: number): number | 'never' | undefined {
  const expires = Date.parse(told ?? '')
  if (Number.isNaN(expires)) return undefined
  return expires - now > FOR_EVER_MS ? 'never' : expires
}

function trainedContextOf(info: Readonly<Record<string, unknown>> | null | undefined): number | undefined {
  const context = info?.[`${info['general.architecture']}.context_length`]
  return typeof context === 'number' ? context : undefined
}

/** What a server that names no capabilities (before 0.6.4) lets be seen of them. */
function capabilitiesBySigns({ template, model_info, projector_info }: z.output<typeof showSchema>) {
  const info = model_info ?? {}
  const has = (key: string) => info[`${info['general.architecture']}.${key}`] !== undefined
  return [
    has('pooling_type') ? 'embedding' : 'completion',
    ...(template?.includes('.Tools') ? ['tools'] : []),
    ...(template?.includes('.Suffix') ? ['insert'] : []),
    ...(projector_info || has('vision.block_count') ? ['vision'] : []),
  ]
}

function tryParse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], null | undefined> }

/** Without what the server did not send. */
function present<T extends Record<string, unknown>>(fields: T): Present<T> {
  const told = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(told) as Present<T>
}
