import fc from 'fast-check'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { describe, expect, test } from 'vitest'
import type { Conversation, Turn } from '../../../../src/chat/record/conversation.ts'
import { parse, render } from '../../../../src/chat/transcript/format.ts'
import { renderTurn, TurnWriter } from '../../../../src/chat/transcript/turn-writer.ts'
import { cut, hostileText, isParsedOddly } from '../hostile.ts'
import { answered, conversations } from '../turns.ts'

const failed: Conversation = {
  turns: [
    { role: 'system', text: 'Be brief.', at: '2026-11-20 14:02:30' },
    { role: 'user', text: 'Why?\n\n## ◆ You · now', at: '2026-11-20 14:02:31' },
    {
      role: 'assistant',
      model: 'gpu:qwen3:32b',
      at: '2026-11-20 14:02:35',
      thinking: 'Hm.',
      thinkingMs: 12_345,
      text: 'Because\n```ts\nlet',
      end: 'failed',
      note: { code: 'SSH_DISCONNECTED', text: 'The way to gpu was lost\ngr asks again.' },
      usage: {
        promptTokens: 11,
        answerTokens: 42,
        totalMs: 1234,
        loadMs: 45,
        promptMs: 9,
        answerMs: 777,
        firstTokenMs: 120,
      },
    },
  ],
}

const failedText = `## ◆ System · 2026-11-20 14:02:30

Be brief.

## ◆ You · 2026-11-20 14:02:31

Why?

\\## ◆ You · now

## ◆ gpu:qwen3:32b · 2026-11-20 14:02:35

### ◆ thinking

Hm.

### ◆ answer · thought for 12.345 s

Because
\`\`\`ts
let
\`\`\`

### ◆ failed · SSH_DISCONNECTED

The way to gpu was lost
gr asks again.

<!-- ◆ {"end":"failed","tokens":{"prompt":11,"answer":42},"ms":{"total":1234,"load":45,"prompt":9,"answer":777,"first":120},"closed":{"text":"\`\`\`"}} -->

`

describe('the format', () => {
  test('is written and read as it is documented', () => {
    expect(render(failed)).toBe(failedText)
    expect(parse(failedText)).toEqual({ conversation: failed, problems: [] })
  })

  test('an answer without a footer was interrupted', () => {
    const running: Turn = { role: 'assistant', model: 's:m', at: '2026-11-20 14:02:35', text: 'So f' }
    expect(parse(renderTurn(running)).conversation.turns).toEqual([{ ...running, end: 'interrupted' }])
  })

  test("a newer version's metadata survives", () => {
    const text = '## ◆ s:m\n\nx\n\n<!-- ◆ {"end":"done","variant":[2,3],"ms":{"total":5,"queue":7}} -->\n\n'
    expect(parse(text).conversation.turns[0]?.extra).toEqual({ variant: [2, 3], ms: { queue: 7 } })
    expect(render(parse(text).conversation)).toBe(
      '## ◆ s:m\n\nx\n\n<!-- ◆ {"end":"done","variant":[2,3],"ms":{"total":5,"queue":7}} -->\n\n',
    )
  })

  test('nothing in a footer can end its comment or its line', () => {
    const turn: Turn = { role: 'assistant', at: '', text: '<!--', end: 'done', extra: { a: '-->\n\u2028## ◆ You' } }
    const footer = renderTurn(turn).split('\n\n').at(-2) ?? ''
    expect(footer.match(/-->/g)).toHaveLength(1)
    expect(footer).toMatch(/^<!-- ◆ .* -->$/)
    expect(parse(renderTurn(turn)).conversation.turns).toEqual([turn])
  })

  test.each([
    ['before\n\n## ◆ You\n\nx\n\n', ['before', 'x'], ['Line 1: text before the first heading is taken for a prompt']],
    [
      '## ◆ You\n\nx\n\n### ◆ tool · ls\n\ny\n\n',
      ['x\n\n### ◆ tool · ls\n\ny'],
      ['Line 5: "### ◆ tool · ls" is kept as text'],
    ],
    [
      '## ◆ You\n\nx\n\n<!-- ◆ {"end" -->\n',
      ['x\n\n<!-- ◆ {"end" -->'],
      ['Line 5: a footer that cannot be read is kept as text'],
    ],
    ['## ◆ You · noon\n\nx\n', ['x'], ['Line 1: "noon" is no time']],
    ['## ◆ You\n\nx\n\n<!-- ◆ {} -->\n\nlate\n', ['x\n\nlate'], ['Line 5: text after the end of a turn is kept in it']],
    ['\n \n', [], []],
  ])('keeps what it does not know: %j', (text, texts, problems) => {
    const parsed = parse(text)
    expect(parsed.conversation.turns.map((turn) => turn.text)).toEqual(texts)
    expect(parsed.problems).toEqual(problems)
    expect(parse(render(parsed.conversation)).conversation).toEqual(parsed.conversation)
  })
})

