// Answers to be cut: words, characters of several bytes, code and whatever looks like a transcript's own lines. Pure.
import type { Random } from './random.ts'

const WORDS = [
  'the',
  'lock',
  'is',
  'taken',
  'twice',
  'naïve',
  '→',
  '鍵',
  '🔒',
  'deadlock',
  '`mutex`',
  '**not**',
  'x',
  'of',
]
const BLOCKS = ['```lua\nlocal lock = {}\n```', '## ◆ You · no', '- one\n- two', '| a | b |\n|---|---|', '> said']
const PARAGRAPHS = 6

export function textToCut(random: Random): string {
  const paragraph = () => Array.from({ length: random.whole(4, 20) }, () => random.pick(WORDS)).join(' ')
  const parts = Array.from({ length: PARAGRAPHS }, () => (random.next() < 0.25 ? random.pick(BLOCKS) : paragraph()))
  return `${parts.join('\n\n')} end.`
}
