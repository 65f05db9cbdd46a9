import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { excerpt, excerptAround } from '../../../../src/chat/store/excerpt.ts'
import { wordsOf } from '../../../../src/chat/store/words.ts'
import { chatText, setUpStore } from './folder.ts'

describe('the beginning of a saved chat', () => {
  it('comes without the block', async () => {
    const { chats, write } = await setUpStore()
    await write('a.txt', chatText('one\ntwo\nthree'))
    expect(await excerpt(join(chats, 'a.txt'), 4)).toBe('## ◆ You · 2025-01-22 09:15:34\n\none\ntwo')
    expect(await excerpt(join(chats, 'a.txt'), 400)).toBe('## ◆ You · 2025-01-22 09:15:34\n\none\ntwo\nthree')
  })

  it('reads no more of a long file than it needs', async () => {
    const { chats, write } = await setUpStore()
    const lines = Array.from({ length: 100_000 }, (_, index) => `Zeile ${index} · äöü`)
    await write('a.txt', lines.join('\n'))
    expect(await excerpt(join(chats, 'a.txt'), 300)).toBe(lines.slice(0, 300).join('\n'))
    await write('b.txt', '日'.repeat(1_000_000))
    expect(await excerpt(join(chats, 'b.txt'), 3)).toMatch(/^日+$/)
  })

  it('tells what is not there', async () => {
    await expect(excerpt('/nowhere/a.txt', 3)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
  })
})

describe('the place in a saved chat where words were found', () => {
  const around = (path: string, lines: number, query: string) => {
    const words = wordsOf(query)
    return excerptAround(path, lines, { found: words, words })
  }
  const tenLines = Array.from({ length: 10 }, (_, index) => `line ${index}`).join('\n')

  it('comes with some lines above it, and all words marked', async () => {
    const { chats, write } = await setUpStore()
    await write('a.txt', chatText(`${tenLines}\nhere: the Größe\nafter\ngröße`))
    expect(await around(join(chats, 'a.txt'), 6, 'größe')).toEqual({
      text: 'line 6\nline 7\nline 8\nline 9\nhere: the Größe\nafter',
      above: 8,
      marks: [{ line: 4, from: 10, to: 17 }],
    })
  })

  it('is the beginning when they stand in the name, or nowhere any more', async () => {
    const { chats, write } = await setUpStore()
    await write('a.txt', chatText(tenLines))
    const words = wordsOf('line')
    const text = '## ◆ You · 2025-01-22 09:15:34\n\nline 0'
    const path = join(chats, 'a.txt')
    expect(await excerptAround(path, 3, { found: [], words })).toEqual({
      text,
      above: 0,
      marks: [{ line: 2, from: 0, to: 4 }],
    })
    expect(await around(path, 3, 'nowhere')).toEqual({ text, above: 0, marks: [] })
  })

  it('of a line without an end is what stands near it', async () => {
    const { chats, write } = await setUpStore()
    await write('a.txt', chatText(`${'a '.repeat(500_000)}needle${' b'.repeat(500_000)}`))
    const { text, above, marks } = await around(join(chats, 'a.txt'), 6, 'needle')
    expect(text.length).toBeLessThan(600_000)
    expect([above, marks]).toEqual([2, [{ line: 0, from: 2_000, to: 2_006 }]])
  })

  it('is told when it is not there', async () => {
    await expect(around('/nowhere/a.txt', 3, 'x')).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
  })

  it('is the beginning where only the name was meant, however long the rest is', async () => {
    const { chats, write } = await setUpStore()
    await write('a.txt', 'one lock\ntwo\nthree\n')
    await truncate(join(chats, 'a.txt'), 2 ** 30)
    const found = await excerptAround(join(chats, 'a.txt'), 2, { found: [], words: wordsOf('lock') })
    expect(found).toEqual({ text: 'one lock\ntwo', above: 0, marks: [{ line: 0, from: 4, to: 8 }] })
  })
})
