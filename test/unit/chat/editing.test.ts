import { describe, expect, test } from 'vitest'
import { expectAsked, expectInStep, type Rig, setUp } from './rig.ts'

/** Asks, and has it answered at once. */
async function ask(rig: Rig, prompt: string, answer: string): Promise<void> {
  await rig.session.send(prompt)
  await answered(rig, answer)
}

async function answered(rig: Rig, answer: string): Promise<void> {
  rig.answerer.last.say({ type: 'text', text: answer })
  rig.answerer.last.finish()
  await expectInStep(rig)
}

async function twoTurns(): Promise<Rig> {
  const rig = setUp()
  await ask(rig, 'a', 'A')
  await ask(rig, 'b', 'B')
  return rig
}

const texts = ({ session }: Rig): string[] => session.conversation.turns.map((turn) => turn.text)
const marks = ({ surface }: Rig): string[] => surface.text.match(/‹\d+\/\d+›$/gm) ?? []

describe('an answer that was asked for again', () => {
  test('is told as a variant from its heading on, while it comes', async () => {
    const rig = await twoTurns()
    await rig.session.again()
    rig.answerer.last.say({ type: 'text', text: 'C' })
    await rig.clock.advance(300)
    expect(rig.surface.text).toMatch(/^## ◆ gpu:qwen3 · .* · ‹2\/2›\n\nC$/m)
    await answered(rig, '.')
    expect(marks(rig)).toEqual(['‹2/2›'])
  })

  test('gives way to the former one and what followed that, and is what is sent along then', async () => {
    const rig = await twoTurns()
    await rig.session.again()
    await answered(rig, 'C')
    await ask(rig, 'd', 'D')
    expect(await rig.session.editing.variant({ turn: 4 }, -1)).toEqual({ index: 1, count: 2 })
    await expectInStep(rig)
    expect(texts(rig)).toEqual(['a', 'A', 'b', 'B'])
    expect(marks(rig)).toEqual(['‹1/2›'])
    await rig.session.send('e')
    expectAsked(rig)
    await answered(rig, 'E')
    expect(await rig.session.editing.variant({ turn: 4 }, 3)).toEqual({ index: 2, count: 2 })
    await expectInStep(rig)
    expect(texts(rig)).toEqual(['a', 'A', 'b', 'C', 'd', 'D'])
  })
})

describe('a turn', () => {
  test('of the person has its edits as variants', async () => {
    const rig = await twoTurns()
    await rig.clock.advance(60_000)
    await rig.session.send('z', { replaces: { turn: 1 } })
    await answered(rig, 'Z')
    expect(marks(rig)).toEqual(['‹2/2›'])
    expect(rig.session.editing.variants({ turn: 1 })).toEqual({
      shown: 2,
      variants: [
        { text: 'a', name: 'You', at: '2026-11-20 14:02:31' },
        { text: 'z', name: 'You', at: '2026-11-20 14:03:31' },
      ],
    })
    await rig.session.editing.variant({ turn: 1 }, 1)
    expect(texts(rig)).toEqual(['a', 'A', 'b', 'B'])
  })

  test('of a model has its edits as variants, each by its model', async () => {
    const rig = await twoTurns()
    await rig.session.send('A!', { replaces: { turn: 2 } })
    const { shown, variants } = rig.session.editing.variants({ turn: 2 })
    expect([shown, ...variants.map(({ name, text }) => `${name} ${text}`)]).toEqual([2, 'gpu:qwen3 A', 'gpu:qwen3 A!'])
  })

  test('that is taken out stays in the version before', async () => {
    const rig = await twoTurns()
    await rig.session.editing.remove({ turn: 2 })
    await expectInStep(rig)
    expect(texts(rig)).toEqual(['a', 'b', 'B'])
    await rig.session.again()
    expectAsked(rig)
    await answered(rig, 'C')
    expect(await rig.session.editing.step(-2)).toEqual({ index: 1, count: 3 })
    expect(texts(rig)).toEqual(['a', 'A', 'b', 'B'])
    expect(await rig.session.editing.step(9)).toEqual({ index: 3, count: 3 })
    expect(texts(rig)).toEqual(['a', 'b', 'C'])
  })

  test('that is the only one, or none, is told so', async () => {
    const { session } = await twoTurns()
    await expect(session.editing.variant({ turn: 1 }, 1)).rejects.toMatchObject({
      message: /no other version of this turn/,
    })
    expect(() => session.editing.variants({ turn: 4 })).toThrow('There is no other version of this turn')
    expect(() => session.editing.variants({ turn: 5 })).toThrow('This chat has no turn 5')
    await expect(session.editing.remove({ turn: 5 })).rejects.toMatchObject({ code: 'CHAT_NO_TURN' })
  })
})

describe('a turn that is named with its heading', () => {
  const headings = ({ surface }: Rig): string[] => surface.text.match(/^## ◆ .*$/gm) ?? []

  test('is the one that stands in the editor, also while an answer comes', async () => {
    const rig = await twoTurns()
    await rig.session.send('B!', { replaces: { turn: 3 } })
    rig.answerer.last.say({ type: 'text', text: 'C' })
    await rig.clock.advance(300)
    expect(headings(rig)).toHaveLength(4)
    for (const [index, seen] of headings(rig).slice(0, 3).entries()) {
      expect(rig.session.editing.take({ turn: index + 1, seen }).turn).toBe(index + 1)
    }
  })

  test('and is another one by now is left alone, whatever was asked', async () => {
    const rig = await twoTurns()
    const [, , seen = ''] = headings(rig)
    await rig.session.again()
    await answered(rig, 'C')
    await rig.session.editing.remove({ turn: 1 })
    await expectInStep(rig)
    const { record } = rig.session
    const { editing } = rig.session
    const named = { turn: 3, seen }
    const refusal = { code: 'CHAT_NO_TURN', message: 'Turn 3 is another one by now' }
    expect(() => editing.take(named)).toThrow(expect.objectContaining(refusal))
    expect(() => editing.variants(named)).toThrow(expect.objectContaining(refusal))
    await expect(editing.remove(named)).rejects.toMatchObject(refusal)
    await expect(editing.variant(named, 1)).rejects.toMatchObject(refusal)
    await expect(rig.session.send('x', { replaces: named })).rejects.toMatchObject(refusal)
    expect(rig.session.record).toEqual(record)
  })
})

test('while an answer comes nothing is changed, but variants may be looked at', async () => {
  const rig = await twoTurns()
  await rig.session.send('a!', { replaces: { turn: 1 } })
  const before = rig.session.record
  const { editing } = rig.session
  for (const refused of [editing.remove({ turn: 1 }), editing.variant({ turn: 1 }, -1), editing.step(-1)]) {
    await expect(refused).rejects.toMatchObject({ code: 'CHAT_BUSY' })
  }
  expect(editing.variants({ turn: 1 }).variants).toHaveLength(2)
  expect(editing.take({ turn: 1 }).text).toBe('a!')
  expect(rig.session.record).toEqual(before)
})
