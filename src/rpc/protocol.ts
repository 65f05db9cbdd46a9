// The whole protocol between Lua and the host: what Lua may ask, and the shapes of the answers.
// Lua → host: rpcnotify(channel, 'request', id, method, params). Host → Lua: verbs.lua, see nvim/editor.ts.
import * as z from 'zod'
import type { ErrorRecord } from '../core/errors.ts'

/** Raised with every change that an older half of the plugin would misunderstand. */
export const PROTOCOL_VERSION = 1

const chat = z.int().positive()
/** Ordinal of a turn in the transcript, from 1: the how-manieth turn heading it is. */
const turn = z.int().positive()
/** So many on, or back when it is less than 0. */
const steps = z.int().refine((by) => by !== 0)
/** `server:model`, or a bare model name of the default server. */
const model = z.string().min(1)
// Neovim sends an empty Lua table as an empty list.
const nothing = z.object({}).or(z.array(z.never()))
const options = z.preprocess(
  (value) => (Array.isArray(value) && value.length === 0 ? {} : value),
  z.record(z.string(), z.unknown()),
)

const server = z.string().min(1)
/** The number that Lua gave a test of a server, or a list of saved chats. */
const walk = z.int().positive()
/** What is set of a server in the editor; what is not given stays as it is. */
const draft = z
  .object({
    /** As the option `ssh` takes it when it is a string; `false` for none. */
    ssh: z.union([z.string().min(1), z.literal(false)]).optional(),
    url: z.string().min(1).optional(),
  })
  .or(z.array(z.never()).transform(() => ({})))

