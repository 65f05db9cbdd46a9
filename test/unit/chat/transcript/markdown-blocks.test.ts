import fc from 'fast-check'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { describe, expect, test } from 'vitest'
import { closerOf } from '../../../../src/chat/transcript/markdown-blocks.ts'
import { blockLines, hostileText, isParsedOddly } from '../hostile.ts'

/** Whether a Markdown parser sees a heading that stands after the text. */
function headingSurvives(text: string): boolean {
  const last = fromMarkdown(`## before\n\n${text}\n\n## after`).children.at(-1)
  return last?.type === 'heading' && last.children[0]?.type === 'text' && last.children[0].value === 'after'
}

describe('closerOf', () => {
  test.each([
    ['plain text', ''],
    ['```ts\nconst x = 1', '```'],
    ['````\n```', '````'],
    ['~~~~ x\n```', '~~~~'],
    ['```\na\n```', ''],
    ['   ```\na', '```'],
    ['    ```\na', ''],
    ['``` a`b\ntext', ''],
    ['1. do:\n   ```bash\n   cmd', ''],
    ['- a\n  ```\nout', ''],
    ['- a\n```\nout', '```'],
    ['> ```\n> a', ''],
    ['> a\n```', '```'],
    ['<!-- a', '-->'],
    ['<!-- a --> b', ''],
    ['text\n<!-- a', '-->'],
    ['<SCRIPT>\n\nlet', '</script>'],
    ['<pre>\n\n```', '</pre>'],
    ['<textarea', '</textarea>'],
    ['<?php\n\n', '?>'],
    ['<!DOCTYPE', '>'],
    ['<![CDATA[', ']]>'],
    ['<div>\n```', ''],
    ['<div>\n\n```', '```'],
    ['a\r```\rb', '```'],
  ])('%j', (text, closer) => {
    expect(closerOf(text)).toBe(closer)
    expect(headingSurvives(closer === '' ? text : `${text}\n${closer}`)).toBe(true)
  })

  test.each([
    ['lines', blockLines],
    ['hostile text', hostileText],
  ] as const)('agrees with a full parser on %s', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(!isParsedOddly(text))
        const closer = closerOf(text)
        expect(closer === '').toBe(headingSurvives(text))
        if (closer !== '') expect(headingSurvives(`${text}\n${closer}`)).toBe(true)
      }),
      { numRuns: 1_500 },
    )
  })

  test('costs the length of the text, however it nests', () => {
    const texts = [
      '1. a\n   ```\n   b\n   ```\n',
      '> '.repeat(2_000),
      '- '.repeat(2_000) + '\n'.repeat(2_000),
      '<a '.repeat(3_000),
    ]
    const started = performance.now()
    for (const text of texts) closerOf(`${text.repeat(Math.ceil(500_000 / text.length))}\n\`\`\``)
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})
