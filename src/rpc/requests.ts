// What Lua may ask of the host: every method with the schema of its parameters. The answers are protocol.ts's.
import * as z from 'zod'

const chat = z.int().positive()
/** Ordinal of a turn in the transcript, from 1: the how-manieth turn heading it is. */
const turn = z.int().positive()
/** Its heading as it stood in the editor: when another one stands there by now, another turn is meant by the number. */
const seen = z.string().optional()
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
  /** Gives the chat another name, and with it its file; one that was in none is saved. */
  'chat.rename': z.object({ chat, name: z.string().min(1) }),
  /** Shows the next (1) or previous (-1) variant of a turn. */
  'chat.variant': z.object({ chat, turn, seen, by: steps }),
  /** The texts that may stand in a turn's place. */
  'chat.variants': z.object({ chat, turn, seen }),
  /** Takes one turn out; the version with it stays in the history. */
  'chat.delete': z.object({ chat, turn, seen }),
  /** Sets what the chat's requests are made with; what is not given stays, `null` removes. Without any, only tells them. */
  'chat.set': z.object({
    chat,
    options: options.nullish(),
    think: z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])]).nullish(),
    keep_alive: z.union([z.string(), z.number()]).nullish(),
    system: z.string().nullish(),
  }),
  /** Answered when the prompt stands in the transcript; until then it is the editor's to keep. */
  'chat.send': z.object({ chat, text: z.string(), replaces: turn.optional(), seen }),
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
  'chat.take': z.object({ chat, turn, seen }),
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
  /** The beginning of a saved chat's text; with `query`, what stands around the place that a search for it finds. */
  'saved.preview': z.object({ file, lines: z.int().positive(), query: z.string().optional() }),
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
   * `server:model`, or is one of the default server. With `quiet` the asker tells of a failure itself, where it was asked for.
   */
  'pulls.start': z.object({ server: server.optional(), model, quiet: z.boolean().optional() }),
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
