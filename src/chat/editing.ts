// The history of a chat in a person's hands: turns read and rewritten, versions gone through. Not here: what a change does
// to the history (history.ts), when something is asked (session.ts).
import { PluginError } from '../core/errors.ts'
import type { Role } from '../providers/provider.ts'
import { rewritten, turnAt } from './conversation.ts'
import type { Transcript } from './transcript.ts'

export interface EditingDeps {
  transcript: Transcript
  /** @throws PluginError CHAT_BUSY while an answer comes, which is the last turn of what is shown */
  refuseWhileBusy(): void
}

export class Editing {
  readonly #deps: EditingDeps

  constructor(deps: EditingDeps) {
    this.#deps = deps
  }

  /** A turn's text, for the prompt. @throws PluginError CHAT_NO_TURN; CHAT_BUSY for the answer that comes */
  take(turn: number): { turn: number; role: Role; text: string } {
    const { conversation } = this.#deps.transcript
    const { role, text } = turnAt(conversation, turn)
    if (role === 'assistant' && turn === conversation.turns.length) this.#deps.refuseWhileBusy()
    return { turn, role, text }
  }

  /**
   * Puts a text in place of a turn, counted from 1, and drops what follows it; the former conversation stays in the history.
   * @throws PluginError CHAT_BUSY, CHAT_NO_TURN
   */
  rewrite(turn: number, text: string): void {
    const { transcript, refuseWhileBusy } = this.#deps
    refuseWhileBusy()
    transcript.branch(turn - 1, rewritten(turnAt(transcript.conversation, turn), text))
  }

  /** Shows an older or newer version. @throws PluginError CHAT_BUSY; CHAT_NO_TURN when there is none */
  async step(by: -1 | 1): Promise<void> {
    const { transcript, refuseWhileBusy } = this.#deps
    refuseWhileBusy()
    if (!transcript.step(by)) {
      const last = by === -1 ? 'oldest' : 'newest'
      throw new PluginError('CHAT_NO_TURN', `This is already the ${last} version of the chat`)
    }
    await transcript.settle()
  }
}
