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
  #last = 0

  /** All of them, in order. */
  get list(): Array<{ prompt: number; text: string }> {
    return this.#waiting.map(({ prompt, text }) => ({ prompt, text }))
  }

  get length(): number {
    return this.#waiting.length
  }

  /** Settles as the prompt's sending does, once its turn comes. @throws PluginError CHAT_STOPPED, CANCELLED when it is given back */
  add(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ prompt: ++this.#last, text, settle: resolve, reject })
    })
  }

  next(): WaitingPrompt | undefined {
    return this.#waiting.shift()
  }

  /** Takes one out, whose author wants it back. @returns false when it does not wait any more */
  takeOut(prompt: number): boolean {
    const index = this.#waiting.findIndex((waiting) => waiting.prompt === prompt)
    const [found] = index === -1 ? [] : this.#waiting.splice(index, 1)
    found?.reject(new PluginError('CANCELLED', 'Taken back before it was sent'))
    return found !== undefined
  }

  /** Gives all prompts back to their author. */
  giveBack(why: string): void {
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new PluginError('CHAT_STOPPED', why, { hint: 'Send the prompt again when you still want to ask it.' }))
    }
  }
}
