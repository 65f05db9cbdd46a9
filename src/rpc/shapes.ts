// What crosses between the host and Lua, as it is shown: chats, saved chats, models, pulls, servers. Which method answers
// with what is protocol.ts's.
import type { ErrorRecord } from '../core/errors.ts'

/**
 * `waiting`: for the way to the server, see `ChatState.waiting`. `resuming`: an answer that was cut is gone on with.
 * `busy`: the same, and the server may still be at the first request.
 */
export type ChatPhase =
  | 'idle'
  | 'queued'
  | 'connecting'
  | 'authenticating'
  | 'loading'
  | 'reading'
  | 'thinking'
  | 'writing'
  | 'waiting'
  | 'resuming'
  | 'busy'

/** What is waited for. */
export interface Waiting {
  server: string
  /** Why it is. */
  error: ErrorRecord
  /** Whether some of the answer has come; else the whole prompt waits. */
  has_answer: boolean
  /** When it is tried next, in milliseconds since the epoch; absent while it is being tried. */
  next_try?: number
}

/** What a chat is and does now; sent with every change, and as the answer of `chat.open` and `chat.model`. */
export interface ChatState {
  chat: number
  /** By which a later host finds what is written down of it. */
  key?: string
  title?: string
  /** Whether a person gave it. */
  named?: boolean
  /** The file it is saved in, without the folder. */
  file?: string
  /** Whether it holds words that are in no file. */
  unsaved?: boolean
  /** Whether it is saved by itself. */
  autosave?: boolean
  /** That did not succeed the last time. */
  save_fails?: boolean
  /** It was loaded to be read. */
  read_only?: boolean
  /** `server:model`; absent until one is chosen. */
  model?: string
  phase: ChatPhase
  /** How the last answer ended; absent before the first. */
  ended?: 'done' | 'stopped' | 'failed' | 'interrupted'
  /** Why it failed. */
  error?: ErrorRecord
  /** In the phase `waiting`. */
  waiting?: Waiting
  /** Prompts that wait for the running answer. */
  queued: number
  /** Tokens per second of the last answer. */
  rate?: number
}

/** A chat as it is opened: what stood in its prompt, and what could not be read as it was meant, one sentence each. */
export interface OpenedChat extends ChatState {
  draft?: { text: string; editing?: number; aside?: string }
  problems?: string[]
  /** What is above is not what was written down: the chat is known only when all of the transcript has come. */
  wants_transcript?: true
}

/** A saved chat in a list. */
export interface SavedChat {
  /** Without the folder. */
  file: string
  title: string
  /** As it stands in the file's name. */
  model: string
  /** Local time, `YYYY-MM-DD HH:MM:SS`. */
  created: string
  /** When the file was last written, in milliseconds since the epoch. */
  changed: number
  bytes: number
  /** Whether it is a living chat now: of this Neovim, or of another. */
  open?: 'here' | 'elsewhere'
  /**
   * The first of the lines in which most of the words stand that were searched for and are not in the name: its number, from 1;
   * the line, or what of a long one stands around the word; where in the line the word begins, in bytes.
   */
  match?: { line: number; text: string; column: number }
}

/** A chat that was not ended well. */
export interface LeftOver {
  key: string
  title: string
  model?: string
  turns: number
  /** The last prompt or draft, as one line. */
  last: string
  /** When it was last written to, in milliseconds since the epoch. */
  changed: number
}

