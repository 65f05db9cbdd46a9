import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { marksIn, matchIn, narrows, wordsOf } from '../../../../src/chat/store/words.ts'

const match = (query: string, text: string) => matchIn(Buffer.from(text), wordsOf(query))

/** What is folded, composed or cut in more than one way. */
const letters = fc.string({ unit: fc.constantFrom(...'asSſkK\u212AeéE\u0301ßẞσςΣiİı日ä-. '), maxLength: 8 })

describe('the words of a query', () => {
  it('are found in the line where most of them stand', () => {
    const text = 'a pool\na lock\nlock and POOL, pool\nthe lock of a pool'
    expect(match('pool lock', text)).toEqual({ line: 3, text: 'lock and POOL, pool', column: 0 })
    expect(match('pool', text)).toEqual({ line: 1, text: 'a pool', column: 2 })
    expect(match('pool key', text)).toBeUndefined()
  })

  it('are shown with what stands around them, cut between characters', () => {
    const found = match('größe', `${'😀'.repeat(60)}die-Größe${' 😀'.repeat(200)}`)
    expect(found?.text).toMatch(/^…😀+die-Größe( 😀)+$/u)
    expect(found?.column).toBe(60 * 4 + 4)
    expect(match('lock', `${'aword '.repeat(9)}the lock`)?.text).toBe('…aword aword aword the lock')
  })

  it('are looked for in no text for ever', () => {
    const text = 'e\n'.repeat(50_000)
    expect(match('e', text)).toMatchObject({ line: 1 })
  })

  it('are marked where they stand, in bytes, and where they stand everywhere in so many places as anybody looks at', () => {
    const marked = (query: string, ...lines: string[]) =>
      marksIn(lines, wordsOf(query)).map(({ line, from, to }) => [
        line,
        Buffer.from(lines[line] ?? '').toString('utf8', from, to),
      ])
    expect(marked('größe é', 'die Größe, 😀 GRÖSSE, größe', 'x', 'é')).toEqual([
      [0, 'Größe'],
      [0, 'größe'],
      [2, 'é'],
    ])
    expect(marked('e', 'ße'.repeat(20_000), 'e')).toEqual(Array(1_000).fill([0, 'e']))
  })

  it('narrow those whose letters they hold', () => {
    const does = (query: string, former: string) => narrows(wordsOf(query), wordsOf(former))
    expect(does('locks', 'lock')).toBe(true)
    expect(does('the LOCKS', 'lock')).toBe(true)
    expect(does('lock', 'locks')).toBe(false)
    expect(does('lock pool', 'lock')).toBe(true)
    expect(does('lock', 'lock pool')).toBe(false)
    expect(does('café', 'cafe')).toBe(false)
    expect(does('cafe\u0301s', 'café')).toBe(true)
  })

  it('are nowhere where those that they narrow are not', () => {
    fc.assert(
      fc.property(letters, letters, fc.array(letters), (former, more, texts) => {
        const [wide, narrow] = [wordsOf(former), wordsOf(former + more)]
        if (!narrows(narrow, wide) || wide.length === 0) return
        for (const text of [...texts, former + more].map((each) => Buffer.from(each))) {
          if (matchIn(text, narrow)) expect(matchIn(text, wide)).toBeDefined()
        }
      }),
      { numRuns: 500 },
    )
  })
})
