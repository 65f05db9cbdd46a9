// Holds what is left after a kill against what was seen before it. Pure.
import { current } from '../../src/chat/record/history.ts'
import type { ChatRecord } from '../../src/chat/record/record.ts'
import { draftOf } from '../../src/chat/take-over/take-over.ts'
import { parse } from '../../src/chat/transcript/format.ts'

/** What stood in Neovim at a moment, by performance.now(). */
export interface Sight {
  at: number
  transcript: string
  prompt: string
  /** The prompts that waited. */
  queue: readonly string[]
}

/** What there is after a kill. */
export interface Kept {
  turns: ReadonlyArray<{ role: string; text: string }>
  prompt: string
}

/** What a kill may cost. */
const MAY_LOSE_MS = 1_000

export function keptOf(transcript: string, prompt: string): Kept
export function keptOf(record: ChatRecord): Kept
export function keptOf(kept: ChatRecord | string, prompt = ''): Kept {
  if (typeof kept === 'string') return { turns: parse(kept).conversation.turns, prompt }
  return { turns: current(kept.history).turns, prompt: draftOf(kept.meta)?.text ?? '' }
}

interface Case {
  sights: readonly Sight[]
  /** When it was killed. */
  at: number
  kept: Kept
}

/** @returns from the oldest sight of something that is missing to the kill, in milliseconds, and what is wrong */
export function judge({ sights, at, kept }: Case): { lostMs: number; wrong?: string } {
  for (const sight of sights) {
    const missing = missingOf(sight, kept)
    if (missing === undefined) continue
    const lostMs = at - sight.at
    if (lostMs <= MAY_LOSE_MS) return { lostMs }
    return { lostMs, wrong: `${Math.round(lostMs)} ms before it there was ${missing}, and now ${JSON.stringify(kept)}` }
  }
  const twice = wordsOf(kept).find((word, index, all) => all.indexOf(word) !== index)
  return twice === undefined ? { lostMs: 0 } : { lostMs: 0, wrong: `${twice} is there twice: ${JSON.stringify(kept)}` }
}

function missingOf({ transcript, prompt, queue }: Sight, kept: Kept): string | undefined {
  const seen = parse(transcript).conversation.turns
  const turn = seen.findIndex(({ role, text }, index) => {
    const now = kept.turns[index]
    return now?.role !== role || !now.text.startsWith(text.trimEnd())
  })
  if (turn !== -1) return `the turn ${JSON.stringify(seen[turn]?.text)}`
  const asked = kept.turns.filter(({ role }) => role === 'user').map(({ text }) => text)
  return [...queue, ...lastLineOf(prompt)].find(
    (text) => !kept.prompt.includes(text) && !asked.some((a) => a.includes(text)),
  )
}

/** Of a prompt that is being written what may be looked for: it may be sent meanwhile, together with more. */
function lastLineOf(prompt: string): string[] {
  return prompt.trim() === '' ? [] : [prompt.trim()]
}

/** Every word that a person or the double has written is another one. */
function wordsOf({ turns, prompt }: Kept): string[] {
  return [...turns.map(({ text }) => text), prompt].join(' ').match(/\b[wqd]\d+x\d+\b/g) ?? []
}
