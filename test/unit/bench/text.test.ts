import { describe, expect, it } from 'vitest'
import { answerPieces, answerText, firstMark, historyPlans, lastMark } from '../../../bench/text.ts'

describe('the text of answers', () => {
  it('has exactly the wanted tokens, and its marks once each at both ends', () => {
    for (const tokens of [3, 5, 200, 20_000]) {
      const pieces = answerPieces({ label: 'x-1', tokens })
      expect(pieces).toHaveLength(tokens)
      expect(pieces[0]).toBe(firstMark('x-1'))
      expect(pieces.at(-1)).toContain(lastMark('x-1'))
      expect(pieces.join('').split(firstMark('x-1'))).toHaveLength(2)
    }
  })

  it('is the same for the same plan', () => {
    expect(answerText({ label: 'a', tokens: 300 })).toBe(answerText({ label: 'a', tokens: 300 }))
  })

  it('makes a history of about the wanted lines', () => {
    const texts = historyPlans(8_000).map(answerText)
    const lines = texts.join('\n').split('\n').length
    expect(texts).toHaveLength(20)
    expect(lines).toBeGreaterThan(7_600)
    expect(lines).toBeLessThan(8_400)
  })
})
