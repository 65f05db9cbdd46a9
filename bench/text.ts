// Answers to stream: deterministic Markdown of a wanted length, so that both ends know what has to arrive.
import { piecesOf } from '../test/support/ollama-double/pieces.ts'

/** What makes a text: the same values give the same text. */
export interface Plan {
  /** Stands in the first and the last line, and nowhere else. */
  label: string
  tokens: number
}

/** The first words of an answer; nothing else in a transcript contains them. */
export function firstMark(label: string): string {
  return `Begin-${label}.`
}

/** The last words of an answer. */
export function lastMark(label: string): string {
  return `End-${label}.`
}

/** Exactly so many tokens; the first one holds the whole first mark, the last one the whole last mark. */
export function answerPieces({ label, tokens }: Plan): string[] {
  const pieces = [firstMark(label), '\n\n']
  for (let section = 1; pieces.length < tokens - 1; section += 1) pieces.push(...sectionPieces(section))
  return [...pieces.slice(0, Math.max(1, tokens - 1)), `\n${lastMark(label)}`]
}

export function answerText(plan: Plan): string {
  return answerPieces(plan).join('')
}

/** About so many lines, as answers of some hundred lines each. */
export function historyPlans(lines: number): Plan[] {
  const answers = Math.max(1, Math.round(lines / LINES_PER_ANSWER))
  const tokens = Math.round((lines / answers) * tokensPerLine())
  return Array.from({ length: answers }, (_, index) => ({ label: `history-${index}`, tokens }))
}

const LINES_PER_ANSWER = 400

function tokensPerLine(): number {
  const pieces = sectionPieces(1)
  return pieces.length / (pieces.join('').split('\n').length - 1)
}

const PARAGRAPH =
  'A lock is taken by the first one who asks, and given back in the *reverse* order; whoever takes two of them in\n' +
  'different orders at `two places` waits **for ever**. The pool has a queue of its own, so that a worker which\n' +
  'waits for another worker of the same pool may wait for itself.\n\n'

function sectionPieces(section: number): string[] {
  return piecesOf(
    [
      `### Step ${section}: look at the order\n\n`,
      PARAGRAPH,
      `- the queue of worker ${section} is _empty_\n- the lock \`pool[${section}]\` is held\n- [nobody](#nobody) waits\n\n`,
      `\`\`\`lua\nlocal pool = require('pool').new({ size = ${section} })\n`,
      "for index, worker in ipairs(pool.workers) do\n  worker:send('task', { index = index, retry = true })\nend\n```\n\n",
    ].join(''),
  )
}
