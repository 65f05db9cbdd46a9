// The open chats by number, and what the editor may ask of each. What happens in one of them is session.ts's.
import { isDeepStrictEqual } from 'node:util'
import { PluginError } from '../core/errors.ts'
import type { Method, Params, Results } from '../rpc/protocol.ts'
import type { ChatState, OpenedChat } from '../rpc/shapes.ts'
import type { Journals, Resumed } from './journal/journals.ts'
import { LivingChat, type LivingChatDeps, type Unsaved } from './living-chat.ts'
import type { Standing } from './picture/picture.ts'
import { Session } from './session.ts'
import { readChat, takeUp } from './store/opening.ts'
import { Newcomers } from './take-over/newcomers.ts'
import { draftOf, type Left } from './take-over/take-over.ts'
import { Titles } from './titles.ts'

type ChatMethod = Extract<Method, `chat.${string}`>
export type ChatHandlers = { [M in ChatMethod]: (params: Params<M>) => Promise<Results[M]> | Results[M] }

export interface ChatsDeps extends Omit<LivingChatDeps, 'onIdle'> {
  /** Whether models are asked for the titles of chats. */
  asksForTitles(): boolean
  /** The full name, `server:model`, of whatever a reference means. @throws PluginError CHAT_NO_MODEL */
  fullName(model: string): string
  /** The model of new chats, if one was ever chosen. */
  defaultModel(): string | undefined
  journals: Pick<Journals, 'begin' | 'resume' | 'take'>
  /** Tells the person what went otherwise than meant. */
  warn(text: string): void
}

/** A saved chat that is only read. */
interface ReadingChat {
  session: Session
  /** Without the folder. */
  file: string
  /** It is just being taken up. */
  isTaken?: boolean
}

export class Chats {
  readonly #deps: ChatsDeps & LivingChatDeps
  readonly #titles: Titles
  readonly #open = new Map<number, LivingChat | ReadingChat>()
  readonly #newcomers: Newcomers
  /** Saved chats that are being read, while their viewers are open. */
  readonly #loading = new Set<number>()