export interface ChosenParameters {
  options?: Readonly<Record<string, unknown>>
  think?: boolean | 'low' | 'medium' | 'high' | 'max'
  keep_alive?: string | number
  system?: string
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

/** A model in the list that one is chosen from. */
export interface ListedModel extends ModelChoice {
  /** Whether it is in its server's memory, as far as that is known. */
  is_loaded?: boolean
  /** When its server's list was read, in milliseconds since the epoch. */
  read: number
}

/** Why the models of a server could not be asked for now. */
export interface ListProblem {
  server: string
  error: ErrorRecord
  /** Its link would need a person's answer to come up, and was left as it is. */
  needs_person?: boolean
}

/** A pull as it is shown. Sizes in bytes. */
export interface PullRow {
  server: string
  model: string
  state: 'queued' | 'pulling' | 'verifying' | 'stalled' | 'waiting' | 'done' | 'failed' | 'cancelled'
  /** What the server is at, in its own words. */
  status: string
  /** Of all layers that are known so far; never goes backwards. */
  completed?: number
  total?: number
  /** Bytes per second. */
  rate?: number
  left_ms?: number
  layers?: Array<{ digest: string; total: number; completed: number }>
  /** Why it failed, or what it waits for. */
  error?: ErrorRecord
  /** What a person should know of its end, as a sentence. */
  note?: string
}

/** Whether a newer model is to be had: `local` was made on the server, `cloud` runs elsewhere. */
export interface UpdateRow {
  state: 'checking' | 'current' | 'available' | 'unknown' | 'local' | 'cloud'
  /** Why it is unknown, or that there is nothing to be had; for a person, beginning with a small letter. */
  why?: string
  /** To be fetched, `at_most` when it is not known what of it is there already. */
  bytes?: number
  at_most?: boolean
  /** When it was looked up, in milliseconds since the epoch. */
  checked?: number
}

/** An installed model in the manager. Sizes in bytes, contexts in tokens, moments in milliseconds since the epoch. */
export interface ModelRow extends ModelChoice {
  family?: string
  digest?: string
  modified?: number
  trained_context?: number
  /** As its own parameters set it. */
  context?: number
  /** `expires` is absent for a model that stays. */
  loaded?: { size?: number; vram?: number; context?: number; expires?: number }
  update?: UpdateRow
  pull?: PullRow
}

/** What is known of the models of one server. */
export interface ServerModels {
  server: string
  /** Where its link stands; a server without ssh is always `ready`. */
  state: ServerRow['state']
  /** Reached without SSH. */
  is_direct?: true
  /** When the next attempt is made, in milliseconds since the epoch. */
  retry_at?: number
  version?: string
  models: ModelRow[]
  /** When the list was read from the server; absent when it never was. */
  read?: number
  /** Why it could not be read now. */
  error?: ErrorRecord
}

/** A server as it is shown. */
export interface ServerRow {
  name: string
  is_default: boolean
  state: 'idle' | 'connecting' | 'authenticating' | 'ready' | 'lost' | 'waiting' | 'failed' | 'closed'
  /** `user@host:port via hops`, or the url's host without ssh; as far as it is known. */
  address: string
  /** `direct` without ssh; `auto` until one was taken. */
  transport: 'direct' | 'auto' | 'ssh2' | 'openssh'
  /** Why this transport was taken, when it is not the one that is taken by default. */
  reason?: string
  login?: string
  round_trip_ms?: number
  /** When the next attempt is made, in milliseconds since the epoch. */
  retry_at?: number
  error?: ErrorRecord
  url: string
  /** `[user@]host[:port]` as it is configured. */
  ssh?: string
  /** Where it is configured; nowhere when it is the one that is there by itself. */
  origin: 'setup' | 'file' | 'both' | 'none'
}

/** What a server says of itself; empty when its link is not up. */
export interface ServerDetails {
  version?: string
  /** Names of the models in its memory. */
  loaded?: string[]
  round_trip_ms?: number
  error?: ErrorRecord
}

/** One step of the way to a server. The one with an error is the last. */
export interface TestStep {
  stage: 'configuration' | 'resolve' | 'tcp' | 'host-key' | 'authentication' | 'channel' | 'http' | 'version' | 'models'
  /** The host it concerns, on a way over several. */
  hop?: string
  /** Without the time in which a person was asked. */
  ms: number
  detail?: string
  error?: ErrorRecord
}
