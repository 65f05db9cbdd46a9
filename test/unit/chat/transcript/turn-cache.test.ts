import { expect, it } from 'vitest'
import type { Turn } from '../../../../src/chat/record/conversation.ts'
import { historyOf } from '../../../../src/chat/record/history.ts'
import { renderChat } from '../../../../src/chat/transcript/chat-file.ts'
import { TurnCache } from '../../../../src/chat/transcript/turn-cache.ts'
import { renderTurn } from '../../../../src/chat/transcript/turn-writer.ts'

const turn: Turn = { role: 'assistant', text: 'Because.', at: '', model: 'gpu:qwen3', end: 'done' }

it('gives what renderTurn gives, also when another variant is counted', () => {
  const { render } = new TurnCache()
  for (const variant of [
    undefined,
    { index: 1, count: 2 },
    { index: 1, count: 2 },
    { index: 1, count: 3 },
    undefined,
  ]) {
    expect(render(turn, variant)).toBe(renderTurn(turn, variant))
  }
})

it('lets others go on while a long chat is rendered, and renders no turn twice', async () => {
  const text = 'a `b` c\n\n```lua\nlocal x\n```\n'.repeat(400)
  const turns = Array.from({ length: 200 }, () => ({ ...turn, text }))
  const record = { meta: {}, history: historyOf({ turns }) }
  const cache = new TurnCache()
  let others = 0
  const timer = setInterval(() => others++, 0)
  await cache.prepare(record.history)
  clearInterval(timer)
  expect(others).toBeGreaterThan(1)
  expect(renderChat(record, cache.render)).toBe(renderChat(record))
})
