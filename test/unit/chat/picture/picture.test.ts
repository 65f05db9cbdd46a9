import { describe, expect, test } from 'vitest'
import { Picture } from '../../../../src/chat/picture/picture.ts'
import { Piece } from '../../../../src/chat/picture/pieces.ts'
import type { Written } from '../../../../src/chat/picture/writer.ts'
import type { Turn } from '../../../../src/chat/record/conversation.ts'
import { SLICE_LENGTH } from '../../../../src/chat/transcript/slices.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { FakeClock, settled } from '../fake-clock.ts'

interface Write {
  kind: 'append' | 'render' | 'prepend' | 'amend'
  text: string
  from?: unknown
  resolve(written: Written | 'differs'): void
  reject(error: unknown): void
}

/** A picture whose every write is answered by hand. */
function setUp() {
  const clock = new FakeClock()
  const writes: Write[] = []
  const write = (kind: Write['kind']) => (_: number, text: string, from?: unknown) =>
    new Promise<Written>((resolve, reject) =>
      writes.push({ kind, text, from, resolve: resolve as Write['resolve'], reject }),
    )
  const shown = { whole: '', pieces: undefined as readonly Piece[] | undefined }
  const picture = new Picture(1, {
    surface: { append: write('append'), render: write('render'), prepend: write('prepend'), amend: write('amend') },
    clock,
    log: silentLog,
    whole: () => shown.pieces ?? [Piece.open(shown.whole)],
  })
  const append = (text: string) => {
    shown.whole += text
    picture.append(text)
  }
  const show = (...pieces: readonly Piece[]) => {
    shown.pieces = pieces
    picture.replace()
  }
  return { clock, writes, picture, append, show, list: () => writes.map(({ kind, text }) => `${kind} ${text}`) }
}

const written = { lines: 1 }

test('a whole writing waits for the write under way and replaces what still waits', async () => {
  const { picture, append, writes, list, clock } = setUp()
  append('a')
  append('b')
  await settled()
  picture.replace()
  append('c')
  await clock.advance(100)
  expect(list()).toEqual(['append a'])
  writes[0]?.resolve(written)
  await clock.advance(100)
  expect(list()).toEqual(['append a', 'render ab'])
  writes[1]?.resolve(written)
  await clock.advance(100)
  expect(list()).toEqual(['append a', 'render ab', 'append c'])
})

test.each(['gone', 'failed'] as const)('a write before it that ends %s says nothing of it', async (end) => {
  const { picture, append, writes, list } = setUp()
  append('a')
  await settled()
  picture.replace()
  const settling = picture.settle()
  if (end === 'gone') writes[0]?.resolve('gone')
  else writes[0]?.reject('broken')
  await settled()
  writes[1]?.resolve(written)
  await settling
  append('b')
  await settled()
  expect(list()).toEqual(['append a', 'render a', 'append b'])
})

test('once gone, nothing is written until the whole is', async () => {
  const { picture, append, writes, list } = setUp()
  append('a')
  await settled()
  writes[0]?.resolve('gone')
  await settled()
  append('b')
  await picture.settle()
  expect(list()).toEqual(['append a'])
  picture.replace()
  await settled()
  expect(list()).toEqual(['append a', 'render ab'])
})

test('a failed write is made good once by settling, and settling ends all the same', async () => {
  const { picture, append, writes, list } = setUp()
  append('a')
  await settled()
  const settling = picture.settle()
  writes[0]?.reject('broken')
  await settled()
  append('b')
  writes[1]?.reject('broken')
  await settling
  expect(list()).toEqual(['append a', 'render a'])
})

test('a long whole goes in pieces, in turn, before what is appended; a later whole ends it', async () => {
  const { picture, append, writes, list, clock } = setUp()
  const line = `${'x'.repeat(SLICE_LENGTH / 2)}\n`
  append(line.repeat(3))
  await settled()
  writes[0]?.resolve(written)
  picture.replace()
  append('end')
  await clock.advance(100)
  expect(writes.map(({ kind }) => kind)).toEqual(['append', 'render'])
  writes[1]?.resolve(written)
  await clock.advance(100)
  expect(writes.map(({ kind }) => kind)).toEqual(['append', 'render', 'prepend'])
  expect(`${writes[2]?.text}${writes[1]?.text}`.length).toBeLessThanOrEqual(3 * line.length)
  picture.replace()
  writes[2]?.resolve(written)
  await clock.advance(100)
  expect(writes.map(({ kind }) => kind)).toEqual(['append', 'render', 'prepend', 'render'])
  expect(list()[3]).toMatch(/end$/)
})

describe('a picture of which a part is another', () => {
  const at = '2026-11-20 14:02:31'
  const turns = ['a', 'b', 'c'].map((text): Turn => ({ role: 'user', text, at }))
  const [a, b, c] = turns.map((turn) => Piece.of(turn)) as [Piece, Piece, Piece]
  const other = Piece.of({ ...(turns[1] as Turn), text: 'other' })

  /** One in which these turns stand, the last of them appended. */
  async function standing() {
    const rig = setUp()
    rig.show(a)
    await settled()
    rig.writes[0]?.resolve({ lines: a.lines + 1 })
    await settled()
    rig.picture.append(b.text, b)
    await settled()
    rig.writes[1]?.resolve({ lines: 2 * a.lines + 1 })
    await settled()
    rig.writes.length = 0
    return rig
  }

  test('is written from there on', async () => {
    const { show, writes, list } = await standing()
    show(a, other, c)
    await settled()
    expect(writes).toMatchObject([{ kind: 'amend', text: other.text + c.text }])
    expect(writes[0]?.from).toEqual({ row: a.lines, lines: 2 * a.lines + 1 })
    writes[0]?.resolve({ lines: 3 * a.lines + 1 })
    await settled()
    show(a, other)
    await settled()
    expect(list()[1]).toBe('amend ')
    expect(writes[1]?.from).toEqual({ row: 2 * a.lines, lines: 3 * a.lines + 1 })
  })

  test('is not written when nothing differs, and as a whole when the buffer is another one', async () => {
    const { show, picture, list } = await standing()
    show(a, b)
    await picture.settle()
    expect(list()).toEqual([])
    picture.stands()
    show(a, b)
    await settled()
    expect(list()).toEqual([`render ${a.text}${b.text}`])
  })

  test('is written as a whole into another buffer, also in the moment in which the former one was written', async () => {
    const { show, picture, writes, list } = await standing()
    show(a, other)
    await settled()
    writes[0]?.resolve({ lines: 2 * a.lines + 1 })
    picture.stands()
    show(a, other)
    await settled()
    expect(list()[1]).toBe(`render ${a.text}${other.text}`)
    writes[1]?.resolve({ lines: 2 * a.lines + 1 })
    picture.stands()
    show(a, other)
    await settled()
    expect(list()[2]).toBe(`render ${a.text}${other.text}`)
  })

  test('is written as a whole when something else stands there', async () => {
    const { show, writes, list } = await standing()
    show(a, other)
    await settled()
    writes[0]?.resolve('differs')
    await settled()
    expect(list()[1]).toBe(`render ${a.text}${other.text}`)
  })

  test('holds only what was written, not what was given to be', async () => {
    const { show, picture, writes } = await standing()
    picture.append(c.text, c)
    show(a, b, c)
    await settled()
    expect(writes).toMatchObject([{ kind: 'amend', text: c.text }])
  })
})
