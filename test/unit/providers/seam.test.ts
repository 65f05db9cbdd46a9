import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutForSending, type Joint, Overlap, overlapLength, RepeatedTail } from '../../../src/providers/seam.ts'

/** Text as answers have it: words, white space, fences, characters of several units. */
const answer = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('Hello', 'wor', 'world', 'the', 'é', '日本語', '🎉', '👩‍👩‍👧', 'x', '`a`'),
      },
      { weight: 6, arbitrary: fc.constantFrom(' ', '\n', '\n\n', '    ', '```\n', '\n```', '~~~', '. ', ', ') },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''))

/** Gives a text in pieces to a joint, as a stream does; the seam and what followed it. */
function join(joint: Joint, pieces: readonly string[]): { back: number; text: string } {
  for (const [index, piece] of pieces.entries()) {
    const joined = joint.push(piece)
    if (joined) return { ...joined, text: joined.text + pieces.slice(index + 1).join('') }
  }
  return joint.end()
}

function cutInto(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = []
  let from = 0
  for (const length of lengths) {
    pieces.push(text.slice(from, from + length))
    from += length
  }
  return [...pieces, text.slice(from)].filter((piece) => piece !== '')
}

const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 })

describe('what is sent of a cut answer', () => {
  test.each([
    ['Hello wor', 'Hello', ' wor'],
    ['Hello world. ', 'Hello', ' world. '],
    ['A fence:\n\n``', 'A fence:', '\n\n``'],
    ['Look:\n```python\n', 'Look:', '\n```python\n'],
    ['Hel', '', 'Hel'],
    ['', '', ''],
    [`日本語${'字'.repeat(60)}`, `日本語${'字'.repeat(60)}`, ''],
    [`${'字'.repeat(60)}。abc`, `${'字'.repeat(60)}。`, 'abc'],
  ])('%j ends with a whole word', (text, sent, dropped) => {
    expect(cutForSending(text)).toEqual({ sent, dropped })
  })

  test('nothing of it is lost, and it never ends with white space', () => {
    fc.assert(
      fc.property(answer, (text) => {
        const { sent, dropped } = cutForSending(text)
        expect(sent + dropped).toBe(text)
        if (dropped.length < 48) expect(sent).toBe(sent.trimEnd())
        expect(sent).not.toMatch(/[\uD800-\uDBFF]$/)
      }),
    )
  })

  test('a text of white space costs no time', () => {
    expect(cutForSending(`a${' '.repeat(1_000_000)}`).sent).toBe('a')
  })
})

describe('a continuation of what was sent', () => {
  test('wherever it was cut and however it comes, no word is repeated or missed', () => {
    fc.assert(
      fc.property(answer, fc.nat(), lengths, (whole, cut, pieces) => {
        const points = [...whole]
        const partial = points.slice(0, cut % (points.length + 1)).join('')
        const { sent, dropped } = cutForSending(partial)
        const { back, text } = join(new RepeatedTail(dropped), cutInto(whole.slice(sent.length), pieces))
        expect(partial.slice(0, partial.length - back) + text).toBe(whole)
        expect(back).toBe(0)
      }),
    )
  })

  test('one that takes another way replaces what it does not repeat', () => {
    const joint = new RepeatedTail(' wor')
    expect(join(joint, [' w', 'ide ', 'web'])).toEqual({ back: 2, text: 'ide web' })
  })

  test('whatever comes, the whole is what was sent and what came', () => {
    fc.assert(
      fc.property(answer, answer, lengths, (partial, came, pieces) => {
        const { sent, dropped } = cutForSending(partial)
        const { back, text } = join(new RepeatedTail(dropped), cutInto(came, pieces))
        const whole = partial.slice(0, partial.length - back) + text
        const indent = dropped.slice(0, dropped.length - dropped.trimStart().length)
        // A server may leave out the white space of its first token, or end within what was there already.
        expect([sent + came, sent + indent + came, partial]).toContain(whole)
        expect(whole).toBe(Buffer.from(whole).toString())
      }),
    )
  })

  test('the white space that a server leaves out of its first token is not missed', () => {
    expect(join(new RepeatedTail(' wor'), ['wo', 'rld'])).toEqual({ back: 0, text: 'ld' })
  })
})

describe('an answer that was asked to go on', () => {
  test.each([
    ['It ends in the middle', 'in the middle of it', ' of it'],
    ['It ends in the', 'the same way', ' same way'],
    ['The end', 'endless', 'endless'.slice(3)],
    ['ab', 'b c', 'b c'],
    ['No overlap', ' at all', ' at all'],
  ])('after %j, of %j only %j is new', (tail, head, fresh) => {
    expect(head.slice(overlapLength(tail, head))).toBe(fresh)
  })

  test('however much it repeats from a word on, and however it comes, nothing is repeated', () => {
    fc.assert(
      fc.property(answer, fc.nat(), lengths, (partial, from, pieces) => {
        const tail = partial.slice(-200)
        const starts = [...tail.matchAll(/(?<=^|\s)\S/g)].map(({ index }) => index)
        const start = starts[from % Math.max(1, starts.length)] ?? tail.length
        const rest = '\u0001 and on it goes'
        const { back, text } = join(new Overlap(partial), cutInto(tail.slice(start) + rest, pieces))
        expect(back).toBe(0)
        expect(partial + text).toBe(partial + rest)
      }),
    )
  })

  test('what has no overlap is kept whole', () => {
    fc.assert(
      fc.property(answer, lengths, (partial, pieces) => {
        expect(join(new Overlap(partial), cutInto('\u0001new', pieces)).text).toBe('\u0001new')
      }),
    )
  })

  test('an overlap is an end of the one and a beginning of the other, and the longest that begins with a word', () => {
    fc.assert(
      fc.property(answer, answer, (tail, head) => {
        const length = overlapLength(tail, head)
        expect(tail.endsWith(head.slice(0, length))).toBe(true)
        for (let longer = length + 1; longer <= Math.min(tail.length, head.length); longer++) {
          const at = tail.length - longer
          const isStart = at === 0 || /\s/.test(tail[at] ?? '') || /\s/.test(tail[at - 1] ?? '')
          expect(isStart && tail.endsWith(head.slice(0, longer))).toBe(false)
        }
      }),
    )
  })
})
