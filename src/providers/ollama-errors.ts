// What an Ollama server's refusals mean, and what to do next. Match on status and shape first: the words vary by version.
import { type ErrorCode, PluginError } from '../core/errors.ts'

export interface AnswerOrigin {
  /** The server's name in the configuration. */
  server: string
  /** HTTP status; 200 or absent for an error inside a stream. */
  status?: number
  model?: string | undefined
}

interface Meaning {
  when: (words: string, status: number) => boolean
  code: ErrorCode
  say: (words: string, origin: AnswerOrigin) => string
  hint: string
}

/** The first that fits counts. */
const MEANINGS: readonly Meaning[] = [
  {
    when: (words, status) => status === 403 && words === '',
    code: 'API_FORBIDDEN',
    say: (_, { server }) => `${server} refuses the host name in the request`,
    hint: 'Give the url with localhost or an address, or set OLLAMA_HOST on the server.',
  },
  {
    when: (_, status) => status === 401,
    code: 'API_FORBIDDEN',
    say: (words, { server }) => `${server} is not signed in for this model: ${words}`,
    hint: 'Run on the server: ollama signin.',
  },
  {
    when: (words, status) => status === 404 && /page not found/.test(words),
    code: 'API_PROTOCOL',
    say: (_, { server }) => `${server} does not know this request`,
    hint: 'Check the url of this server: does Ollama listen there, and is it recent?',
  },
  {
    when: (words, status) => status === 404 || /^model ['"].*['"] not found/.test(words),
    code: 'API_INVALID_MODEL',
    say: (words, { server, model }) => (model ? `${server} has no model "${model}"` : `${server}: ${words}`),
    hint: 'gP in the chat pulls it and asks again; :Ollama model chooses another.',
  },
  {
    when: (words) => /exceed_context_size|exceeds the (available )?context|longer than the context/.test(words),
    code: 'API_CONTEXT_FULL',
    say: (words) => `The conversation is longer than the model's context window: ${words}`,
    hint: 'Start a new chat, cut a turn with ge, or raise options.num_ctx (the model is then loaded anew).',
  },
  {
    when: (words) => /does not support/.test(words),
    code: 'API_MODEL_UNFIT',
    say: (words) => `The model cannot do this: ${words}`,
    hint: 'Choose another with :Ollama model.',
  },
  {
    when: (words, status) => status === 503 || /server busy/.test(words),
    code: 'API_RATE_LIMITED',
    say: (_, { server }) => `${server} is busy: too many requests wait there`,
    hint: 'Try again in a moment with gr.',
  },
  {
    when: (words) => /requires more system memory|out of memory|cudaMalloc/i.test(words),
    code: 'API_ERROR',
    say: (words) => `The model does not fit into the server's memory: ${words}`,
    hint: 'Choose a smaller one, lower options.num_ctx, or unload another.',
  },
  {
    when: (words) => /timed out waiting for/.test(words),
    code: 'API_ERROR',
    say: (words) => `The model could not be loaded in time: ${words}`,
    hint: 'It may be too big for this server; OLLAMA_LOAD_TIMEOUT there allows more time.',
  },
  {
    when: () => true,
    code: 'API_ERROR',
    say: (words, { server, status }) => `${server} answered: ${words || `HTTP ${status ?? 200}`}`,
    hint: 'In a chat gr asks again; the log of Ollama on the server may tell more.',
  },
]

/** The failure that a refusal's body, or an error line, stands for. */
export function errorFromAnswer(body: string, origin: AnswerOrigin): PluginError {
  const words = wordsOf(body)
  const status = origin.status ?? 200
  if (words === undefined) {
    return new PluginError('API_PROTOCOL', `${origin.server} sent what is no answer of Ollama: ${body.slice(0, 80)}`, {
      hint: 'Check the url of this server: does Ollama listen there?',
    })
  }
  const meaning = MEANINGS.find(({ when }) => when(words, status)) as Meaning
  return new PluginError(meaning.code, meaning.say(words, origin), { hint: meaning.hint })
}

/** The innermost words of an error, which may be JSON inside a string of JSON; `undefined` where there are none. */
export function wordsOf(body: string, depth = 0): string | undefined {
  const value = tryParse(body)
  if (value === undefined) return depth > 0 || /^(?:40[45] .*)?$/.test(body.trim()) ? body.trim() : undefined
  const found = innerOf(value)
  if (found === undefined) return undefined
  return found.trim().startsWith('{') && depth < 3 ? (wordsOf(found, depth + 1) ?? found) : found
}

function innerOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const record = value as Record<string, unknown>
  const named = record.error ?? record.message
  if (typeof named === 'string') return named
  if (typeof named === 'object' && named !== null) {
    const { message, type } = named as { message?: unknown; type?: unknown }
    return [message, type].filter((part) => typeof part === 'string').join(' ') || JSON.stringify(named)
  }
  // A version of Ollama sent its error under a sentence as key.
  const [key, text] = Object.entries(record).find(([name, told]) => name.startsWith('error') && told) ?? []
  return key === undefined ? undefined : `${key}: ${String(text)}`
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
