// Prompts that wait for a running answer. Whether they are sent or given back is session.ts's to say.
import { PluginError } from '../core/errors.ts'

export interface WaitingPrompt {
  text: string
  /** Settles what `add` promised, with what becomes of the prompt. */
  settle(sent: Promise<void>): void
}

export class PromptQueue {
  readonly #waiting: Array<WaitingPrompt & { reject(error: PluginError): void }> = []

  get length(): number {
    return this.#waiting.length
  }

  /** Settles as the prompt's sending does, once its turn comes. @throws PluginError CHAT_STOPPED when it is given back */
  add(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, settle: resolve, reject })
    })
  }

  next(): WaitingPrompt | undefined {
    return this.#waiting.shift()
  }

  /** Gives all prompts back to their author. */
  giveBack(why: string): void {
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new PluginError('CHAT_STOPPED', why, { hint: 'Send the prompt again when you still want to ask it.' }))
    }
  }
}
