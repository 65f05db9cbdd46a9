// An editor in memory: one buffer as text, every state that was told, and all the ways in which an editor fails.

import type { Written } from '../../../src/chat/picture/writer.ts'
import type { ChatSurface } from '../../../src/chat/session-deps.ts'
import type { ChatState } from '../../../src/rpc/shapes.ts'

export class MemorySurface implements ChatSurface {
  text = ''
  readonly states: ChatState[] = []
  /** The kinds of writes that came, in order. */
  readonly writes: Array<'render' | 'prepend' | 'append' | 'amend'> = []
  /** There is no buffer: writes are answered so and do nothing. */
  isGone = false
  /** How many of the next writes fail without doing anything. */
  failures = 0
  /** States cannot be told. */
  isDeaf = false
  #release: (() => void) | undefined
  #block: Promise<void> = Promise.resolve()
  #underway = 0

  /** Writes are answered only after `release`, as when Neovim waits for a key. */
  block(): void {
    if (this.#release) return
    this.#block = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#release?.()
    this.#release = undefined
  }

  render(chat: number, text: string): Promise<Written> {
    return this.#write(chat, 'render', () => text)
  }

  prepend(chat: number, text: string): Promise<Written> {
    return this.#write(chat, 'prepend', () => text + this.text)
  }

  append(chat: number, text: string): Promise<Written> {
    return this.#write(chat, 'append', () => this.text + text)
  }

  async amend(
    chat: number,
    text: string,
    { row, lines }: { row: number; lines: number },
  ): Promise<Written | 'differs'> {
    const standing = this.text.split('\n')
    if (!this.isGone && lines !== this.#lines) return 'differs'
    return this.#write(chat, 'amend', () => [...standing.slice(0, row), text].join('\n'))
  }

  state(state: ChatState): Promise<void> {
    if (this.isDeaf) throw new Error('nobody listens')
    this.states.push(state)
    return Promise.resolve()
  }

  /** The phases and ends that were told, without repetition. */
  get story(): string[] {
    const told = this.states.map(({ phase, ended }) => (phase === 'idle' ? (ended ?? phase) : phase))
    return told.filter((state, index) => state !== told[index - 1])
  }

  /** As Neovim counts them: with the empty line at the end. */
  get #lines(): number {
    const isPartial = this.text !== '' && !this.text.endsWith('\n')
    return this.text.split('\n').length + (isPartial ? 1 : 0)
  }

  async #write(chat: number, kind: 'render' | 'prepend' | 'append' | 'amend', change: () => string): Promise<Written> {
    if (chat !== 7) throw new Error(`a write to chat ${chat}`)
    if (++this.#underway > 1) throw new Error('two writes at once')
    this.writes.push(kind)
    try {
      await this.#block
      if (this.failures > 0) {
        this.failures--
        throw new Error('the editor failed')
      }
      if (this.isGone) return 'gone'
      this.text = change()
      return { lines: this.#lines }
    } finally {
      this.#underway--
    }
  }
}
