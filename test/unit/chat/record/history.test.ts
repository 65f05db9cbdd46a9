import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Turn } from '../../../../src/chat/record/conversation.ts'
import {
  branchAfter,
  changed,
  current,
  emptyHistory,
  type History,
  type HistoryChange,
  historyOf,
  removalOf,
  shownEntries,
  stepBy,
} from '../../../../src/chat/record/history.ts'
import { shownVariants, variantBy, variantsOf } from '../../../../src/chat/record/variants.ts'

const user = (text: string): Turn => ({ role: 'user', text, at: '' })
const answer = (text: string): Turn => ({ role: 'assistant', text, at: '', model: 's:m', end: 'done' })
const asked = historyOf({ turns: [user('q'), answer('a')] })
const textsOf = (history: History): string[] => current(history).turns.map(({ text }) => text)
const applied = (history: History, ...changes: Array<HistoryChange | undefined>): History =>
  changes.reduce((value, change) => (change ? changed(value, change) : value), history)

describe('a history', () => {
  test('keeps a regenerated answer as a variant, and what followed it', () => {
    const again = applied(asked, branchAfter(asked, 1), { type: 'append', turns: [answer('b'), user('r')] })
    expect(textsOf(again)).toEqual(['q', 'b', 'r'])
    expect(variantsOf(again, 2)).toEqual({ entries: [1, 2], shown: 1 })
    expect(variantsOf(again, 1).entries).toHaveLength(1)
    const former = applied(again, variantBy(again, 2, -1))
    expect(textsOf(former)).toEqual(['q', 'a'])
    expect(textsOf(applied(former, variantBy(former, 2, 1)))).toEqual(['q', 'b', 'r'])
    expect(textsOf(applied(former, variantBy(former, 2, -1)))).toEqual(['q', 'b', 'r'])
    expect(variantBy(again, 1, 1)).toBeUndefined()
    expect(shownVariants(again)).toEqual([undefined, { index: 2, count: 2 }, undefined])
    expect(shownVariants(former)).toEqual([undefined, { index: 1, count: 2 }])
  })

  test('has an edited question as a branch', () => {
    const edited = applied(asked, branchAfter(asked, 0, user('p')))
    expect(textsOf(edited)).toEqual(['p'])
    expect(textsOf(applied(edited, variantBy(edited, 1, -1)))).toEqual(['q', 'a'])
  })

  test('offers variants still after an earlier turn was taken out', () => {
    const two = applied(asked, branchAfter(asked, 1), { type: 'append', turns: [answer('b')] })
    const shorter = applied(two, removalOf(two, 1))
    expect(textsOf(shorter)).toEqual(['b'])
    expect(textsOf(applied(shorter, variantBy(shorter, 1, 1)))).toEqual(['a'])
    expect(textsOf(applied(shorter, stepBy(shorter, -1)))).toEqual(['q', 'b'])
  })

  test('shows a variant with what followed it, be it under other turns', () => {
    const edited = applied(
      historyOf({ turns: [user('s'), user('q'), answer('a'), user('r')] }),
      { type: 'branch', entries: [0], turns: [user('p'), answer('b')] },
      { type: 'branch', entries: [4, 5], turns: [] },
    )
    expect(textsOf(edited)).toEqual(['p', 'b'])
    expect(textsOf(applied(edited, variantBy(edited, 1, 1)))).toEqual(['q', 'a', 'r'])
  })

  test('leaves what another version holds as it was', () => {
    const kept = applied(asked, removalOf(asked, 1), { type: 'reopen', turn: answer('more') })
    expect(textsOf(kept)).toEqual(['more'])
    expect(textsOf(applied(kept, stepBy(kept, -1)))).toEqual(['q', 'a'])
    expect(textsOf(applied(asked, { type: 'reopen', turn: answer('more') }))).toEqual(['q', 'more'])
  })

  test('forgets a prompt that was taken back', () => {
    const taken = applied(asked, { type: 'append', turns: [user('x')] }, { type: 'drop' })
    expect(textsOf(taken)).toEqual(['q', 'a'])
    expect(stepBy(taken, -1)).toBeUndefined()
    expect(variantsOf(applied(taken, { type: 'append', turns: [user('y')] }), 3).entries).toHaveLength(1)
  })

  test('gives a version up that came to nothing of its own, and no other', () => {
    const anew = applied(asked, branchAfter(asked, 1))
    expect(applied(anew, { type: 'retract' })).toEqual(asked)
    const answered = applied(anew, { type: 'append', turns: [answer('b')] })
    expect(applied(answered, { type: 'retract' })).toBe(answered)
    expect(applied(asked, { type: 'retract' })).toBe(asked)
    const back = applied(anew, stepBy(anew, -1))
    expect(applied(back, { type: 'retract' })).toBe(back)
  })

  test('takes over a text, and knows the turns again that are the same', () => {
    const read = applied(asked, { type: 'rewrite', turns: [user('q'), answer('a, b'), user('c')] })
    expect(shownEntries(read)).toEqual([0, 2, 3])
    expect(variantsOf(read, 2)).toEqual({ entries: [1, 2], shown: 1 })
    expect(textsOf(applied(read, stepBy(read, -1)))).toEqual(['q', 'a'])
    const longer = applied(read, { type: 'rewrite', turns: [user('new'), ...current(read).turns] })
    expect(shownEntries(longer)).toEqual([4, 0, 2, 3])
    expect(shownVariants(longer)).toEqual([undefined, undefined, { index: 2, count: 2 }, undefined])
    const grown = applied(asked, { type: 'rewrite', turns: [...current(asked).turns, user('more')] })
    expect([textsOf(grown), grown.versions.length]).toEqual([['q', 'a', 'more'], 1])
    const coming: Turn = { role: 'assistant', text: 'half', at: '' }
    const further = [user('q'), { ...coming, text: 'half an answer', end: 'interrupted' as const }]
    const continued = applied(historyOf({ turns: [user('q'), coming] }), { type: 'rewrite', turns: further })
    expect([textsOf(continued), continued.entries.length, continued.versions.length]).toEqual([
      ['q', 'half an answer'],
      2,
      1,
    ])
  })

  test('keeps the versions that were stepped back over', () => {
    const three = applied(asked, branchAfter(asked, 0, user('b')), { type: 'branch', entries: [], turns: [user('c')] })
    const back = applied(three, { type: 'show', version: 0 })
    const branched = applied(back, branchAfter(back, 0, user('d')))
    const former = applied(branched, stepBy(branched, -1))
    expect([branched, former, applied(former, stepBy(former, -1))].map((seen) => textsOf(seen)[0])).toEqual([
      'd',
      'q',
      'c',
    ])
    expect(stepBy(branched, 1)).toBeUndefined()
  })

  test('never loses a version, and undoes what made one, whatever is done', () => {
    const action = fc.constantFrom('ask', 'answer', 'again', 'edit', 'remove', 'back', 'forth', 'variant')
    fc.assert(
      fc.property(fc.array(fc.tuple(action, fc.nat(5)), { maxLength: 40 }), (actions) => {
        let history = emptyHistory
        const seen = new Set<string>()
        for (const [index, [name, at]] of actions.entries()) {
          const { length } = shownEntries(history)
          const turn = length === 0 ? 0 : 1 + (at % length)
          const changes: Record<typeof name, HistoryChange | undefined> = {
            ask: { type: 'append', turns: [user(`q${index}`)] },
            answer: { type: 'append', turns: [answer(`a${index}`)] },
            again: branchAfter(history, Math.max(0, length - 1), answer(`b${index}`)),
            edit: branchAfter(history, Math.max(0, turn - 1), user(`e${index}`)),
            remove: turn === 0 ? undefined : removalOf(history, turn),
            back: stepBy(history, -1),
            forth: stepBy(history, 1),
            variant: turn === 0 ? undefined : variantBy(history, turn, at % 2 === 0 ? 1 : -1),
          }
          const change = changes[name]
          const before = textsOf(history)
          if (change?.type === 'branch') seen.add(JSON.stringify(before))
          history = applied(history, change)
          if (change?.type === 'branch') {
            const undone = applied(history, stepBy(history, -1))
            expect(textsOf(undone)).toEqual(before)
            expect(textsOf(applied(undone, stepBy(undone, 1)))).toEqual(textsOf(history))
          }
          const marks = shownVariants(history)
          for (let shown = 1; shown <= shownEntries(history).length; shown++) {
            const variants = variantsOf(history, shown)
            expect(variants.entries[variants.shown]).toBe(shownEntries(history)[shown - 1])
            const mark = { index: variants.shown + 1, count: variants.entries.length }
            expect(marks[shown - 1]).toEqual(mark.count === 1 ? undefined : mark)
          }
        }
        const texts = history.versions.map((_, shown) => textsOf({ ...history, shown }))
        for (const version of seen) {
          const known = JSON.parse(version) as string[]
          expect(texts.some((longer) => known.every((text, index) => longer[index] === text))).toBe(true)
        }
      }),
    )
  })
})
