import { describe, expect, it } from 'vitest'
import { listed } from '../../../../src/chat/store/listing.ts'
import { type Hit, search } from '../../../../src/chat/store/search.ts'
import { wordsOf } from '../../../../src/chat/store/words.ts'
import { BLOCK, chatText, setUpStore } from './folder.ts'

const named = (name: string) => `${name}_qwen3-32b_20250122-091534.txt`

async function found(folder: string, query: string, signal = new AbortController().signal): Promise<Hit[]> {
  const hits: Hit[] = []
  const searched = { folder, chats: await listed(folder), words: wordsOf(query) }
  for await (const hit of search(searched, signal)) hits.push(hit)
  return hits
}

describe('the search', () => {
  it('finds names before texts, each with the line where a word stands first', async () => {
    const { chats, write } = await setUpStore()
    await write(named('other'), chatText('first line\nthe Deadlock of a pool'))
    await write(named('deadlock in the pool'), chatText('nothing'), 5)
    await write(named('neither'), chatText('a pool without it'))
    const hits = await found(chats, '  POOL deadlock ')
    expect(hits.map(({ title }) => title)).toEqual(['deadlock in the pool', 'other'])
    expect(hits[0]?.match).toBeUndefined()
    expect(hits[1]?.match).toEqual({ line: 4, text: 'the Deadlock of a pool', column: 4 })
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

  it('finds in long files as in short ones', async () => {
    const { chats, write } = await setUpStore()
    await write(named('long'), chatText(`${'hay\n'.repeat(300_000)}the needle`))
    await write(named('short'), chatText('a needle'), 3)
    expect((await found(chats, 'needle')).map(({ match }) => match?.line)).toEqual([300_003, 3])
  })

  it('passes over what is gone, and what is none', async () => {
    const { chats, write } = await setUpStore()
    await write(named('here'), chatText('needle'))
    const here = await listed(chats)
    const gone = here.map((chat) => ({ ...chat, file: named('gone') }))
    const hits: Hit[] = []
    const searched = { folder: chats, chats: [...gone, ...here], words: wordsOf('needle') }
    for await (const hit of search(searched, new AbortController().signal)) hits.push(hit)
    expect(hits.map(({ file }) => file)).toEqual([named('here')])
  })
})