/** What stands in a prompt that was not sent. */
const written = {
  text: z.string(),
  /** The turn whose text it is to replace. */
  editing: turn.optional(),
  /** What stood in the prompt before that edit. */
  aside: z.string().optional(),
}
/** The turns with which a buffer begins; `sum` is the SHA-256 of a line for each: its heading's row, from 0, and the heading. */
const above = z.object({
  turns: z.int().nonnegative(),
  lines: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  sum: z.string(),
})
/** A saved chat's file, without the folder. */
const file = z.string().min(1)

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
    /** Of Neovim, whose the chats are. */
    pid: z.int().positive().optional(),
  }),
  /**
   * Makes a chat known. With `key`, the chat that an earlier host knew by it goes on; `transcript` is what that host left in
   * its buffer, which may be ahead of what is written down: all of it, or what stands below `above`. One that came in
   * pieces is told by their count. Answered with `wants_transcript` when all of it is needed; then it is asked once more.
   * `was_busy`: something was asked of that host, and had no end.
   */
  'chat.open': z.object({
    chat,
    key: z.string().min(1).optional(),
    transcript: z.string().optional(),
    above: above.optional(),
    pieces: z.int().positive().optional(),
    was_busy: z.boolean().optional(),
  }),
  /** A piece of a long transcript, by number from 1. */
  'chat.piece': z.object({ chat, piece: z.int().positive(), text: z.string() }),
  /** Opens a saved chat to be read only. */
  'chat.load': z.object({ chat, file }),
  /** Opens what a Neovim that is gone has left over, as a living chat. */
  'chat.recover': z.object({ chat, key: z.string().min(1) }),
  /** Makes a chat that was loaded a living one; as a `copy` in a file of its own, when another Neovim has its file. */
  'chat.take_up': z.object({ chat, copy: z.boolean().optional() }),
  /** What stands in the prompt now, to be written down. */
  'chat.draft': z.object({ chat, ...written }),
  /**
   * Saves the chat in its file; under a new name when one is given. A file that the person named stays then; one that the chat
   * was saved in by itself is renamed.
   */
  'chat.save': z.object({ chat, name: z.string().min(1).optional() }),
  /** Shows the next (1) or previous (-1) variant of a turn. */
  'chat.variant': z.object({ chat, turn, by: steps }),
  /** The texts that may stand in a turn's place. */
  'chat.variants': z.object({ chat, turn }),
  /** Takes one turn out; the version with it stays in the history. */
  'chat.delete': z.object({ chat, turn }),
  /** Sets what the chat's requests are made with; what is not given stays, `null` removes. Without any, only tells them. */
  'chat.set': z.object({
    chat,
    options: options.nullish(),
    think: z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])]).nullish(),
    keep_alive: z.union([z.string(), z.number()]).nullish(),
    system: z.string().nullish(),
  }),
  /** Answered when the prompt stands in the transcript; until then it is the editor's to keep. */
  'chat.send': z.object({ chat, text: z.string(), replaces: turn.optional() }),
  /** Ends what runs; with `all` the prompts behind it are given back too. */
  'chat.stop': z.object({ chat, all: z.boolean().optional() }),
  /** Goes on with the last answer, which was cut; what waits for its server is tried now. */
  'chat.resume': z.object({ chat }),
  /** The prompts that wait for the running answer. */
  'chat.queue': z.object({ chat }),
  /** Gives one of them back: its `chat.send` is answered by CANCELLED. */
  'chat.unqueue': z.object({ chat, prompt: z.int().positive() }),
  /** Asks the last question again. */
  'chat.again': z.object({ chat }),
  'chat.take': z.object({ chat, turn }),
  /** Steps through the conversation's versions: -1 undoes, 1 redoes. */
  'chat.step': z.object({ chat, by: steps }),
  'chat.model': z.object({ chat, model }),
  /** Ends the chat; what is in no file is saved first when that is done by itself, unless a person has said what becomes of it. */
  'chat.close': z.object({ chat, unsaved: z.enum(['save', 'discard']).optional() }),
  /**
   * The saved chats, newest first; with `query`, those in whose name or text all its words stand. They come in batches by the
   * verb `saved_found`; the answer says that these were all.
   */
  'saved.list': z.object({ walk, query: z.string().optional() }),
  /** Ends a list that nobody waits for any more; its request is answered with CANCELLED. */
  'saved.cancel': z.object({ walk }),
  /** The beginning of a saved chat's text. */
  'saved.preview': z.object({ file, lines: z.int().positive() }),
  'saved.rename': z.object({ file, name: z.string().min(1) }),
  /** Moves them to the trash. */
  'saved.delete': z.object({ files: z.array(file).min(1) }),
  /** How many there are and how old, for the question before `saved.clear`. */
  'saved.summary': nothing,
  /** Moves all of them to the trash. */
  'saved.clear': nothing,
  /** Brings back what the last clearing moved there. */
  'saved.restore': nothing,
  /** What Neovims that are gone have left over. */
  'left.list': nothing,
  /** Moves one of them to the trash. */
  'left.drop': z.object({ key: z.string().min(1) }),
  /** A prompt for this model is begun: its server is needed soon. */
  'editor.prompt': z.object({ chat, model }),
  /** The editor has got the focus: links may have died meanwhile, or may be had again. */
  'editor.focus': nothing,
  /** Keeps what was chosen in the editor in ollama_config.lua. */
  'config.keep': z.object({ split_preference: z.enum(['vertical', 'horizontal', 'float', 'tab', 'current']) }),
  /**
   * The models that a chat can be held with. With `known`, answered at once from what was last seen; else every server is
   * asked, and where anything is known already no person is, for a secret or for trust.
   */
  'models.list': z.object({ known: z.boolean().optional() }).or(nothing.transform(() => ({ known: undefined }))),
  /**
   * While a watch is open, the rows of these servers' models (of all by default) come by the verb `model_rows`, at once as
   * far as they are known and then with every change, and what is loaded is asked for again and again.
   */
  'models.watch': z.object({ watch: walk, servers: z.array(server).min(1).optional() }),
  'models.unwatch': z.object({ watch: walk }),
  /** Has these servers (all by default) asked anew, also those whose link needs a person's answer to come up. */
  'models.refresh': z
    .object({ servers: z.array(server).min(1).optional() })
    .or(nothing.transform(() => ({ servers: undefined }))),
  'models.show': z.object({ server, model }),
  'models.delete': z.object({ server, model }),
  'models.copy': z.object({ server, model, to: model }),
  /** Answered when it is loaded. `keep_alive` as Ollama takes it: seconds, a duration, -1 for ever. */
  'models.load': z.object({ server, model, keep_alive: z.union([z.string(), z.number()]).optional() }),
  'models.unload': z.object({ server, model }),
  /** For completion: what is installed anywhere as far as it is known, and well-known names. */
  'models.names': nothing,
  /**
   * Compares installed models with their registries; nothing is downloaded. Each verdict comes by `model_rows`; answered when
   * there is one of each. With `again`, verdicts that are still fresh are not taken.
   */
  'updates.check': z.object({
    server: server.optional(),
    models: z.array(model).optional(),
    again: z.boolean().optional(),
  }),
  /**
   * Answered when the pull waits for its turn; how it goes comes by the verb `pull`. Without a server the model is named as
   * `server:model`, or is one of the default server.
   */
  'pulls.start': z.object({ server: server.optional(), model }),
  'pulls.cancel': z.object({ server, model }),
  'pulls.list': nothing,
  /** What the server's machine says of its Ollama service: a read-only look over SSH, which the person has agreed to. */
  'service.look': z.object({ server }),
  /** Keeps the default model in ollama_config.lua. */
  'models.default': z.object({ model }),
  /** What is known of each server now; nothing is asked for. Each change comes by the verb `server`. */
  'servers.list': nothing,
  /** Asks a server whose link is up for its version and the models loaded; of another one nothing is known. */
  'servers.details': z.object({ server }),
  'servers.connect': z.object({ server }),
  'servers.disconnect': z.object({ server }),
  /**
   * Goes the way to a server over a connection of its own; each step comes by the verb `test_step`, and all of them as the
   * answer. With `draft`, the server as it would be. Without `may_ask` no person is asked for a secret or for trust.
   */
  'servers.test': z.object({ walk, server, draft: draft.optional(), may_ask: z.boolean() }),
  /** Gives a test up; its request is answered with CANCELLED. */
  'servers.cancel': z.object({ walk }),
  /** Writes a server to ollama_config.lua, and takes it up at once. */
  'servers.save': z.object({ server, draft }),
  'servers.remove': z.object({ server }),
  'servers.default': z.object({ server }),
  /** The aliases of ~/.ssh/config. */
  'servers.aliases': nothing,
  /** Keeps at rest what the session holds in memory. */
  'secrets.remember': nothing,
  /** Removes all of it, in memory and at rest. */
  'secrets.forget': nothing,
  /** The person's answer to a question that the host put by the verb `ask`; no value when cancelled. */
  'question.answer': z.object({ question: z.int().positive(), value: z.string().optional() }),
} as const

