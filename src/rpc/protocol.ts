// The protocol between Lua and the host: its version, its methods and their answers. What may be asked is requests.ts's,
// the shapes of the answers are shapes.ts's.
// Lua → host: rpcnotify(channel, 'request', id, method, params). Host → Lua: verbs.lua, see nvim/editor.ts.
import type * as z from 'zod'
import type { ErrorRecord } from '../core/errors.ts'
import type { requestSchemas } from './requests.ts'
import type {
  ChatState,
  ChosenParameters,
  LeftOver,
  ListedModel,
  ListProblem,
  OpenedChat,
  PullRow,
  ServerDetails,
  ServerRow,
  TestStep,
} from './shapes.ts'

/** Raised with every change that an older half of the plugin would misunderstand. */
export const PROTOCOL_VERSION = 1

export type Method = keyof typeof requestSchemas
export type Params<M extends Method> = z.output<(typeof requestSchemas)[M]>

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
  'chat.rename': { file: string }
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
  /** `above`: how many lines stand above it; `marks`: the words of the query, by line from 0, in bytes. */
  'saved.preview': { text: string; above: number; marks: Array<{ line: number; from: number; to: number }> }
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
  /** `refs`: of those that are out of date; `unknown`: how many of those that were looked at cannot be judged. */
  'updates.check': {
    checked: number
    available: number
    unknown: number
    refs: string[]
    /** Servers whose models were not looked at, or for which no registry could be asked, and why. */
    failures: { server: string; error: ErrorRecord }[]
  }
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
