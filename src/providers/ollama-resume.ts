// How a cut answer is gone on with on Ollama, which knows no such request: a trailing assistant message where the model's
// template leaves it open, else a prompt rendered by the server and ended by us, else a question for the rest.
// Not here: how the pieces are joined (seam.ts), what carries the requests.
import * as z from 'zod'
import { PluginError } from '../core/errors.ts'
import type { ChatRequest, HttpRequest, LinkPhase, PartialAnswer, SeamMethod, StreamPart, Think } from './provider.ts'
import { cutForSending, type Joint, Overlap, QUOTED_LENGTH, RepeatedTail } from './seam.ts'

/** Older servers ignore `_debug_render_only` and generate. */
const RENDERS_SINCE = [0, 11, 5]

/** Stands in no template. */
const PROBE = 'ZQ7 partial'

const versionSchema = z.object({ version: z.string() })
const tagsSchema = z.object({
  models: z.array(z.object({ name: z.string(), digest: z.string().nullish() })).nullish(),
})
const renderedSchema = z.object({ _debug_info: z.object({ rendered_template: z.string() }) })

type Method = Exclude<SeamMethod, 'anew'>

/** What of a continuation is the same for all its requests. */
export interface ResumeCall {
  request: ChatRequest
  partial: PartialAnswer
  /** How the model shall think, as the first request said it. */
  think: Think | undefined
  signal: AbortSignal
  onPhase: (phase: LinkPhase) => void
}

export interface OllamaResumeDeps {
  json(request: HttpRequest): Promise<unknown>
  /** The parts of a streamed answer. */
  parts(request: HttpRequest, model: string): AsyncGenerator<StreamPart>
}

export class OllamaResume {
  readonly #deps: OllamaResumeDeps
  /** What a model's template was found to allow, by digest, server version and what was rendered. */
  readonly #methods = new Map<string, readonly Method[]>()

  constructor(deps: OllamaResumeDeps) {
    this.#deps = deps
  }

  /** Asks in the best way that is known, and in the next one where the server refuses it before any word. */
  async *parts(call: ResumeCall): AsyncGenerator<StreamPart> {
    const { sent } = cutForSending(call.partial.text)
    // Thinking cannot be gone on with where llama-server renders, and a lone half word is not worth a seam.
    if (sent.trim() === '') return yield* joined(this.#chat(call, call.request.messages), 'anew')
    const methods = await this.#methodsFor(call)
    for (const [index, method] of methods.entries()) {
      const answer = await this.#by(method, call)
      try {
        const first = await answer.next()
        if (!first.done) yield first.value
      } catch (error) {
        if (index === methods.length - 1 || !isRefusal(error)) throw error
        continue
      }
      return yield* answer
    }
  }

  async #by(method: Method, call: ResumeCall): Promise<AsyncGenerator<StreamPart>> {
    const { request, partial } = call
    const { sent, dropped } = cutForSending(partial.text)
    switch (method) {
      case 'prefill':
        return joined(
          this.#chat(call, [...request.messages, unfinished(sent, partial)]),
          method,
          new RepeatedTail(dropped),
        )
      case 'raw':
        return joined(this.#raw(call, sent), method, new RepeatedTail(dropped))
      case 'continue':
        return joined(
          this.#chat({ ...call, think: call.think === undefined ? undefined : false }, [
            ...request.messages,
            { role: 'assistant', content: partial.text },
            { role: 'user', content: questionFor(partial.text) },
          ]),
          method,
          new Overlap(partial.text),
        )
    }
  }

  #chat(call: ResumeCall, messages: readonly object[]): AsyncGenerator<StreamPart> {
    return this.#deps.parts(post('/api/chat', call, { messages, stream: true }), call.request.model)
  }

  /** The prompt as the server would render it, ended by what was there of the answer. */
  async *#raw(call: ResumeCall, sent: string): AsyncGenerator<StreamPart> {
    const rendered = await this.#render(call, call.request.messages)
    if (rendered === undefined) throw new PluginError('API_PROTOCOL', 'The server does not show its prompt any more')
    const { think: _think, ...body } = bodyOf(call)
    // A header that opens the thinking is answered by closing it.
    const isThinking = /<think>\s*$/.test(rendered)
    const thought = isThinking ? `${call.partial.thinking}\n</think>\n\n` : ''
    const request = { ...body, prompt: rendered + thought + sent, raw: true, stream: true }
    yield* this.#deps.parts(
      { method: 'POST', path: '/api/generate', body: request, signal: call.signal },
      call.request.model,
    )
  }

  async #methodsFor(call: ResumeCall): Promise<readonly Method[]> {
    const { request, think, partial } = call
    const [version, digest] = await Promise.all([this.#version(call), this.#digest(call)])
    const key = [request.model, digest, version, String(think), partial.thinking !== ''].join(' ')
    const known = this.#methods.get(key)
    if (known) return known
    const methods = rendersPrompts(version) ? await this.#probe(call) : (['continue'] as const)
    this.#methods.set(key, methods)
    return methods
  }

  async #probe(call: ResumeCall): Promise<readonly Method[]> {
    const question = { role: 'user', content: 'Hello' } as const
    try {
      const rendered = await this.#render(call, [question, unfinished(PROBE, call.partial)])
      if (rendered === undefined) return ['continue']
      return rendered.endsWith(PROBE) ? ['prefill', 'raw', 'continue'] : ['raw', 'continue']
    } catch (error) {
      if (!isRefusal(error)) throw error
      return ['raw', 'continue']
    }
  }

  /** The prompt that the server would give the model; `undefined` where it does not say. It loads the model. */
  async #render(call: ResumeCall, messages: readonly object[]): Promise<string | undefined> {
    // A server that ignores the field generates: one token, then.
    const options = { ...call.request.options, num_predict: 1 }
    const body = { messages, stream: false, _debug_render_only: true, options }
    const answer = await this.#deps.json(post('/api/chat', call, body))
    return renderedSchema.safeParse(answer).data?._debug_info.rendered_template
  }

  async #version({ signal, onPhase }: ResumeCall): Promise<string> {
    const answer = await this.#deps.json({ method: 'GET', path: '/api/version', signal, onPhase })
    return versionSchema.safeParse(answer).data?.version ?? ''
  }

  async #digest({ request, signal }: ResumeCall): Promise<string | undefined> {
    const tags = tagsSchema.safeParse(await this.#deps.json({ method: 'GET', path: '/api/tags', signal }))
    const names = new Set([request.model, `${request.model}:latest`])
    return tags.data?.models?.find(({ name }) => names.has(name))?.digest ?? undefined
  }
}