  constructor(deps: ChatsDeps) {
    this.#titles = new Titles({
      ...{ answerer: deps.answerer, clock: deps.clock, log: deps.log },
      isWanted: () => deps.asksForTitles(),
      chats: () => this.#livingSessions(),
    })
    this.#newcomers = new Newcomers(deps.journals)
    this.#deps = { ...deps, answerer: this.#titles.answerer, onIdle: () => this.#titles.idle() }
  }

  get handlers(): ChatHandlers {
    return {
      'chat.open': (params) => this.#show(params),
      'chat.piece': ({ chat, piece, text }) => empty(this.#newcomers.piece(chat, piece, text)),
      'chat.recover': ({ chat, key }) => this.#recover(chat, key),
      'chat.load': ({ chat, file }) => this.#load(chat, file),
      'chat.take_up': ({ chat, copy = false }) => this.#takeUp(chat, copy),
      'chat.save': ({ chat, name }) => this.#living(chat).saver.save(name),
      'chat.rename': async ({ chat, name }) => ({ file: await this.#living(chat).saver.rename(name) }),
      'chat.draft': ({ chat, text, editing, aside }) =>
        empty(
          this.#living(chat).session.noteDraft({
            text,
            ...(editing === undefined ? {} : { editing }),
            ...(aside === undefined ? {} : { aside }),
          }),
        ),
      'chat.send': ({ chat, text, replaces, seen }) =>
        this.#living(chat)
          .session.send(text, replaces === undefined ? {} : { replaces: { turn: replaces, seen } })
          .then(empty),
      'chat.stop': ({ chat, all = false }) => this.#session(chat).stop({ all }),
      'chat.resume': ({ chat }) => this.#living(chat).session.resume().then(empty),
      'chat.queue': ({ chat }) => ({ prompts: this.#session(chat).queue() }),
      'chat.unqueue': ({ chat, prompt }) => empty(this.#living(chat).session.unqueue(prompt)),
      'chat.again': ({ chat }) => this.#living(chat).session.again().then(empty),
      'chat.take': ({ chat, ...turn }) => this.#living(chat).session.editing.take(turn),
      'chat.step': ({ chat, by }) => this.#session(chat).editing.step(by),
      'chat.variant': ({ chat, by, ...turn }) => this.#session(chat).editing.variant(turn, by),
      'chat.variants': ({ chat, ...turn }) => this.#session(chat).editing.variants(turn),
      'chat.delete': ({ chat, ...turn }) => this.#living(chat).session.editing.remove(turn).then(empty),
      'chat.model': ({ chat, model }) => this.#living(chat).session.useModel(this.#deps.fullName(model)),
      'chat.close': ({ chat, unsaved }) => this.#close(chat, unsaved).then(empty),
      'chat.set': ({ chat, ...change }) => this.#living(chat).session.parameters.set(change),
    }
  }

  /** A way to a server has changed. */
  wayChanged(): void {
    for (const { session } of this.#open.values()) session.wayChanged()
  }

  /** Neovim is gone: all that is known of its chats is on the disk when this resolves. */
  async leave(): Promise<void> {
    const all = [...this.#open.values()]
    this.#titles.close()
    this.#open.clear()
    await Promise.all(all.map((open) => (open instanceof LivingChat ? open.leave() : open.session.leave())))
  }

  /** Renames the living chat that has this file. @returns its file then; `undefined` when there is no such chat */
  rename(file: string, name: string): Promise<string> | undefined {
    const living = [...this.#open.values()].find((open) => open instanceof LivingChat && open.saver.file === file)
    return living instanceof LivingChat ? living.saver.rename(name) : undefined
  }

  async #show(params: Params<'chat.open'>): Promise<OpenedChat> {
    const { chat } = params
    const known = this.#open.get(chat)
    if (known) return this.#shown(known.session)
    const newcomer = await this.#newcomers.open(params)
    if (newcomer) {
      const session = this.#begin(chat, newcomer.resumed, newcomer.left)
      if (params.was_busy) session.goOn()
      return session.state()
    }
    return { chat, phase: 'idle', queued: 0, wants_transcript: true }
  }

  /** @throws PluginError CHAT_NO_TURN when it is not left over any more */
  async #recover(chat: number, key: string): Promise<OpenedChat> {
    const taken = await this.#deps.journals.take(key)
    if (!taken) throw new PluginError('CHAT_NO_TURN', 'This chat is not left over any more', { hint: LEFT_HINT })
    const draft = draftOf(taken.record.meta)
    const state = this.#begin(chat, taken).state()
    return draft ? { ...state, draft } : state
  }

  #shown(session: Session, standing?: Standing): ChatState {
    session
      .show(standing)
      .catch((error: unknown) => this.#deps.log.error('the transcript could not be shown', { error }))
    return session.state()
  }

  #begin(chat: number, resumed: Resumed, left?: Left): Session {
    const living = new LivingChat(chat, resumed, this.#deps)
    const { session } = living
    this.#open.set(chat, living)
    for (const problem of session.adopt(left)) this.#deps.warn(problem)
    const model = this.#deps.defaultModel()
    if (session.state().model === undefined && model !== undefined) session.useModel(this.#deps.fullName(model))
    void living.saver.goOn()
    return session
  }

  /** @throws PluginError CANCELLED, STORE_NOT_FOUND, STORE_UNREADABLE */
  async #load(chat: number, file: string): Promise<OpenedChat> {
    this.#loading.add(chat)
    const { record, problems } = await readChat(this.#deps.saving.folder(), file)
    if (!this.#loading.delete(chat)) throw new PluginError('CANCELLED', 'The chat was closed before it could be shown')
    const kept = { file, read_only: true, ...(record.meta.title === undefined ? {} : { title: record.meta.title }) }
    const session = new Session(chat, this.#deps, { record, kept: () => kept })
    this.#open.set(chat, { session, file })
    return { ...this.#shown(session), ...(problems.length === 0 ? {} : { problems }) }
  }

  /** @throws PluginError CHAT_NO_TURN when it lives already; CANCELLED; CHAT_IN_USE, STORE_NOT_FOUND, STORE_UNREADABLE */
  async #takeUp(chat: number, isCopy: boolean): Promise<OpenedChat> {
    const reading = this.#opened(chat)
    if (reading instanceof LivingChat || reading.isTaken) {
      throw new PluginError('CHAT_NO_TURN', 'This chat lives already')
    }
    const { saving, clock, journals } = this.#deps
    reading.isTaken = true
    const options = { isCopy, claims: saving.claims, clock }
    const { problems, file, ...taken } = await takeUp(saving.folder(), reading.file, options).finally(() => {
      reading.isTaken = false
    })
    if (this.#open.get(chat) !== reading) {
      await file?.release()
      throw new PluginError('CANCELLED', 'The chat was closed before it could be gone on with')
    }
    // The same turns stand in the buffer already.
    const { history } = reading.session.record
    const isSame = isDeepStrictEqual(history, taken.record.history)
    const record = isSame ? { ...taken.record, history } : taken.record
    const standing = isSame ? reading.session.standing : undefined
    reading.session.leave()
    const living = new LivingChat(chat, { journal: journals.begin(record), record }, this.#deps, file ? { file } : {})
    this.#open.set(chat, living)
    const { draft } = record.meta
    const state = this.#shown(living.session, standing)
    return { ...state, ...(draft ? { draft } : {}), ...(problems.length === 0 ? {} : { problems }) }
  }

  #livingSessions(): Session[] {
    return [...this.#open.values()].filter((open) => open instanceof LivingChat).map(({ session }) => session)
  }

  /** A chat that may be changed. @throws PluginError CHAT_NO_TURN, CHAT_READ_ONLY */
  #living(chat: number): LivingChat {
    const open = this.#opened(chat)
    if (open instanceof LivingChat) return open
    throw new PluginError('CHAT_READ_ONLY', 'This chat is only read here', { hint: '<CR> takes it up again.' })
  }

  #session(chat: number): Session {
    return this.#opened(chat).session
  }

  /** @throws PluginError CHAT_NO_TURN */
  #opened(chat: number): LivingChat | ReadingChat {
    const open = this.#open.get(chat)
    if (open) return open
    throw new PluginError('CHAT_NO_TURN', `There is no chat ${chat}`, { hint: 'Open one with :Ollama chat.' })
  }

  /** @throws PluginError STORE_CHANGED, STORE_FULL, STORE_UNWRITABLE when it could not be saved; then it goes on */
  async #close(chat: number, unsaved: Unsaved | undefined): Promise<void> {
    const open = this.#open.get(chat)
    this.#titles.close()
    if (open instanceof LivingChat) await open.close(unsaved)
    else open?.session.close()
    this.#loading.delete(chat)
    this.#open.delete(chat)
    this.#newcomers.forget(chat)
    this.#titles.idle()
  }
}

const LEFT_HINT = 'See which are with :Ollama recover.'

function empty(_: unknown): Record<string, never> {
  return {}
}
