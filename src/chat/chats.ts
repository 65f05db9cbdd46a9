// The open chats by number, and what the editor may ask of each. What happens in one of them is session.ts's.
import { PluginError } from '../core/errors.ts'
import type { ChatState, Method, OpenedChat, Params, Results } from '../rpc/protocol.ts'
import type { Journal } from './journal/journal.ts'
import type { Journals, Resumed } from './journal/journals.ts'
import { type Change, type ChatRecord, emptyRecord, isBlank } from './record.ts'
import { Session, type SessionDeps } from './session.ts'
import { draftOf } from './take-over.ts'

type ChatMethod = Extract<Method, `chat.${string}`>
export type ChatHandlers = { [M in ChatMethod]: (params: Params<M>) => Promise<Results[M]> | Results[M] }

export interface ChatsDeps extends SessionDeps {
  /** The full name, `server:model`, of whatever a reference means. @throws PluginError CHAT_NO_MODEL */
  fullName(model: string): string
  /** The model of new chats, if one was ever chosen. */
  defaultModel(): string | undefined
  journals: Pick<Journals, 'begin' | 'resume' | 'take'>
  /** Tells the person what went otherwise than meant. */
  warn(text: string): void
}

export class Chats {
  readonly #deps: ChatsDeps
  readonly #open = new Map<number, { session: Session; journal: Journal }>()

  constructor(deps: ChatsDeps) {
    this.#deps = deps
  }

  get handlers(): ChatHandlers {
    return {
      'chat.open': (params) => this.#show(params),
      'chat.recover': ({ chat, key }) => this.#recover(chat, key),
      'chat.draft': ({ chat, text, editing, aside }) =>
        empty(
          this.#session(chat).noteDraft({
            text,
            ...(editing === undefined ? {} : { editing }),
            ...(aside === undefined ? {} : { aside }),
          }),
        ),
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
      'chat.close': ({ chat }) => this.#close(chat).then(empty),
      ...unbuilt,
    }
  }

  /** A way to a server has changed. */
  wayChanged(): void {
    for (const { session } of this.#open.values()) session.wayChanged()
  }

  /** Neovim is gone: all that is known of its chats is on the disk when this resolves. */
  async leave(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(
      all.map(({ session, journal }) => {
        session.leave()
        return journal.close({ keep: !isBlank(session.record) })
      }),
    )
  }

  async #show({ chat, key, transcript }: Params<'chat.open'>): Promise<OpenedChat> {
    const known = this.#open.get(chat)
    if (known) return this.#shown(known.session)
    const { journals } = this.#deps
    const resumed = key === undefined ? { journal: journals.begin(), record: emptyRecord } : await journals.resume(key)
    return this.#shown(this.#begin(chat, resumed, transcript))
  }

  /** @throws PluginError CHAT_NO_TURN when it is not left over any more */
  async #recover(chat: number, key: string): Promise<OpenedChat> {
    const taken = await this.#deps.journals.take(key)
    if (!taken) throw new PluginError('CHAT_NO_TURN', 'This chat is not left over any more', { hint: LEFT_HINT })
    const draft = draftOf(taken.record.meta)
    const state = this.#shown(this.#begin(chat, taken))
    return draft ? { ...state, draft } : state
  }

  #shown(session: Session): ChatState {
    session.show().catch((error: unknown) => this.#deps.log.error('the transcript could not be shown', { error }))
    return session.state()
  }

  #begin(chat: number, { journal, record }: Resumed, transcript?: string): Session {
    const onChange = (change: Change, now: ChatRecord) => {
      journal.write(change, now)
      if (endsTurn(change)) void journal.flush()
    }
    const session = new Session(chat, this.#deps, { record, onChange, kept: () => ({ key: journal.key }) })
    this.#open.set(chat, { session, journal })
    for (const problem of session.adopt(transcript)) this.#deps.warn(problem)
    const model = this.#deps.defaultModel()
    if (session.state().model === undefined && model !== undefined) session.useModel(this.#deps.fullName(model))
    return session
  }

  /** @throws PluginError CHAT_NO_TURN */
  #session(chat: number): Session {
    const open = this.#open.get(chat)
    if (open) return open.session
    throw new PluginError('CHAT_NO_TURN', `There is no chat ${chat}`, { hint: 'Open one with :Ollama chat.' })
  }

  async #close(chat: number): Promise<void> {
    const open = this.#open.get(chat)
    this.#open.delete(chat)
    open?.session.close()
    await open?.journal.close({ keep: false })
  }
}

const LEFT_HINT = 'See which are with :Ollama recover.'

/** Whether a turn is whole after it. */
function endsTurn(change: Change): boolean {
  return change.type === 'finish' || (change.type === 'append' && change.turns.at(-1)?.role === 'user')
}

function refuse(): never {
  throw new PluginError('INTERNAL', 'This is not built yet')
}

const unbuilt = {
  'chat.load': refuse,
  'chat.take_up': refuse,
  'chat.save': refuse,
  'chat.set': refuse,
}

function empty(_: unknown): Record<string, never> {
  return {}
}
