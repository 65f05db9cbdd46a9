import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { excerpt } from '../../../../src/chat/store/excerpt.ts'
import { isOurs, listed, listedInParts } from '../../../../src/chat/store/listing.ts'
import { type Hit, search, wordsOf } from '../../../../src/chat/store/search.ts'
import { BLOCK, chatText, setUpStore } from './folder.ts'

const named = (name: string, day = 22) => `${name}_qwen3-32b_202501${day}-091534.txt`

async function found(folder: string, query: string, signal = new AbortController().signal): Promise<Hit[]> {
  const hits: Hit[] = []
  for await (const hit of search(folder, await listed(folder), wordsOf(query), signal)) hits.push(hit)
  return hits
}

describe('the list of saved chats', () => {
  it('is newest first by the last writing, and has what other programs put there', async () => {
    const { chats, write } = await setUpStore()
    await write(named('old'), chatText('one'), 9)
    await write(named('new'), chatText('two'))
    await write('notes.txt', 'by hand', 3)
    await write('.hidden.txt', 'x')
    await write(named('empty'), '')
    await write('image.png', 'x')
    await mkdir(join(chats, 'folder.txt'))
    await symlink('/nowhere', join(chats, 'link.txt'))
    const list = await listed(chats)
    expect(list.map(({ title }) => title)).toEqual(['new', 'notes', 'old'])
    expect(list[0]).toMatchObject({ model: 'qwen3-32b', created: '2025-01-22 09:15:34', file: named('new') })
    expect(list[1]).toMatchObject({ model: '', file: 'notes.txt', bytes: 7 })
    expect(list[1]?.created).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  })

  it('is empty where there is no folder, and can be given up', async () => {
    expect(await listed('/nowhere')).toEqual([])
  })

  it('shows of many those first that were begun last', async () => {
    const { chats, write } = await setUpStore()
    for (let index = 0; index < 2_100; index++) await write(named(`chat ${index}`, 10 + (index % 20)), 'x', index % 7)
    const parts: number[] = []
    const days = new Set<string>()
    for await (const part of listedInParts(chats)) {
      if (parts.length === 0) for (const { created } of part.slice(0, 100)) days.add(created.slice(0, 10))
      parts.push(part.length)
      expect(part.map(({ changed }) => changed)).toEqual(part.map(({ changed }) => changed).toSorted((a, b) => b - a))
    }
    expect(parts).toEqual([50, 2050])
    expect([...days]).toEqual(['2025-01-29'])
    expect(await listed(chats)).toHaveLength(2_100)
    await expect(listed(chats, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})

describe('whose a file is', () => {
  it.each([
    ['what the plugin wrote', named('a'), chatText('x'), true],
    ['one with a very long last line', named('a'), `x\n<!-- ◆ turn 1 "${'y'.repeat(200_000)}" -->\n`, true],
    ['one without the block', named('a'), '## ◆ You\n\nx\n', false],
    ['one whose last line is a footer', named('a'), '## ◆ qwen3\n\nx\n\n<!-- ◆ {"end":"done"} -->\n', false],
    ['one to which something was added', named('a'), `${chatText('x')}\nmine\n`, false],
    ['one of another name', 'notes.txt', chatText('x'), false],
  ])('tells %s', async (_, file, text, ours) => {
    const { chats, write } = await setUpStore()
    await write(file, text)
    expect(await isOurs(chats, file)).toBe(ours)
  })

  it('knows nothing of a file that is gone', async () => expect(await isOurs('/nowhere', named('a'))).toBe(false))
})

describe('the search', () => {
  it('finds names before texts, each with the line where a word stands first', async () => {
    const { chats, write } = await setUpStore()
    await write(named('other'), chatText('first line\nthe Deadlock of a pool'))
    await write(named('deadlock in the pool'), chatText('nothing'), 5)
    await write(named('neither'), chatText('a pool without it'))
    const hits = await found(chats, '  POOL deadlock ')
    expect(hits.map(({ title }) => title)).toEqual(['deadlock in the pool', 'other'])
    expect(hits[0]?.match).toBeUndefined()
    expect(hits[1]?.match).toEqual({ line: 4, text: 'the Deadlock of a pool' })
  })

  it('takes a word from the name and another from the text', async () => {
    const { chats, write } = await setUpStore()
    await write(named('locks'), chatText('why?'))
    expect(await found(chats, 'locks why')).toMatchObject([{ match: { line: 3, text: 'why?' } }])
    expect(await found(chats, 'qwen3 why')).toHaveLength(1)
    expect(await found(chats, 'locks nowhere')).toEqual([])
  })

  it.each([
    ['straße', 'Die STRAßE'],
    ['é', 'e\u0301'],
    ['e\u0301', 'É'],
    ['ΟΔΟΣ', 'οδος'],
    ['日本', '日本語'],
    ['a.b*', 'x a.b* y'],
  ])('finds %j in %j', async (word, text) => {
    const { chats, write } = await setUpStore()
    await write(named('x'), chatText(text))
    await write(named('y'), chatText('something else'))
    expect(await found(chats, word)).toMatchObject([{ file: named('x'), match: { line: 3 } }])
  })

  it('does not look at what the transcript does not show', async () => {
    const { chats, write } = await setUpStore()
    await write(named('x'), chatText('words'))
    expect(await found(chats, 'format')).toEqual([])
    expect(BLOCK).toContain('format')
  })

  it('shows of a long line what stands around the word', async () => {
    const { chats, write } = await setUpStore()
    await write(named('x'), chatText(`${'a '.repeat(5_000)}needle${' b'.repeat(5_000)}`))
    const [hit] = await found(chats, 'needle')
    expect(hit?.match?.text).toContain('needle')
    expect(hit?.match?.text.length).toBeLessThanOrEqual(200)
  })

  it('ends when it is given up', async () => {
    const { chats, write } = await setUpStore()
    for (let index = 0; index < 20; index++) await write(named(`x${index}`), chatText('word'))
    await expect(found(chats, 'word', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})

describe('a preview', () => {
  it('is the beginning, without the block', async () => {
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
