/** What an answer will carry, part after part, before anything is paced or written. */

import type { Ask } from './ask.ts'
import type { Behaviour } from './behaviour.ts'
import { demonstrationAnswer } from './demonstration.ts'
import type { Part } from './lines.ts'

export class AnswerPlan {
  readonly #behaviour: Behaviour
  readonly #ask: Ask
  readonly #limit: number
  #tokens = 0
  #cut = false

  constructor(behaviour: Behaviour, ask: Ask) {
    this.#behaviour = behaviour
    this.#ask = ask
    const { num_predict: limit } = ask.options
    this.#limit = typeof limit === 'number' && limit > 0 ? limit : Number.POSITIVE_INFINITY
  }

  /** Pieces of thinking and content so far: each is a token. */
  get tokens(): number {
    return this.#tokens
  }

  get doneReason(): string {
    return this.#cut ? 'length' : (this.#behaviour.doneReason ?? 'stop')
  }

  /** The tool calls of the final line. */
  get finalPart(): Part {
    const { toolCalls, toolCallsIn } = this.#behaviour
    return toolCalls !== undefined && toolCallsIn === 'final' ? { toolCalls } : {}
  }

  /** Thinking, then content, then the tool calls of the middle; `num_predict` cuts thinking and content. */
  *parts(): Generator<Part> {
    for (const part of this.#pieces()) {
      if (this.#tokens >= this.#limit) {
        this.#cut = true
        break
      }
      this.#tokens += 1
      yield part
    }
    const { toolCalls, toolCallsIn } = this.#behaviour
    if (toolCalls !== undefined && toolCallsIn !== 'final') yield { toolCalls }
  }

  *#pieces(): Generator<Part> {
    const { thinking, content } = this.#texts()
    const { partial } = this.#ask
    // Whoever goes on with an answer has thought already.
    if (this.#ask.thinking && partial === '') for (const piece of thinking) yield { thinking: piece }
    for (const piece of partial === '' ? content : restOf(content, partial)) yield { content: piece }
  }

  #texts(): { thinking: Iterable<string>; content: Iterable<string> } {
    const { thinking, pieces } = this.#behaviour
    if (pieces !== undefined) return { thinking: thinking ?? [], content: pieces }
    const shown = demonstrationAnswer(this.#ask.messages)
    return { thinking: thinking ?? shown.thinking, content: shown.pieces }
  }
}

/** What follows in an answer after its beginning; all of it where that is the beginning of another answer. */
function restOf(content: Iterable<string>, partial: string): string[] {
  const pieces = [...content]
  if (!pieces.join('').startsWith(partial)) return pieces
  let before = partial.length
  return pieces.flatMap((piece) => {
    const rest = piece.slice(before)
    before = Math.max(0, before - piece.length)
    return rest === '' ? [] : [rest]
  })
}

/** Two parts in one line, as a final line may carry content and tool calls. */
export function mergedParts(earlier: Part | undefined, later: Part): Part {
  return { ...earlier, ...later }
}