function post(path: string, call: ResumeCall, body: object): HttpRequest {
  const { signal, onPhase } = call
  return { method: 'POST', path, signal, onPhase, body: { ...bodyOf(call), ...body } }
}

/** The same options as ever: others would have the model loaded anew. */
function bodyOf({ request, think }: ResumeCall) {
  return {
    model: request.model,
    ...(think === undefined ? {} : { think }),
    ...(Object.keys(request.options).length === 0 ? {} : { options: request.options }),
    ...(request.keepAlive === undefined ? {} : { keep_alive: request.keepAlive }),
  }
}

function unfinished(content: string, { thinking }: PartialAnswer): object {
  return { role: 'assistant', content, ...(thinking === '' ? {} : { thinking }) }
}

function questionFor(text: string): string {
  const end = text.slice(-QUOTED_LENGTH)
  return `Your answer was cut off. Go on exactly where it stops: no introduction, no repetition, no comment. It stops after:\n\n${end}`
}

/** The parts with a seam before the first word. What came before it is clear how to join is kept back. */
async function* joined(
  parts: AsyncGenerator<StreamPart>,
  method: SeamMethod,
  joint?: Joint,
): AsyncGenerator<StreamPart> {
  const held: StreamPart[] = []
  let isOpen = true
  for await (const part of parts) {
    if (!isOpen || part.type === 'phase') {
      yield part
      continue
    }
    const seam = seamAt(part, joint)
    if (seam === undefined) {
      if (part.type === 'thinking') held.push(part)
      continue
    }
    isOpen = false
    yield { type: 'seam', method, back: seam.back }
    yield* held
    if (seam.text !== '') yield { type: 'text', text: seam.text }
    if (!joint || part.type === 'finish') yield part
  }
}

function seamAt(part: StreamPart, joint: Joint | undefined): { back: number; text: string } | undefined {
  if (!joint) return { back: 0, text: '' }
  if (part.type === 'text') return joint.push(part.text)
  return part.type === 'finish' ? joint.end() : undefined
}

/** Whether the server said no to this way of asking, and not that it is away or that nothing at all fits. */
function isRefusal(error: unknown): boolean {
  return error instanceof PluginError && ['API_ERROR', 'API_MODEL_UNFIT', 'API_PROTOCOL'].includes(error.code)
}

/** `0.0.0` is a build of a developer's own, and as good as the newest. */
function rendersPrompts(version: string): boolean {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number)
  if (!numbers) return false
  if (numbers.every((number) => number === 0)) return true
  const differing = numbers.findIndex((number, index) => number !== RENDERS_SINCE[index])
  return differing === -1 || (numbers[differing] ?? 0) > (RENDERS_SINCE[differing] ?? 0)
}
