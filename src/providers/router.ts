// Which server a model's name means. What a server can do is its provider's.
import { PluginError } from '../core/errors.ts'
import { type Observer, observed } from './observed.ts'
import type { ChatRequest, PartialAnswer, Provider, StreamPart } from './provider.ts'

export interface Destination {
  server: string
  /** The model's name on that server. */
  model: string
  provider: Provider
}

export class ProviderRouter {
  readonly #providers: ReadonlyMap<string, Provider>
  readonly #observer: Observer | undefined

  /** @param providers by server name, the default server first; never empty. */
  constructor(providers: ReadonlyMap<string, Provider>, observer?: Observer) {
    this.#providers = providers
    this.#observer = observer
  }

  get servers(): string[] {
    return [...this.#providers.keys()]
  }

  /**
   * Cuts `server:model`. Models have colons of their own, so only the name of a known server is cut off;
   * all else is a model of the default server.
   * @throws PluginError CHAT_NO_MODEL when nothing is left to name a model.
   */
  locate(reference: string): Destination {
    const [head = '', ...rest] = reference.split(':')
    const named = rest.length > 0 && this.#providers.has(head)
    const server = named ? head : (this.servers[0] ?? '')
    const model = named ? rest.join(':') : reference
    if (model === '')
      throw new PluginError('CHAT_NO_MODEL', `"${reference}" names no model`, {
        hint: 'Choose one with :Ollama model.',
      })
    return { server, model, provider: this.provider(server) }
  }

  /** The full name, `server:model`, of whatever the reference means. */
  fullName(reference: string): string {
    const { server, model } = this.locate(reference)
    return `${server}:${model}`
  }

  /** @throws PluginError SERVER_NOT_FOUND */
  provider(server: string): Provider {
    const provider = this.#providers.get(server)
    if (provider) return provider
    throw new PluginError('SERVER_NOT_FOUND', `No server is called "${server}"`, {
      hint: `Configured are: ${this.servers.join(', ')}.`,
    })
  }

  /** Answers a conversation with the model that the reference means. `isQuiet`: nobody is told of the request. */
  stream(
    reference: string,
    request: Omit<ChatRequest, 'model'>,
    { signal, isQuiet = false }: { signal: AbortSignal; isQuiet?: boolean },
  ): AsyncIterable<StreamPart> {
    const { provider, model, server } = this.locate(reference)
    const options = { signal }
    if (isQuiet) return provider.stream({ ...request, model }, options)
    return this.#observed(server, { ...request, model }, (whole) => provider.stream(whole, options))
  }

  /**
   * Goes on with a cut answer.
   * @throws PluginError API_MODEL_UNFIT where the provider cannot
   */
  resume(
    reference: string,
    request: Omit<ChatRequest, 'model'>,
    partial: PartialAnswer,
    options: { signal: AbortSignal },
  ): AsyncIterable<StreamPart> {
    const { provider, model, server } = this.locate(reference)
    if (provider.resume) {
      const resume = provider.resume.bind(provider)
      return this.#observed(
        server,
        { ...request, model },
        (whole) => resume(whole, partial, options),
        'the answer was cut',
      )
    }
    throw new PluginError('API_MODEL_UNFIT', `${server} cannot go on with an answer that was cut`, {
      hint: 'gr asks anew.',
    })
  }

  #observed(
    server: string,
    request: ChatRequest,
    ask: (request: ChatRequest) => AsyncIterable<StreamPart>,
    why?: string,
  ): AsyncIterable<StreamPart> {
    const parts = ask(request)
    const observer = this.#observer
    if (!observer) return parts
    const about = { server, request: observer.number(), model: `${server}:${request.model}` }
    const prompt = request.messages.at(-1)?.content
    observer.tell({ name: 'ServerSelected', ...about })
    if (why !== undefined) observer.tell({ name: 'Retry', ...about, why })
    observer.tell({
      ...{ name: 'RequestSent', ...about, messages: request.messages.length },
      ...(observer.withContent() && prompt !== undefined ? { prompt } : {}),
    })
    return observed(parts, about, observer)
  }
}
