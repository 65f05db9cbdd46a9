import fc from 'fast-check'
import { expect, test } from 'vitest'
import { slicesFromEnd } from '../../../../src/chat/transcript/slices.ts'

const line = fc.constantFrom('', 'word', 'a longer line of text', '## ◆ You', '## no heading', '◆')

test('the pieces are the text from its end, each of whole lines, and tell how many stand above', () => {
  fc.assert(
    fc.property(fc.array(line), fc.boolean(), fc.integer({ min: 1, max: 60 }), (lines, ends, length) => {
      const text = lines.join('\n') + (ends ? '\n' : '')
      const pieces = [...slicesFromEnd(text, length)]
      expect(
        pieces
          .map((piece) => piece.text)
          .reverse()
          .join(''),
      ).toBe(text)
      let before = text
      for (const [index, piece] of pieces.entries()) {
        before = before.slice(0, before.length - piece.text.length)
        expect(piece.above).toBe(before.split('\n').length - 1)
        expect(before === '' || before.endsWith('\n')).toBe(true)
        if (index > 0) expect(piece.text).not.toBe('')
      }
    }),
  )
})

test('a piece begins with a heading where turns are short enough', () => {
  const turn = `## ◆ You · 2026-11-20 14:02:31\n\n${'words\n'.repeat(20)}`
  const pieces = [...slicesFromEnd(turn.repeat(10), 3 * turn.length)]
  expect(pieces.map(({ text }) => text.length / turn.length)).toEqual([2, 2, 2, 2, 2])
})

test('what is short is one piece, and so is nothing', () => {
  expect([...slicesFromEnd('all\n')]).toEqual([{ text: 'all\n', above: 0 }])
  expect([...slicesFromEnd('')]).toEqual([{ text: '', above: 0 }])
})