export type Method = keyof typeof requestSchemas
export type Params<M extends Method> = z.output<(typeof requestSchemas)[M]>

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
  /** The first line in which a word that was searched for stands, from 1. */
  match?: { line: number; text: string }
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

export interface Results {
  handshake: { protocol: number; version: string; node: string; pid: number; problems: ErrorRecord[] }
  'chat.open': OpenedChat
  'chat.piece': Record<string, never>
  'chat.load': OpenedChat
  'chat.recover': OpenedChat
  'chat.take_up': OpenedChat
  'chat.draft': Record<string, never>
  /** `turns`: how many were not in the file before; `left`: the file that it was saved in until now, which stays as it is. */
  'chat.save': { file: string; title: string; turns: number; left?: string }
  /** Which is shown then, from 1, and how many there are. */
  'chat.variant': { index: number; count: number }
  /** `shown`: which of them is, from 1. */
  'chat.variants': { shown: number; variants: Array<{ text: string; name: string; at: string }> }
  'chat.delete': Record<string, never>
  'chat.set': ChosenParameters
  'chat.send': Record<string, never>
  /** `taken`: the text of a prompt that had not been asked yet, which is not in the transcript any more. `back`: the answer is, that was to be had anew. */
  'chat.stop': { taken?: string; back?: true }
  'chat.resume': Record<string, never>
  'chat.queue': { prompts: Array<{ prompt: number; text: string }> }
  'chat.unqueue': Record<string, never>
  'chat.again': Record<string, never>
  'chat.take': { turn: number; role: 'system' | 'user' | 'assistant'; text: string }
  'chat.step': { index: number; count: number }
  'chat.model': ChatState
  'chat.close': Record<string, never>
  'saved.list': { total: number }
  'saved.cancel': Record<string, never>
  'saved.preview': { text: string }
  'saved.rename': { file: string }
  'saved.delete': { count: number }
  /**
   * Of what clearing would move. `oldest` and `newest`: when they were last written, in milliseconds since the epoch; `open`: how
   * many more there are that stay, since a chat has them open.
   */
  'saved.summary': { count: number; bytes: number; open: number; oldest?: number; newest?: number }
  'saved.clear': { count: number }
  'saved.restore': { count: number }
  'left.list': { chats: LeftOver[] }
  /** Whether it was there still. */
  'left.drop': { gone: boolean }
  'editor.prompt': Record<string, never>
  'editor.focus': Record<string, never>
  'config.keep': Record<string, never>
  'models.list': {
    models: ListedModel[]
    default_model?: string
    problems: ListProblem[]
  }
  'models.default': { model: string }
  /** The servers it is for, in the order of the configuration. */
  'models.watch': { servers: string[]; default_model?: string }
  'models.unwatch': Record<string, never>
  'models.refresh': Record<string, never>
  /** The texts of a model, each by its name, as far as the server tells them. */
  'models.show': {
    parameters?: string
    template?: string
    system?: string
    license?: string
    model_file?: string
    capabilities?: readonly string[]
    trained_context?: number
    info?: Readonly<Record<string, unknown>>
  }
  'models.delete': Record<string, never>
  'models.copy': Record<string, never>
  'models.load': Record<string, never>
  'models.unload': Record<string, never>
  'models.names': { installed: string[]; well_known: string[] }
  /** `refs`: of those that are out of date. */
  'updates.check': { checked: number; available: number; refs: string[] }
  'pulls.start': Record<string, never>
  'pulls.cancel': Record<string, never>
  'pulls.list': { pulls: PullRow[] }
  /** What was printed there, and what to do next. */
  'service.look': { lines: string[]; advice: string[] }
  /** `place` is `keyring`, or the path of the file; names, never secrets. */
  'secrets.remember': { names: string[]; place: string }
  'secrets.forget': { names: string[] }
  'servers.list': { servers: ServerRow[] }
  'servers.details': ServerDetails
  'servers.connect': Record<string, never>
  'servers.disconnect': Record<string, never>
  'servers.test': { steps: TestStep[] }
  'servers.cancel': Record<string, never>
  /** `note`: what the person should know of the change. */
  'servers.save': { note?: string }
  'servers.remove': { note?: string }
  'servers.default': Record<string, never>
  'servers.aliases': { aliases: string[] }
  /** Answered when it is known whether the same attempt asks once `more`, or is over. */
  'question.answer': { more: boolean }
}

export type Envelope = { ok: true; value: unknown } | { ok: false; error: ErrorRecord }
