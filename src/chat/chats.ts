// The open chats by number, and what the editor may ask of each. What happens in one of them is session.ts's.
import { PluginError } from '../core/errors.ts'
import type { ChatState, Method, Params, Results } from '../rpc/protocol.ts'
import { Session, type SessionDeps } from './session.ts'

type ChatMethod = Extract<Method, `chat.${string}`>
export type ChatHandlers = { [M in ChatMethod]: (params: Params<M>) => Promise<Results[M]> | Results[M] }

export interface ChatsDeps extends SessionDeps {
  /** The full name, `server:model`, of whatever a reference means. @throws PluginError CHAT_NO_MODEL */
  fullName(model: string): string
  /** The model of new chats, if one was ever chosen. */
  defaultModel(): string | undefined
  /** Tells the person what went otherwise than meant. */
  warn(text: string): void
}

export class Chats {
  readonly #deps: ChatsDeps
  readonly #open = new Map<number, Session>()

  constructor(deps: ChatsDeps) {
    this.#deps = deps
  }

  get handlers(): ChatHandlers {
    return {
      'chat.open': (params) => this.#show(params),
      'chat.send': ({ chat, text, replaces }) =>
        this.#session(chat)
          .send(text, replaces === undefined ? {} : { replaces })
          .then(empty),
      'chat.stop': ({ chat, all = false }) => this.#session(chat).stop({ all }),
      'chat.resume': ({ chat }) => this.#session(chat).resume().then(empty),
      'chat.queue': ({ chat }) => ({ prompts: this.#session(chat).queue() }),
      'chat.unqueue': ({ chat, prompt }) => empty(this.#session(chat).unqueue(prompt)),
      'chat.again': ({ chat }) => this.#session(chat).again().then(empty),
      'chat.take': ({ chat, turn }) => this.#session(chat).editing.take(turn),
      'chat.step': ({ chat, by }) => this.#session(chat).editing.step(by),
      'chat.variant': ({ chat, turn, by }) => this.#session(chat).editing.variant(turn, by),
      'chat.variants': ({ chat, turn }) => this.#session(chat).editing.variants(turn),
      'chat.delete': ({ chat, turn }) => this.#session(chat).editing.remove(turn).then(empty),
      'chat.model': ({ chat, model }) => this.#session(chat).useModel(this.#deps.fullName(model)),
      'chat.close': ({ chat }) => empty(this.#close(chat)),
      ...unbuilt,
    }
  }

  /** A way to a server has changed. */
  wayChanged(): void {
    for (const session of this.#open.values()) session.wayChanged()
  }

  #show({ chat, transcript }: Params<'chat.open'>): ChatState {
    const known = this.#open.get(chat)
    const session = known ?? this.#begin(chat)
    if (!known && transcript !== undefined) {
      for (const problem of session.adopt(transcript)) this.#deps.warn(problem)
    }
    session.show().catch((error: unknown) => this.#deps.log.error('the transcript could not be shown', { error }))
    return session.state()
  }

  #begin(chat: number): Session {
    const session = new Session(chat, this.#deps)
    const model = this.#deps.defaultModel()
    if (model !== undefined) session.useModel(this.#deps.fullName(model))
    this.#open.set(chat, session)
    return session
  }

  /** @throws PluginError CHAT_NO_TURN */
  #session(chat: number): Session {
    const session = this.#open.get(chat)
    if (session) return session
    throw new PluginError('CHAT_NO_TURN', `There is no chat ${chat}`, { hint: 'Open one with :Ollama chat.' })
  }

  #close(chat: number): void {
    this.#open.get(chat)?.close()
    this.#open.delete(chat)
  }
}

function refuse(): never {
  throw new PluginError('INTERNAL', 'This is not built yet')
}

const unbuilt = {
  'chat.load': refuse,
  'chat.recover': refuse,
  'chat.take_up': refuse,
  'chat.draft': refuse,
  'chat.save': refuse,
  'chat.set': refuse,
}

function empty(_: unknown): Record<string, never> {
  return {}
}
