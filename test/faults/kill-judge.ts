// Holds what is left after a kill against what was seen before it. Pure.
import type { Turn } from '../../src/chat/record/conversation.ts'
import { current } from '../../src/chat/record/history.ts'
import type { ChatRecord } from '../../src/chat/record/record.ts'
import { draftOf } from '../../src/chat/take-over/take-over.ts'
import { parse } from '../../src/chat/transcript/format.ts'

/** What stood in Neovim at a moment, by the machine's monotonic clock in milliseconds. */
export interface Sight {
  at: number
  transcript: string
  prompt: string
  /** What stood in the prompt before a turn was taken there. */
  aside: string
  /** The prompts that waited. */
  queue: readonly string[]
}

type Turns = ReadonlyArray<Pick<Turn, 'role' | 'text'>>

/** What there is after a kill. */
export interface Kept {
  /** As they are shown. */
  turns: Turns
  /** The other versions of the history. */
  others?: readonly Turns[]
  prompt: string
  /** Present when a turn is edited in the prompt. */
  aside?: string
}

/** What a kill may cost. */
const MAY_LOSE_MS = 1_000

export function keptOf({ history, meta }: ChatRecord): Kept {
  const { text: prompt = '', editing, aside = '' } = draftOf(meta) ?? {}
  const others = history.versions.map((_, shown) => current({ ...history, shown }).turns)
  return { turns: current(history).turns, others, prompt, ...(editing === undefined ? {} : { aside }) }
}

export function shown(transcript: string): Turns {
  return parse(transcript).conversation.turns
}

interface Case {
  sights: readonly Sight[]
  /** When it was killed. */
  at: number
  kept: Kept
}

export interface Judgement {
  /** From the oldest sight of something that is missing to the kill; 0 when nothing is. */
  lostMs: number
  /** What is missing. */
  lost?: string
  wrong?: string
}

export function judge({ sights, at, kept }: Case): Judgement {
  for (const sight of sights) {
    const missing = missingOf(sight, kept)
    if (missing === undefined) continue
    const lostMs = at - sight.at
    const lost = `${Math.round(lostMs)} ms before it there was ${missing}, and now ${JSON.stringify(kept)}`
    return { lostMs, lost, ...(lostMs <= MAY_LOSE_MS ? {} : { wrong: lost }) }
  }
  const twice = wordsOf(kept).find((word, index, all) => all.indexOf(word) !== index)
  return twice === undefined ? { lostMs: 0 } : { lostMs: 0, wrong: `${twice} is there twice: ${JSON.stringify(kept)}` }
}

function missingOf({ transcript, prompt, aside, queue }: Sight, kept: Kept): string | undefined {
  const seen = shown(transcript)
  const versions = [kept.turns, ...(kept.others ?? [])]
  if (!versions.some((turns) => missingTurn(seen, turns) === -1)) {
    return `the turn ${JSON.stringify(seen[missingTurn(seen, kept.turns)]?.text)}`
  }
  const texts = [kept.prompt, kept.aside ?? '', ...versions.flat().map(({ text }) => text)]
  return [...queue, prompt, aside].flatMap(wordsIn).find((word) => !texts.some((text) => text.includes(word)))
}

function missingTurn(seen: Turns, turns: Turns): number {
  return seen.findIndex(({ role, text }, index) => {
    const now = turns[index]
    return now?.role !== role || !now.text.startsWith(text.trimEnd())
  })
}

/** Each for itself: what comes back into a prompt may come before what stands there, and what is written is sent with more. */
function wordsIn(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** Every word that a person or the double has written is another one. What is edited stands in its turn too. */
function wordsOf({ turns, prompt, aside }: Kept): string[] {
  return [...turns.map(({ text }) => text), aside ?? prompt].join(' ').match(/\b[wqd]\d+x\d+\b/g) ?? []
}
