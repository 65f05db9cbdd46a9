// Chats that an earlier host has left and this one does not know yet: what was written down of them, and what the editor tells
// of its buffer, which is more than one message may carry. What is made of both is take-over.ts's.
import type { Params } from '../../rpc/protocol.ts'
import type { Journals, Resumed } from '../journal/journals.ts'
import { emptyRecord } from '../record/record.ts'
import { turnsAbove } from './above.ts'
import type { Left } from './take-over.ts'

export interface Newcomer {
  resumed: Resumed
  left?: Left
}

export class Newcomers {
  readonly #journals: Pick<Journals, 'begin' | 'resume'>
  /** By chat, until it is known. */
  readonly #resumed = new Map<number, Resumed>()
  readonly #texts = new Map<number, string[]>()

  constructor(journals: Pick<Journals, 'begin' | 'resume'>) {
    this.#journals = journals
  }

  /** Takes a piece of a transcript, in order; the first one begins it anew. */
  piece(chat: number, piece: number, text: string): void {
    const texts = piece === 1 ? [] : (this.#texts.get(chat) ?? [])
    texts.push(text)
    this.#texts.set(chat, texts)
  }

  /** `undefined` when the buffer begins otherwise than what was written down, so that all of its text is wanted. */
  async open({ chat, key, transcript, above, pieces }: Params<'chat.open'>): Promise<Newcomer | undefined> {
    const resumed = this.#resumed.get(chat) ?? (await this.#resume(key))
    this.#resumed.set(chat, resumed)
    const turns = above && turnsAbove(resumed.record.history, above)
    const texts = this.#texts.get(chat) ?? []
    if ((above && !turns) || (pieces !== undefined && pieces !== texts.length)) return undefined
    this.forget(chat)
    const text = pieces === undefined ? transcript : texts.join('')
    if (text === undefined) return { resumed }
    return { resumed, left: { text, ...(turns ? { above: turns } : {}) } }
  }

  forget(chat: number): void {
    this.#resumed.delete(chat)
    this.#texts.delete(chat)
  }

  async #resume(key: string | undefined): Promise<Resumed> {
    if (key !== undefined) return this.#journals.resume(key)
    return { journal: this.#journals.begin(), record: emptyRecord }
  }
}
