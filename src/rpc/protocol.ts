// The whole protocol between Lua and the host: what Lua may ask, and the shapes of the answers.
// Lua → host: rpcnotify(channel, 'request', id, method, params). Host → Lua: verbs.lua, see nvim/editor.ts.
import * as z from 'zod'
import type { ErrorRecord } from '../core/errors.ts'

/** Raised with every change that an older half of the plugin would misunderstand. */
export const PROTOCOL_VERSION = 1

const chat = z.int().positive()
/** Ordinal of a turn in the transcript, from 1: the how-manieth turn heading it is. */
const turn = z.int().positive()
/** `server:model`, or a bare model name of the default server. */
const model = z.string().min(1)
// Neovim sends an empty Lua table as an empty list.
const nothing = z.object({}).or(z.array(z.never()))
const options = z.preprocess(
  (value) => (Array.isArray(value) && value.length === 0 ? {} : value),
  z.record(z.string(), z.unknown()),
)

/** Every method's parameters. The router's table must have exactly these rows: the compiler proves it. */
export const requestSchemas = {
  /** First of all requests. `config` is what the user gave to setup(), unchecked. */
  handshake: z.object({
    protocol: z.int(),
    config: options,
    config_file: z.string().min(1),
    log_file: z.string().min(1),
    /** Folder for what is kept at rest. */
    data_dir: z.string().min(1),
  }),
  /** Makes a chat known. `transcript` is the text of a chat that an earlier host left in its buffer. */
  'chat.open': z.object({ chat, transcript: z.string().optional() }),
  /** Answered when the prompt stands in the transcript; until then it is the editor's to keep. */
  'chat.send': z.object({ chat, text: z.string(), replaces: turn.optional() }),
  'chat.stop': z.object({ chat }),
  /** Asks the last question again. */
  'chat.again': z.object({ chat }),
  'chat.take': z.object({ chat, turn }),
  /** Steps through the conversation's versions: -1 undoes, 1 redoes. */
  'chat.step': z.object({ chat, by: z.union([z.literal(-1), z.literal(1)]) }),
  'chat.model': z.object({ chat, model }),
  'chat.close': z.object({ chat }),
  'models.list': nothing,
  /** Keeps the default model in ollama_config.lua. */
  'models.default': z.object({ model }),
  /** The person's answer to a question that the host put by the verb `ask`; no value when cancelled. */
  /** Keeps at rest what the session holds in memory. */
  'secrets.remember': nothing,
  /** Removes all of it, in memory and at rest. */
  'secrets.forget': nothing,
  'question.answer': z.object({ question: z.int().positive(), value: z.string().optional() }),
} as const

export type Method = keyof typeof requestSchemas
export type Params<M extends Method> = z.output<(typeof requestSchemas)[M]>

/** What a chat is and does now; sent with every change, and as the answer of `chat.open` and `chat.model`. */
export interface ChatState {
  chat: number
  /** `server:model`; absent until one is chosen. */
  model?: string
  phase: 'idle' | 'queued' | 'connecting' | 'authenticating' | 'loading' | 'reading' | 'thinking' | 'writing'
  /** How the last answer ended; absent before the first. */
  ended?: 'done' | 'stopped' | 'failed' | 'interrupted'
  /** Why it failed. */
  error?: ErrorRecord
  /** Prompts that wait for the running answer. */
  queued: number
  /** Tokens per second of the last answer. */
  rate?: number
}

export interface ModelChoice {
  /** `server:model`. */
  ref: string
  server: string
  name: string
  size?: number
  parameters?: string
  quantization?: string
  capabilities?: readonly string[]
}

export interface Results {
  handshake: { protocol: number; version: string; node: string; pid: number; problems: ErrorRecord[] }
  'chat.open': ChatState
  'chat.send': Record<string, never>
  'chat.stop': Record<string, never>
  'chat.again': Record<string, never>
  'chat.take': { turn: number; role: 'system' | 'user' | 'assistant'; text: string }
  'chat.step': Record<string, never>
  'chat.model': ChatState
  'chat.close': Record<string, never>
  'models.list': {
    models: ModelChoice[]
    default_model?: string
    problems: Array<{ server: string; error: ErrorRecord }>
  }
  'models.default': { model: string }
  /** `place` is `keyring`, or the path of the file; names, never secrets. */
  'secrets.remember': { names: string[]; place: string }
  'secrets.forget': { names: string[] }
  'question.answer': Record<string, never>
}

export type Envelope = { ok: true; value: unknown } | { ok: false; error: ErrorRecord }
