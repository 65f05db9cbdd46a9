// A person's use of the chat: open it, ask by keys, wait for the end. What the server answers is told to it first.
import type { Speed } from './backend-calls.ts'
import type { Backend } from './backend-client.ts'
import type { Editor } from './editor.ts'
import { answerText, firstMark, lastMark, type Plan } from './text.ts'

/** Moments of one answer, of the monotonic clock, in milliseconds. */
export interface AnswerTimes {
  keyAt: number
  parsedAt: number
  /** When the server wrote the first byte of the answer. */
  firstByteAt: number
  /** When the first words stood in the transcript's buffer. */
  firstWordsAt: number
  lastWordsAt: number
}

export interface Answer {
  times: AnswerTimes
  /** Whether the transcript holds exactly what the server sent. */
  whole: boolean
}

type Finished = { ended?: string; error?: { code: string; message: string } }

/** Tells the host's process id when it knows the chat, or false when there is no host. */
const OPEN = `
  vim.cmd('Ollama chat')
  vim.cmd.stopinsert()
  local rpc = require('ollama-remote.rpc')
  local function look()
    local chat = require('ollama-remote.chats').current()
    if chat and chat.known then return Bench.tell('known', rpc.info().pid) end
    if not rpc.is_running() then return Bench.tell('known', false) end
    vim.defer_fn(look, 5)
  end
  vim.defer_fn(look, 20)
`

/** Tells when the link that the prompt's beginning brings up is there. */
const AWAIT_LINK = `
  vim.api.nvim_create_autocmd('User', { pattern = 'OllamaConnectionChanged', callback = function(event)
    if event.data.state ~= 'ready' then return end
    Bench.tell('linked', true)
    return true
  end })
`

export class Chat {
  readonly #editor: Editor
  readonly #backend: Backend

  constructor(editor: Editor, backend: Backend) {
    this.#editor = editor
    this.#backend = backend
  }

  /** Opens the chat; answers the host's process id when the host is ready and knows the chat. */
  async open(): Promise<number> {
    const known = this.#editor.told<number | false>('known')
    await this.#editor.lua(OPEN)
    const host = await known
    if (host === false) throw new Error(`no host is running: ${this.#editor.lastWords()}`)
    return host
  }

  /** Ends the chat and opens an empty one, so that what is asked next is not sent with what was said before. */
  async openAnew(): Promise<number> {
    await this.#editor.lua("vim.cmd('Ollama close')")
    return this.open()
  }

  /** Begins a prompt, and writes at it for as long as the link takes to come up. */
  async begin(): Promise<void> {
    const linked = this.#editor.told<true>('linked')
    await this.#editor.lua(AWAIT_LINK)
    this.#editor.input('i')
    await linked
    this.#editor.input('<Esc>')
  }

  /** Asks by the key a person presses, and waits for the whole answer. */
  async ask(plan: Plan, speed: Speed = 'unbounded'): Promise<Answer> {
    await this.#backend.answerWith(plan, speed)
    await this.#editor.lua('Bench.expect(...)', [firstMark(plan.label), lastMark(plan.label)])
    await this.#editor.lua('Bench.write_prompt(...)', `What of ${plan.label}?`)
    const finished = this.#editor.told<Finished>('finished')
    const keyAt = this.#editor.input('<CR>')
    const { ended, error } = await finished
    if (ended !== 'done') {
      throw new Error(`the answer ended as ${ended}: ${error?.code} ${error?.message} ${this.#editor.lastWords()}`)
    }
    return { times: await this.#times(plan, keyAt), whole: await this.#holds(answerText(plan)) }
  }

  async #times(plan: Plan, keyAt: number): Promise<AnswerTimes> {
    const seen = await this.#editor.lua<Record<string, number>>(
      'return vim.tbl_extend("keep", Bench.seen(), vim.empty_dict())',
    )
    const served = await this.#backend.served(plan.label)
    return {
      keyAt,
      parsedAt: served?.parsedAt ?? Number.NaN,
      firstByteAt: served?.firstByteAt ?? Number.NaN,
      firstWordsAt: seen[firstMark(plan.label)] ?? Number.NaN,
      lastWordsAt: seen[lastMark(plan.label)] ?? Number.NaN,
    }
  }

  #holds(text: string): Promise<boolean> {
    return this.#editor.lua<boolean>('return Bench.holds(...)', text)
  }
}

/** Milliseconds between two moments of an answer. */
export function elapsed(times: AnswerTimes, from: keyof AnswerTimes, to: keyof AnswerTimes): number {
  return times[to] - times[from]
}
