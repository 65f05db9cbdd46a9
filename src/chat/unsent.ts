// What the author of a chat has written and what no turn holds, as it is written down: the draft, and the prompts that wait.
// Not here: when they are sent (session.ts), what a chat that is taken up makes of them (take-over.ts).
import type { Ledger } from './record/ledger.ts'
import type { Draft } from './record/record.ts'
import { draftOf } from './take-over/take-over.ts'

export class Unsent {
  readonly #ledger: Ledger

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** What stands in the prompt now, as the editor tells it. */
  write(draft: Draft): void {
    const isBlank = draft.text.trim() === '' && draft.editing === undefined
    this.#ledger.apply({ type: 'meta', set: { draft: isBlank ? null : draft } })
  }

  /** The prompts that wait, in their order. */
  queue(texts: readonly string[]): void {
    this.#ledger.apply({ type: 'meta', set: { queue: texts.length === 0 ? null : texts } })
  }

  /** What was being written was sent; of what stands in the prompt now the editor tells. */
  sent(): void {
    if (this.#draft) this.#ledger.apply({ type: 'meta', set: { draft: null } })
  }

  /** An edited turn was sent; what stood in the prompt before is there again, and was not. */
  editSent(): void {
    if (this.#draft?.editing !== undefined) this.write({ text: this.#draft.aside ?? '' })
  }

  /** Prompts that go back to their author are written down as being written, until the editor tells what stands there. */
  returned(...texts: string[]): void {
    const draft = this.#draft
    const all = texts.length === 0 ? undefined : draftOf({ queue: texts, ...(draft ? { draft } : {}) })
    if (all) this.write(all)
  }

  get #draft(): Draft | undefined {
    return this.#ledger.record.meta.draft
  }
}