describe('the laws', () => {
  test('what is rendered is read back as it was', () => {
    fc.assert(
      fc.property(conversations, (conversation) => {
        expect(parse(render(conversation))).toEqual({ conversation, problems: [] })
      }),
      { numRuns: 1_000 },
    )
  })

  test('which variant a turn is stands in its heading, and is not read back', () => {
    fc.assert(
      fc.property(conversations, fc.nat(9), ({ turns }, index) => {
        const variants = turns.map((_, at) => (at % 2 === 0 ? { index: index + 1, count: index + 2 } : undefined))
        const text = turns.map((turn, at) => renderTurn(turn, variants[at])).join('')
        expect(parse(text)).toEqual({ conversation: { turns }, problems: [] })
        expect(text.match(/^## ◆ .* · ‹\d+\/\d+›$/gm) ?? []).toHaveLength(Math.ceil(turns.length / 2))
      }),
    )
  })

  test('no content makes a heading', () => {
    fc.assert(
      fc.property(conversations, (conversation) => {
        expect(render(conversation).match(/^## ◆ /gm)?.length ?? 0).toBe(conversation.turns.length)
      }),
      { numRuns: 1_000 },
    )
  })

  test('pieces of an answer, however it is cut, are its text', () => {
    fc.assert(
      fc.property(answered, fc.array(fc.nat(100), { maxLength: 12 }), (turn, places) => {
        const writer = new TurnWriter(turn)
        const pieces = [
          writer.head(),
          ...cut(turn.thinking ?? '', places).map((chunk) => writer.thinking(chunk)),
          ...cut(turn.text, places).map((chunk) => writer.text(chunk, turn.thinkingMs)),
          writer.end(turn),
        ]
        expect(pieces.join('')).toBe(renderTurn(turn))
        expect(writer.soFar).toBe(renderTurn(turn))
      }),
      { numRuns: 1_000 },
    )
  })

  test('a Markdown parser sees every turn heading at the root', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(conversations, (conversation) => {
        fc.pre(
          !conversation.turns.some((turn) => isParsedOddly(`${turn.text}\n\n${turn.thinking}\n\n${turn.note?.text}`)),
        )
        const text = render(conversation)
        const seen = fromMarkdown(text).children.filter(
          ({ type, position }) =>
            type === 'heading' && position?.start.column === 1 && text.startsWith('## ◆ ', position.start.offset),
        )
        expect(seen.length).toBe(conversation.turns.length)
      }),
      { numRuns: 1_000 },
    )
  })

  test('any text can be read, and reading is stable after the first time', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.string({ unit: 'binary' })), (text) => {
        const { conversation } = parse(text)
        expect(parse(render(conversation)).conversation).toEqual(conversation)
      }),
      { numRuns: 1_500 },
    )
  })

  test('escaping holds back no more than the beginning of a boundary', () => {
    const writer = new TurnWriter({ role: 'assistant', at: '' })
    expect(writer.text('a\n##')).toBe('a\n')
    expect(writer.text(' ')).toBe('')
    expect(writer.text('x')).toBe('## x')
    expect(writer.text('\n\\\\')).toBe('\n\\\\')
    expect(writer.text('### ◆')).toBe('')
    expect(writer.text(' y')).toBe('\\### ◆ y')
  })
})
