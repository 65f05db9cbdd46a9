import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isOurs, listed, listedInParts } from '../../../../src/chat/store/listing.ts'
import { chatText, setUpStore } from './folder.ts'

const named = (name: string, day = 22) => `${name}_qwen3-32b_202501${day}-091534.txt`

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
    await symlink('loop.txt', join(chats, 'loop.txt'))
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
