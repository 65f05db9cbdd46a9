import { expect, test } from 'vitest'
import { Picture } from '../../../src/chat/picture.ts'
import { SLICE_LENGTH } from '../../../src/chat/transcript/slices.ts'
import type { Written } from '../../../src/chat/writer.ts'
import { silentLog } from '../../../src/core/log.ts'
import { FakeClock, settled } from './fake-clock.ts'

interface Write {
  kind: 'append' | 'render' | 'prepend'
  text: string
  resolve(written: Written): void
  reject(error: unknown): void
}

/** A picture whose every write is answered by hand. */
function setUp() {
  const clock = new FakeClock()
  const writes: Write[] = []
  const write = (kind: Write['kind']) => (_: number, text: string) =>
    new Promise<Written>((resolve, reject) => writes.push({ kind, text, resolve, reject }))
  const shown = { whole: '' }
  const picture = new Picture(1, {
    surface: { append: write('append'), render: write('render'), prepend: write('prepend') },
    clock,
    log: silentLog,
    whole: () => shown.whole,
  })
  const append = (text: string) => {
    shown.whole += text
    picture.append(text)
  }
  return { clock, writes, picture, append, list: () => writes.map(({ kind, text }) => `${kind} ${text}`) }
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
