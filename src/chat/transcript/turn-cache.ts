// Turns as transcript text, kept as long as the turns are: a long chat is saved again and again, and only its end is new.
import type { Turn } from '../record/conversation.ts'
import { current, type History } from '../record/history.ts'
import { shownVariants } from '../record/variants.ts'
import type { Variant } from './grammar.ts'
import { renderTurn } from './turn-writer.ts'

export type RenderTurn = (turn: Turn, variant?: Variant) => string

/** The event loop is held for no longer, but for one turn. */
const SLICE_MS = 8

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
  async prepare(history: History): Promise<void> {
    const variants = shownVariants(history)
    let since = performance.now()
    for (const [index, turn] of current(history).turns.entries()) {
      this.render(turn, variants[index])
      if (performance.now() - since < SLICE_MS) continue
      await new Promise((resolve) => setImmediate(resolve))
      since = performance.now()
    }
  }
}
