// Text as a hostile model would write it, for property tests.
import fc from 'fast-check'

const BOUNDARIES = [
  '## ◆ You · 2026-11-20 14:02:31',
  '## ◆ ',
  '### ◆ thinking',
  '### ◆ answer',
  '<!-- ◆ {"end":"done"} -->',
]
const PIECES = ['##', '###', '<!--', ' ', ' ◆', '◆ ', '\\', '\\\\', '-->', '`', '```', '~~~', '````', '{', '}']
const BLOCKS = [
  '```',
  '```ts',
  '~~~~',
  '   ```',
  '    ```',
  '> ```',
  '- ```',
  '1. x',
  '   ```sh',
  '  - y',
  '-',
  '>',
  '> q',
  '<!-- c',
  '-->',
  '<script>',
  '</script>',
  '<pre class="a">',
  '<style',
  '<?php',
  '?>',
  '<!DOCTYPE',
  '<![CDATA[',
  ']]>',
  '<div>',
  '<details>',
  '<b>',
  '</b>',
  'text',
  '# head',
  '---',
  '===',
  '***',
  '`````` x',
  '2. b',
  '10) c',
  '\tx',
  '-\tz',
]
const TAG = /<\/?[a-z][^>]*>/i
const ENDS = ['\n', '\n', '\n', '\n\n', '\r\n', '\r', '\u2028']

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...BOUNDARIES) },
  { weight: 4, arbitrary: fc.constantFrom(...PIECES) },
  { weight: 5, arbitrary: fc.constantFrom(...BLOCKS) },
  { weight: 6, arbitrary: fc.constantFrom(...ENDS) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constantFrom('\0', '\t', '\uFEFF', '\v', '\f', '\u0085', '𝄞') },
)

export const hostileText = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''))

/** Lines that open, close and nest Markdown blocks. */
export const blockLines = fc
  .array(
    fc.tuple(fc.constantFrom('', '', '', ' ', '  ', '   ', '    ', '> ', '- '), fc.constantFrom('', '', ...BLOCKS)),
    {
      maxLength: 12,
    },
  )
  .map((lines) => lines.map(([prefix, line]) => prefix + line).join('\n'))

/**
 * Where the parser that we test against leaves CommonMark: after indented code it lets no list begin with another number
 * than 1 or with an empty item, and it is undecided whether a lone tag interrupts a paragraph outside its container.
 */
export function isParsedOddly(text: string): boolean {
  const lines = text.split(/[\n\r]+/).filter((line) => /\S/.test(line))
  const hasContainer = /(?:^|[\n\r]) *(?:[->]|\d)/.test(text)
  return lines.some((line, index) => {
    const next = lines[index + 1] ?? ''
    return (/ {4}|\t/.test(line) && /(?:2\.|10\)|-[ >]*$)/.test(next)) || (hasContainer && index > 0 && TAG.test(line))
  })
}

/** Cuts a text at any code unit. */
export function cut(text: string, places: readonly number[]): string[] {
  const sorted = places.map((place) => place % (text.length + 1)).sort((a, b) => a - b)
  return [...sorted, text.length].map((end, index) => text.slice(sorted[index - 1] ?? 0, end))
}
