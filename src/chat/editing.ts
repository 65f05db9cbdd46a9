// The history of a chat in a person's hands: turns read and rewritten, versions gone through. Not here: what a change does
// to the history (history.ts), when something is asked (session.ts).
import { PluginError } from '../core/errors.ts'
import type { Role } from '../providers/provider.ts'
import { rewritten, type Turn, turnAt } from './record/conversation.ts'
import { entryAt, removalOf, stepBy } from './record/history.ts'
import { variantBy, variantsOf } from './record/variants.ts'
import { ROLE_LABELS } from './transcript/grammar.ts'
import type { Transcript } from './transcript.ts'

export interface EditingDeps {
  transcript: Transcript
  /** @throws PluginError CHAT_BUSY while an answer comes, which is the last turn of what is shown */
  refuseWhileBusy(): void
}

/** A turn as whoever asks has it before him. */
export interface SeenTurn {
  /** Counted from 1. */
  turn: number
  /** Its heading; when another one stands there by now, nothing is done. */
  seen?: string | undefined
}

/** Which of several, from 1. */
interface Which {
  index: number
  count: number
}

interface VariantText {
  text: string
  /** `server:model`, `You` or `System`. */
  name: string
  /** Local time, `YYYY-MM-DD HH:MM:SS`; empty when it is not known. */
  at: string
}

export class Editing {
  readonly #deps: EditingDeps

  constructor(deps: EditingDeps) {
    this.#deps = deps
  }

  /** A turn's text, for the prompt. @throws PluginError CHAT_NO_TURN; CHAT_BUSY for the answer that comes */
  take({ turn, seen }: SeenTurn): { turn: number; role: Role; text: string } {
    const { conversation } = this.#deps.transcript
    const { role, text } = this.#at(turn, seen)
    if (role === 'assistant' && turn === conversation.turns.length) this.#deps.refuseWhileBusy()
    return { turn, role, text }
  }

  /**
   * Puts a text that is sent `at` this local time in place of a turn, and drops what follows it; the former conversation
   * stays in the history.
   * @throws PluginError CHAT_BUSY, CHAT_NO_TURN
   */
  rewrite({ turn, seen }: SeenTurn, text: string, at: string): void {
    const { transcript, refuseWhileBusy } = this.#deps
    refuseWhileBusy()
    transcript.branch(turn - 1, rewritten(this.#at(turn, seen), text, at))
  }

  /**
   * Shows a version so many after this one, or before it; near the ends as many as there are.
   * @returns which it is, from 1, and how many there are
   * @throws PluginError CHAT_BUSY; CHAT_NO_TURN when there is none
   */
  async step(by: number): Promise<Which> {
    const { transcript, refuseWhileBusy } = this.#deps
    refuseWhileBusy()
    const change = stepBy(transcript.history, by)
    if (!change) {
      const last = by < 0 ? 'oldest' : 'newest'
      throw new PluginError('CHAT_NO_TURN', `This is already the ${last} version of the chat`)
    }
    transcript.change(change)
    await transcript.settle()
    return { index: transcript.history.shown + 1, count: transcript.history.versions.length }
  }

  /**
   * Shows another variant of a turn, so many after it or before it, with what last followed that one.
   * @returns which it is, from 1, and how many there are
   * @throws PluginError CHAT_BUSY; CHAT_NO_TURN when there is no such turn or only one
   */
  async variant({ turn, seen }: SeenTurn, by: number): Promise<Which> {
    const { transcript, refuseWhileBusy } = this.#deps
    refuseWhileBusy()
    this.#at(turn, seen)
    const change = variantBy(transcript.history, turn, by)
    if (!change) throw onlyOne()
    transcript.change(change)
    await transcript.settle()
    const { entries, shown } = variantsOf(transcript.history, turn)
    return { index: shown + 1, count: entries.length }
  }

  /**
   * The texts that may stand in place of a turn, by whom and of when. `shown`: which of them does, from 1.
   * @throws PluginError CHAT_NO_TURN when there is no such turn or only one
   */
  variants({ turn, seen }: SeenTurn): { shown: number; variants: VariantText[] } {
    const { history } = this.#deps.transcript
    this.#at(turn, seen)
    const { entries, shown } = variantsOf(history, turn)
    if (entries.length < 2) throw onlyOne()
    return { shown: shown + 1, variants: entries.map((number) => variantText(entryAt(history, number).turn)) }
  }

  /** Takes a turn out; the version with it stays in the history. @throws PluginError CHAT_BUSY, CHAT_NO_TURN */
  async remove({ turn, seen }: SeenTurn): Promise<void> {
    const { transcript, refuseWhileBusy } = this.#deps
    refuseWhileBusy()
    this.#at(turn, seen)
    transcript.change(removalOf(transcript.history, turn))
    await transcript.settle()
  }

  /** A request that was made on an older picture must not find another turn there. @throws PluginError CHAT_NO_TURN */
  #at(turn: number, seen: string | undefined): Turn {
    const { transcript } = this.#deps
    const found = turnAt(transcript.conversation, turn)
    if (seen === undefined || transcript.headingOf(turn) === seen) return found
    throw new PluginError('CHAT_NO_TURN', `Turn ${turn} is another one by now`, {
      hint: 'The chat has changed meanwhile: nothing was done.',
    })
  }
}

function onlyOne(): PluginError {
  return new PluginError('CHAT_NO_TURN', 'There is no other version of this turn', {
    hint: 'gr asks the last question again, and ge changes any turn.',
  })
}

function variantText(turn: Turn): VariantText {
  return { text: turn.text, name: turn.model ?? ROLE_LABELS[turn.role], at: turn.at }
}
