import { describe, expect, it } from 'vitest'
import { SavedChats } from '../../../../src/chat/store/saved-chats.ts'
import type { SavedChat } from '../../../../src/rpc/shapes.ts'
import { chatText, claimsIn, setUpStore } from './folder.ts'

const named = (name: string) => `${name}_qwen3-32b_20250122-091534.txt`

async function setUp() {
  const store = await setUpStore()
  const batches: SavedChat[][] = []
  const surface = { savedFound: async (_: number, entries: readonly SavedChat[]) => void batches.push([...entries]) }
  const { claims, trash } = store
  /** What was there when it was asked which left-over chats are in their files. */
  const seen: string[][] = []
  const saved = new SavedChats({
    ...{ surface, folder: () => store.chats, claims, trash },
    settleLeft: async () => void seen.push(await store.files()),
    renameLiving: (file, name) => (file === named('living') ? Promise.resolve(named(name)) : undefined),
  })
  return { ...store, batches, seen, surface, handlers: saved.handlers }
}

describe('the saved chats', () => {
  it('come in batches, with where they are open', async () => {
    const { handlers, write, batches, claims, data } = await setUp()
    for (let index = 0; index < 120; index++) await write(named(`chat ${index}`), 'x', index)
    await claims.claim(named('chat 0'))
    await claimsIn(data, process.ppid).claim(named('chat 1'))
    expect(await handlers['saved.list']({ walk: 1 })).toEqual({ total: 120 })
    expect(batches.map(({ length }) => length)).toEqual([50, 70])
    expect(
      batches
        .flat()
        .map(({ open }) => open)
        .slice(0, 3),
    ).toEqual(['here', 'elsewhere', undefined])
    expect(batches.flat().map(({ title }) => title)).toEqual(Array.from({ length: 120 }, (_, index) => `chat ${index}`))
  })

  it('are found, and looked at', async () => {
    const { handlers, write, batches } = await setUp()
    await write(named('a'), chatText('the needle'))
    await write(named('b'), chatText('hay'))
    expect(await handlers['saved.list']({ walk: 1, query: 'needle' })).toEqual({ total: 1 })
    expect(batches.flat()).toMatchObject([{ file: named('a'), match: { line: 3, text: 'the needle' } }])
    expect(await handlers['saved.preview']({ file: named('b'), lines: 9 })).toEqual({
      text: '## ◆ You · 2025-01-22 09:15:34\n\nhay',
      above: 0,
      marks: [],
    })
    expect(await handlers['saved.preview']({ file: named('a'), lines: 9, query: 'a needle' })).toMatchObject({
      text: expect.stringContaining('the needle'),
      marks: expect.arrayContaining([{ line: 2, from: 4, to: 10 }]),
    })
  })

  it('are looked for by what was left over before anything is done to them', async () => {
    const { handlers, write, seen, files } = await setUp()
    await write(named('a'), chatText('x'))
    await handlers['saved.rename']({ file: named('a'), name: 'b' })
    await handlers['saved.delete']({ files: [named('b')] })
    await write(named('c'), chatText('x'))
    await handlers['saved.clear']({})
    expect(seen).toEqual([[named('a')], [named('b')], [named('c')]])
    expect(await files()).toEqual([])
  })

  it('are looked for no further when nobody waits', async () => {
    const { handlers, write, surface } = await setUp()
    for (let index = 0; index < 120; index++) await write(named(`chat ${index}`), chatText('word'))
    surface.savedFound = async () => void handlers['saved.cancel']({ walk: 1 })
    const given = [{ walk: 1 }, { walk: 1, query: 'word' }]
    for (const params of given) {
      await expect(handlers['saved.list'](params)).rejects.toMatchObject({ code: 'CANCELLED' })
    }
    expect(handlers['saved.cancel']({ walk: 7 })).toEqual({})
  })

  it('get other names, whoever wrote them', async () => {
    const { handlers, write, files, read } = await setUp()
    await write(named('a'), 'a')
    await write(named('b'), 'b')
    await write('notes.txt', 'mine')
    expect(await handlers['saved.rename']({ file: named('a'), name: 'b' })).toEqual({
      file: 'b_qwen3-32b_20250122-091534-2.txt',
    })
    expect(await handlers['saved.rename']({ file: 'notes.txt', name: 'my/notes' })).toEqual({ file: 'my-notes.txt' })
    expect(await handlers['saved.rename']({ file: named('living'), name: 'c' })).toEqual({ file: named('c') })
    expect(await files()).toEqual(['b_qwen3-32b_20250122-091534-2.txt', named('b'), 'my-notes.txt'])
    expect(await read(named('b'))).toBe('b')
    await expect(handlers['saved.rename']({ file: 'gone.txt', name: 'x' })).rejects.toMatchObject({
      code: 'STORE_NOT_FOUND',
    })
    expect(await files()).toHaveLength(3)
  })

  it('are cleared but for those that are open or of others, and come back', async () => {
    const { handlers, write, files, claims, data } = await setUp()
    await write(named('old'), chatText('x'), 40)
    await write(named('new'), chatText('x'), 2)
    await write(named('open'), chatText('x'))
    await write('notes.txt', 'mine')
    await write(named('edited'), 'no block')
    await claims.claim(named('open'))
    const summary = await handlers['saved.summary']({})
    expect(summary).toMatchObject({ count: 2, open: 1, bytes: 2 * Buffer.byteLength(chatText('x')) })
    expect((summary.newest ?? 0) - (summary.oldest ?? 0)).toBe(38 * 24 * 60 * 60 * 1_000)
    expect(await handlers['saved.clear']({})).toEqual({ count: 2 })
    expect(await files()).toEqual([named('edited'), 'notes.txt', named('open')])
    expect(await claimsIn(data).open()).toBeDefined()
    expect(await handlers['saved.restore']({})).toEqual({ count: 2 })
    expect(await files()).toHaveLength(5)
    expect(await handlers['saved.summary']({})).toMatchObject({ count: 2 })
  })

  it('are removed by name, unless they are open', async () => {
    const { handlers, write, files, data } = await setUp()
    await write(named('a'), chatText('x'))
    await write('notes.txt', 'mine')
    await claimsIn(data, process.ppid).claim('notes.txt')
    await expect(handlers['saved.delete']({ files: [named('a'), 'notes.txt'] })).rejects.toMatchObject({
      code: 'CHAT_IN_USE',
    })
    expect(await handlers['saved.delete']({ files: [named('a')] })).toEqual({ count: 1 })
    expect(await files()).toEqual(['notes.txt'])
    await expect(handlers['saved.delete']({ files: [named('a')] })).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
  })

  it.each(['../secrets.json', '/etc/passwd', '..', '.hidden.txt', 'a\\b.txt', 'a.md', 'a\0.txt'])(
    'are no other files: %j',
    async (file) => {
      const { handlers } = await setUp()
      for (const ask of [
        () => handlers['saved.preview']({ file, lines: 3 }),
        () => handlers['saved.rename']({ file, name: 'x' }),
        () => handlers['saved.delete']({ files: [file] }),
      ]) {
        await expect(ask()).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
      }
    },
  )
})
