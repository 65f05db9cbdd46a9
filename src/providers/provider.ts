// The contract of everything that answers a conversation, and the ports that it sees. No server's dialect is here.
export type Role = 'system' | 'user' | 'assistant'

/** One turn as a server receives it. Thinking is never sent back. */
export interface Message {
  role: Role
  content: string
}

export type Think = boolean | 'low' | 'medium' | 'high' | 'max'

export interface ChatRequest {
  /** The model's name on its server, without the server. */
  model: string
  messages: readonly Message[]
  options: Readonly<Record<string, unknown>>
  /** How the model shall think; `undefined` lets the model's capabilities decide. */
  think?: Think | undefined
  keepAlive?: string | number | undefined
}

/** Where the way to a server stands while a request waits for it. */
export type LinkPhase = 'connecting' | 'authenticating'

/** Where an answer stands before and while it comes. `busy`: the server may still work at an earlier request. */
export type Phase = LinkPhase | 'loading' | 'reading' | 'busy' | 'thinking' | 'writing'

/** What a server tells of a finished answer; every field it did not send is absent. Times in milliseconds. */
export interface Usage {
  promptTokens?: number
  answerTokens?: number
  loadMs?: number
  promptMs?: number
  answerMs?: number
  totalMs?: number
}

/**
 * How a cut answer was gone on with. `prefill` and `raw`: exactly where it stopped. `continue`: by asking for the rest, so
 * that the seam may be imperfect. `anew`: from its beginning, since nothing of it could be gone on with.
 */
export type SeamMethod = 'prefill' | 'raw' | 'continue' | 'anew'

/** What had come of an answer when it was cut. */
export interface PartialAnswer {
  thinking: string
  text: string
}

/**
 * One small part of an answer. A stream ends with exactly one `finish`, or throws. `seam` comes in continuations only, once,
 * before the first word: so many UTF-16 units at the end of the text so far (`anew`: all of it) are written anew.
 */
export type StreamPart =
  | { type: 'phase'; phase: Phase }
  | { type: 'seam'; method: SeamMethod; back: number }
  | { type: 'thinking'; text: string }
  | { type: 'text'; text: string }
  | { type: 'finish'; reason: 'stop' | 'length' | 'load' | 'unload' | 'unknown'; usage: Usage }

export interface Model {
  /** The model's name on its server, tag included. */
  name: string
  /** Bytes on the server's disk. */
  size?: number
  parameters?: string
  quantization?: string
  family?: string
  digest?: string
  capabilities?: readonly string[]
  /** When the model was last written on its server, in milliseconds since the epoch. */
  modified?: number
  /** The model from which it was made. */
  parent?: string
  /** Where it runs, of a model that only stands for one elsewhere. */
  remote?: string
}

/** A model in a server's memory. Sizes in bytes. */
export interface LoadedModel {
  name: string
  digest?: string
  /** In all, and how much of that is on a GPU. */
  size?: number
  vram?: number
  /** The context window it was loaded with, in tokens. */
  context?: number
  /** When it is unloaded, in milliseconds since the epoch; `never` when it stays. */
  expires?: number | 'never'
}

/** What a server tells of one model; every field it did not send is absent. */
export interface ModelDetails {
  parameters?: string
  template?: string
  system?: string
  license?: string
  modelFile?: string
  capabilities?: readonly string[]
  /** The context window it was trained with, in tokens. */
  trainedContext?: number
  /** All else that is known of its weights, as the server names it. */
  info?: Readonly<Record<string, unknown>>
}

/** One report of a pull. A layer's `completed` may go backwards, as the server's does. Sizes in bytes. */
export interface PullReport {
  status: string
  layer?: { digest: string; total: number; completed: number }
}

/** A server whose models can be looked after. */
export interface ModelKeeper {
  loadedModels(signal?: AbortSignal): Promise<LoadedModel[]>
  /** @throws PluginError API_INVALID_MODEL */
  show(model: string, signal?: AbortSignal): Promise<ModelDetails>
  /**
   * Ends after the server said that it is done. Aborting leaves what was fetched on the server for the next pull.
   * @throws PluginError MODEL_NOT_FOUND, PULL_*, REGISTRY_*; API_INCOMPLETE when it ended early; SSH_*; the signal's reason
   */
  pull(model: string, options: { signal: AbortSignal }): AsyncIterable<PullReport>
  remove(model: string): Promise<void>
  copy(model: string, to: string): Promise<void>
  /** Resolves when it is loaded. */
  load(model: string, options: { keepAlive?: string | number; signal?: AbortSignal }): Promise<void>
  unload(model: string): Promise<void>
}

/** A server that answers. */
export interface Provider {
  /** Absent where the models cannot be looked after. */
  readonly keeper?: ModelKeeper
  version(signal?: AbortSignal): Promise<string>
  /** Newest first, as the server sorts them. Capabilities are present where they could be learnt. */
  models(signal?: AbortSignal): Promise<Model[]>
  /** Names of the models that are in its memory now. */
  loaded(signal?: AbortSignal): Promise<string[]>
  /**
   * Answers a conversation. Leaving the iteration, or aborting the signal, cancels by closing the channel.
   * @throws PluginError API_*, SSH_*, SERVER_*; the signal's reason when aborted.
   */
  stream(request: ChatRequest, options: { signal: AbortSignal }): AsyncIterable<StreamPart>
  /**
   * Goes on with an answer to the same request that was cut. Its first part but phases is a `seam`.
   * @throws as `stream`
   */
  resume?(request: ChatRequest, partial: PartialAnswer, options: { signal: AbortSignal }): AsyncIterable<StreamPart>
}

export interface HttpRequest {
  method: 'GET' | 'POST' | 'DELETE' | 'HEAD'
  path: string
  /** Sent as JSON. */
  body?: unknown
  /** It only asks, whatever its method: it may be sent again when the way to the server broke before an answer came. */
  isSafe?: boolean
  signal?: AbortSignal | undefined
  onPhase?: (phase: LinkPhase) => void
}

export interface HttpResponse {
  status: number
  contentType: string
  /** The body as it comes; leaving the iteration closes the channel. It throws SSH_DISCONNECTED or API_INCOMPLETE when cut. */
  body: AsyncIterable<Uint8Array>
}

/** The only way of a provider to its server: no provider knows what carries it. */
export interface Http {
  /** Resolves at the response's headers. No timeout of its own: a model may take minutes to load. */
  request(request: HttpRequest): Promise<HttpResponse>
}
