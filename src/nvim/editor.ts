// The editor as the host sees it: every method is one verb of verbs.lua, each answered by Neovim.
import { PluginError } from '../core/errors.ts'
import type { Envelope } from '../rpc/protocol.ts'
import type { ChatState, PullRow, SavedChat, ServerModels, ServerRow, TestStep } from '../rpc/shapes.ts'
import type { Prompts } from '../tunnel/transport.ts'

/** What is needed of a msgpack-rpc client. */
export interface EditorClient {
  request(method: string, args: unknown[]): Promise<unknown>
}

type Written = { lines: number } | 'gone'

type Question =
  | { kind: 'secret'; title: string; detail: string }
  | { kind: 'choose'; title: string; detail: string; choices: readonly string[] }

export class Editor implements Prompts {
  readonly #client: EditorClient
  readonly #questions = new Map<number, { signal: AbortSignal; settle: (value: string | undefined) => void }>()
  /** Whoever wants to know of the next question of an attempt. */
  readonly #awaited = new WeakMap<AbortSignal, () => void>()
  #lastQuestion = 0

  constructor(client: EditorClient) {
    this.#client = client
  }

  async reply(id: number, envelope: Envelope): Promise<void> {
    await this.#verb('reply', id, envelope)
  }

  async render(chat: number, text: string, above = 0): Promise<Written> {
    return written(await this.#verb('render', chat, text, above))
  }

  async prepend(chat: number, text: string, above: number): Promise<Written> {
    return written(await this.#verb('prepend', chat, text, above))
  }

  async append(chat: number, text: string): Promise<Written> {
    return written(await this.#verb('append', chat, text))
  }

  async amend(
    chat: number,
    text: string,
    { row, lines }: { row: number; lines: number },
  ): Promise<Written | 'differs'> {
    const answer = await this.#verb('amend', chat, text, row, lines)
    const differs = typeof answer === 'object' && answer !== null && 'differs' in answer
    return differs ? 'differs' : written(answer)
  }

  async state(state: ChatState): Promise<void> {
    await this.#verb('state', state)
  }

  /** Something happened on the way of a request: for `User` autocommands. */
  async event(name: string, data: Record<string, unknown>): Promise<void> {
    await this.#verb('event', name, data)
  }

  /** A server's status changed. */
  async server(row: ServerRow): Promise<void> {
    await this.#verb('server', row)
  }

  /** Something of a server's models has changed. */
  async modelRows(rows: ServerModels): Promise<void> {
    await this.#verb('model_rows', rows)
  }

  /** A pull has moved on, or ended. */
  async pull(row: PullRow): Promise<void> {
    await this.#verb('pull', row)
  }

  async testStep(walk: number, step: TestStep): Promise<void> {
    await this.#verb('test_step', walk, step)
  }

  /** Some of the saved chats of a list. */
  async savedFound(walk: number, entries: readonly SavedChat[]): Promise<void> {
    await this.#verb('saved_found', walk, entries)
  }

  async notify(level: 'info' | 'warn' | 'error', message: string): Promise<void> {
    await this.#verb('notify', level, message)
  }

  secret(question: { title: string; detail: string }, signal: AbortSignal): Promise<string | undefined> {
    return this.#ask({ kind: 'secret', ...question }, signal)
  }

  choose(
    question: { title: string; detail: string; choices: readonly string[] },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    return this.#ask({ kind: 'choose', ...question }, signal)
  }

  /**
   * The person's answer, as Lua sends it. An answer to a question that was withdrawn is too late and means nothing.
   * Resolves as soon as it is known whether the same attempt asks once more (true) or is over.
   */
  answer(question: number, value: string | undefined): Promise<boolean> {
    const { signal, settle } = this.#questions.get(question) ?? {}
    settle?.(value)
    if (!signal || signal.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const end = () => resolve(false)
      signal.addEventListener('abort', end, { once: true })
      this.#awaited.set(signal, () => {
        signal.removeEventListener('abort', end)
        resolve(true)
      })
    })
  }

  async #ask(question: Question, signal: AbortSignal): Promise<string | undefined> {
    signal.throwIfAborted()
    const id = ++this.#lastQuestion
    this.#awaited.get(signal)?.()
    this.#awaited.delete(signal)
    const settled = new AbortController()
    try {
      return await new Promise((resolve, reject) => {
        this.#questions.set(id, { signal, settle: resolve })
        const giveUp = () => {
          reject(signal.reason)
          this.#verb('withdraw', id).catch(() => {})
        }
        signal.addEventListener('abort', giveUp, { signal: settled.signal })
        this.#verb('ask', { question: id, ...question }).catch(reject)
      })
    } finally {
      settled.abort()
      this.#questions.delete(id)
    }
  }

  #verb(name: string, ...args: unknown[]): Promise<unknown> {
    return this.#client.request('nvim_exec_lua', [`return require('ollama-remote.verbs').${name}(...)`, args])
  }
}

function written(answer: unknown): Written {
  if (typeof answer === 'object' && answer !== null) {
    const { lines, gone } = answer as { lines?: unknown; gone?: unknown }
    if (gone === true) return 'gone'
    if (typeof lines === 'number') return { lines }
  }
  throw new PluginError('EDITOR_GONE', 'Neovim did not answer as expected')
}
