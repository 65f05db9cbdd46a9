// Prompts that wait for a running answer. Whether they are sent or given back is session.ts's to say.
import { PluginError } from '../core/errors.ts'

export interface WaitingPrompt {
  /** Its number, never used again. */
  prompt: number
  text: string
  /** Settles what `add` promised, with what becomes of the prompt. */
  settle(sent: Promise<void>): void
}

export class PromptQueue {
  readonly #waiting: Array<WaitingPrompt & { reject(error: PluginError): void }> = []
  readonly #onChange: (texts: readonly string[]) => void
  #last = 0

  /** @param onChange hears what waits then */
  constructor(onChange: (texts: readonly string[]) => void) {
    this.#onChange = onChange
  }

  /** All of them, in order. */
  get list(): Array<{ prompt: number; text: string }> {
    return this.#waiting.map(({ prompt, text }) => ({ prompt, text }))
  }

  get length(): number {
    return this.#waiting.length
  }

  /** Settles as the prompt's sending does, once its turn comes. @throws PluginError CHAT_STOPPED, CANCELLED when it is given back */
  add(text: string): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ prompt: ++this.#last, text, settle: resolve, reject })
    })
    this.tell()
    return sent
  }

  /** It waits no more, of which nobody hears before `tell`: it is to be written down in both places, and never in none. */
  next(): WaitingPrompt | undefined {
    return this.#waiting.shift()
  }

  tell(): void {
    this.#onChange(this.#waiting.map(({ text }) => text))
  }

  /** Takes one out, whose author wants it back. @returns false when it does not wait any more */
  takeOut(prompt: number): boolean {
    const index = this.#waiting.findIndex((waiting) => waiting.prompt === prompt)
    const [found] = index === -1 ? [] : this.#waiting.splice(index, 1)
    found?.reject(new PluginError('CANCELLED', 'Taken back before it was sent'))
    if (found) this.tell()
    return found !== undefined
  }

  /** Gives all prompts back to their author. */
  giveBack(why: string): void {
    if (this.#waiting.length === 0) return
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new PluginError('CHAT_STOPPED', why, { hint: 'Send the prompt again when you still want to ask it.' }))
    }
    this.tell()
  }
}
