import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Finder } from '../../../../src/chat/store/finder.ts'
import { wordsOf } from '../../../../src/chat/store/words.ts'
import { chatText, setUpStore } from './folder.ts'

const named = (name: string) => `${name}_qwen3-32b_20250122-091534.txt`

async function setUp() {
  const store = await setUpStore()
  const finder = new Finder(() => store.chats)
  const find = async (query: string) => {
    const titles: string[] = []
    for await (const { title } of finder.find(wordsOf(query), new AbortController().signal)) titles.push(title)
    return titles
  }
  return { ...store, finder, find }
}

describe('who types a query', () => {
  it('finds less with each letter, and again more with each that he takes away', async () => {
    const { find, write } = await setUp()
    await write(named('a'), chatText('lock'), 1)
    await write(named('b'), chatText('locks'), 2)
    await write(named('c'), chatText('hay'), 3)
    const typed = ['l', 'lo', 'lock', 'locks', 'lock', 'lock ha', 'ha', 'hay', '']
    const counts: string[][] = []
    for (const query of typed) counts.push(await find(query))
    expect(counts.map((titles) => titles.join(''))).toEqual(['ab', 'ab', 'ab', 'b', 'ab', '', 'c', 'c', 'abc'])
  })

  it('finds what is written meanwhile', async () => {
    const { find, write, chats } = await setUp()
    await write(named('a'), chatText('nothing'), 1)
    await write(named('b'), chatText('nothing'), 2)
    expect(await find('lo')).toEqual([])
    await write(named('a'), chatText('locks'), 0)
    await writeFile(join(chats, '.new'), chatText('a lock'))
    await rename(join(chats, '.new'), join(chats, named('c')))
    expect(await find('lock')).toEqual(expect.arrayContaining(['a', 'c']))
    await rename(join(chats, named('b')), join(chats, named('locked')))
    expect(await find('locked')).toEqual(['locked'])
  })

  it('reads no more what a shorter query was not in', async () => {
    const { find, write } = await setUp()
    await write(named('a'), chatText('nothing'), 1)
    expect(await find('lo')).toEqual([])
    // As long and as old as it was, which nobody does but a test.
    await write(named('a'), chatText('a lock!'), 1)
    expect(await find('lock')).toEqual([])
    expect(await find('a')).toEqual(['a'])
    expect(await find('a lock')).toEqual(['a'])
  })

  it('costs no more when he asks the same again and again', async () => {
    const { finder } = await setUp()
    const looks: number[] = []
    for (let time = 0; time < 4; time++) {
      let count = 0
      const words = wordsOf('lock').map((word) => ({
        ...word,
        get forms() {
          count++
          return word.forms
        },
      }))
      for await (const _ of finder.find(words, new AbortController().signal));
      looks.push(count)
    }
    expect(looks[3]).toBe(looks[1])
  })

  it('looks no further for what he asks no more', async () => {
    const { finder, write } = await setUp()
    for (let index = 0; index < 20; index++) await write(named(`x${index}`), chatText('word'), 1)
    const first = new AbortController()
    const found = finder.find(wordsOf('wo'), first.signal)
    await found.next()
    first.abort(new Error('enough'))
    await expect(found.next()).rejects.toThrow('enough')
  })
})
