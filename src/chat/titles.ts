// Titles that the models of chats are asked for, when nothing else is asked of their servers. Not here: the words
// (title-text.ts), and what a chat is called until it has a title (store/naming.ts).
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ChatRequest } from '../providers/provider.ts'
import { Answer } from './answer/answer.ts'
import type { Answerer } from './answer/answer-run.ts'
import type { ChatSettings } from './parameters.ts'
import { messages } from './record/conversation.ts'
import { current, lastTurn } from './record/history.ts'
import type { ChatRecord, MetaChange } from './record/record.ts'
import { titleOf } from './store/naming.ts'
import { isTitleWhole, TITLE_REQUEST, titleIn } from './title-text.ts'

/** What is needed of a chat. */
export interface TitledChat {
  readonly record: ChatRecord
  readonly settings: ChatSettings
  /** Whether something is asked in it, or waits to be. */
  readonly isBusy: boolean
  note(set: MetaChange['set']): unknown
}

export interface TitlesDeps {
  answerer: Answerer
  clock: Clock
  log: Log
  /** Whether models are asked at all. */
  isWanted(): boolean
  /** All chats that live. */
  chats(): Iterable<TitledChat>
}

/** So long nothing is asked of a server, before it is asked for a title. */
const IDLE_MS = 1_000

/** A title is short; a model that thinks must come to its end first. It is no option that makes a server load a model anew. */
const MOST_TOKENS = { thinking: 1_024, plain: 64 }

export class Titles {
  /** The same servers; whatever is asked of them ends what they are asked here. */
  readonly answerer: Answerer
  readonly #deps: TitlesDeps
  /** Those whose model has been asked to the end, whatever came of it. */
  readonly #asked = new WeakSet<TitledChat>()
  /** By server. */
  readonly #running = new Map<string, Answer>()

  constructor(deps: TitlesDeps) {
    this.#deps = deps
    this.answerer = {
      stream: (model, ...asked) => {
        this.#leave(serverOf(model))
        return deps.answerer.stream(model, ...asked)
      },
      resume: (model, ...asked) => {
        this.#leave(serverOf(model))
        return deps.answerer.resume(model, ...asked)
      },
    }
  }

  /** A chat has become idle: perhaps its server is, and has time for the titles that are missing. */
  idle(): void {
    for (const chat of this.#deps.chats()) {
      const model = modelOf(chat)
      const server = model === undefined ? undefined : serverOf(model)
      if (model !== undefined && server !== undefined && !this.#running.has(server)) this.#ask(chat, model, server)
    }
  }

  /** Ends all that is asked. */
  close(): void {
    for (const server of [...this.#running.keys()]) this.#leave(server)
  }

  #ask(chat: TitledChat, model: string, server: string): void {
    if (!this.#isDue(chat, server)) return
    const answer = new Answer(this.#deps.clock)
    this.#running.set(server, answer)
    void this.#title(chat, model, answer)
      .catch((error: unknown) => {
        if (!answer.isStopped) this.#deps.log.warn('no title', { error })
        return ''
      })
      .then((title) => {
        // Whoever has ended it has taken it out too.
        if (this.#running.get(server) !== answer) return
        this.#running.delete(server)
        if (!this.#isDue(chat, server)) return
        this.#asked.add(chat)
        const first = titleOf(chat.record)
        if (title !== '') chat.note({ title, titled: 'model' })
        else if (first !== undefined) chat.note({ title: first, titled: 'first-line' })
        this.idle()
      })
  }

  /** Empty when the model gave none. */
  async #title(chat: TitledChat, model: string, answer: Answer): Promise<string> {
    await this.#deps.clock.sleep(IDLE_MS, answer.signal)
    if (!this.#isDue(chat, serverOf(model))) return ''
    let text = ''
    try {
      await answer.follow(
        (signal) => this.#deps.answerer.stream(model, requestOf(chat), { signal, isQuiet: true }),
        (part) => {
          if (part.type === 'text') text += part.text
          if (isTitleWhole(text)) answer.stop(new PluginError('CANCELLED', 'The title is whole'))
        },
      )
    } catch (error) {
      if (!isTitleWhole(text)) throw error
    }
    return titleIn(text)
  }

  #isDue(chat: TitledChat, server: string): boolean {
    if (!this.#deps.isWanted() || this.#asked.has(chat) || !isUntitled(chat)) return false
    const others = [...this.#deps.chats()]
    return others.includes(chat) && !others.some((other) => other.isBusy && serverOf(modelOf(other) ?? '') === server)
  }

  #leave(server: string): void {
    this.#running.get(server)?.stop(new PluginError('CANCELLED', 'Something else is asked'))
    this.#running.delete(server)
  }
}

/** The chat's own messages, so that the server need not read them anew. */
function requestOf({ record, settings }: TitledChat): Omit<ChatRequest, 'model'> {
  const { options, think, keepAlive } = settings
  const most = think === false ? MOST_TOKENS.plain : MOST_TOKENS.thinking
  const asked = [...messages(current(record.history)), TITLE_REQUEST]
  return { messages: asked, options: { ...options, num_predict: most }, think, keepAlive }
}

function isUntitled({ record }: TitledChat): boolean {
  return record.meta.title === undefined && lastTurn(record.history)?.end === 'done'
}

/** The model whose server has read the chat; before the first answer, the chosen one. */
function modelOf({ record }: TitledChat): string | undefined {
  return lastTurn(record.history)?.model ?? record.meta.model
}

function serverOf(model: string): string {
  return model.split(':', 1)[0] ?? ''
}
