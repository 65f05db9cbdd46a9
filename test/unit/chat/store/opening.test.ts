import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Turn } from '../../../../src/chat/record/conversation.ts'
import { changed, historyOf } from '../../../../src/chat/record/history.ts'
import type { ChatRecord, Meta } from '../../../../src/chat/record/record.ts'
import { isWholeIn } from '../../../../src/chat/store/opening.ts'
import { renderChat } from '../../../../src/chat/transcript/chat-file.ts'
import { setUpStore } from './folder.ts'

const AT = '2025-01-22 09:15:34'
const asked = (text: string): Turn => ({ role: 'user', text, at: AT })
const answered = (text: string, more: Partial<Turn> = {}): Turn => ({
  ...{ role: 'assistant', text, at: AT, model: 'gpu:qwen3:32b', end: 'stopped' },
  ...more,
})

describe('whether a chat is in its file', () => {
  const turns = [asked('go on'), answered('')]
  const setUp = async (meta: Meta = {}) => {
    const { chats, write } = await setUpStore()
    await write('a.txt', renderChat({ meta, history: historyOf({ turns }) }))
    return (more: Meta, ...record: Turn[]): ChatRecord => ({
      meta: { ...meta, ...more, file: join(chats, 'a.txt') },
      history: historyOf({ turns: record }),
    })
  }

  it('is told by every word of it', async () => {
    const record = await setUp()
    expect(await isWholeIn(record({}, ...turns))).toBe(true)
    expect(await isWholeIn(record({}, asked('go on'), answered('', { thinking: 'Hm.' })))).toBe(false)
    expect(await isWholeIn(record({}, ...turns, ...turns))).toBe(false)
    expect(await isWholeIn(record({ queue: ['and?'] }, ...turns))).toBe(false)
    expect(await isWholeIn({ ...record({}, ...turns), meta: {} })).toBe(false)
  })

  it('is told by all that stands in the prompt', async () => {
    const record = await setUp({ draft: { text: 'x' } })
    expect(await isWholeIn(record({}, ...turns))).toBe(true)
    expect(await isWholeIn(record({ draft: { text: 'x', editing: 1, aside: 'more' } }, ...turns))).toBe(false)
  })

  it('does not depend on what was taken back, or on halves of characters', async () => {
    const record = await setUp()
    const { meta, history } = record({}, ...turns, asked('no'))
    expect(await isWholeIn({ meta, history: changed(history, { type: 'drop' }) })).toBe(true)
    const half = [asked('go on'), answered('\ud83d')]
    const { chats, write } = await setUpStore()
    await write('b.txt', renderChat({ meta: {}, history: historyOf({ turns: half }) }))
    expect(await isWholeIn({ meta: { file: join(chats, 'b.txt') }, history: historyOf({ turns: half }) })).toBe(true)
  })
})
