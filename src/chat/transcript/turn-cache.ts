// Turns as transcript text, kept as long as the turns are: a long chat is saved again and again, and only its end is new.
import { inSlices } from '../../core/steps.ts'
import type { Turn } from '../record/conversation.ts'
import { current, type History } from '../record/history.ts'
import { shownVariants } from '../record/variants.ts'
import type { Variant } from './grammar.ts'
import { renderTurn } from './turn-writer.ts'

export type RenderTurn = (turn: Turn, variant?: Variant) => string

export class TurnCache {
  readonly #texts = new WeakMap<Turn, { variant: string; text: string }>()

  /** As `renderTurn`. */
  readonly render: RenderTurn = (turn, variant) => {
    const which = variant ? `${variant.index}/${variant.count}` : ''
    const known = this.#texts.get(turn)
    if (known?.variant === which) return known.text
    const text = renderTurn(turn, variant)
    this.#texts.set(turn, { variant: which, text })
    return text
  }

  /** Renders what is shown, in slices, so that it is there at once when it is needed. */
  prepare(history: History): Promise<void> {
    return inSlices(this.#rendering(history))
  }

  *#rendering(history: History): Generator<number, void> {
    const variants = shownVariants(history)
    for (const [index, turn] of current(history).turns.entries()) {
      const isKnown = this.#texts.has(turn)
      const { length } = this.render(turn, variants[index])
      yield isKnown ? 0 : length
    }
  }
}
