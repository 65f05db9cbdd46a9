// A model that the chat's server does not have: pulled from within the chat, cancelled, not to be had, or another one chosen.
import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

const PULL = { server: 'gpu', model: 'qwen3:32b', status: 'pulling 8934d96d3f08' }

async function missing(front: Front): Promise<void> {
  await front.open()
  await front.send('missing')
  await front.waitForEnd('failed')
}

describeWithNeovim('a missing model', (nvim) => {
  test('is pulled with its progress in sight, and the question is asked when it is there', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('gP')
    await front.nvim.waitForScreen(/No model is missing here/)
    await front.send('missing')
    await front.waitForEnd('failed')
    await front.nvim.type('gP')
    expect(await front.waitForRequests('pulls.start')).toEqual([{ server: 'gpu', model: 'qwen3:32b', quiet: true }])
    await front.nvim.waitForScreen(/pulling qwen3:32b on gpu: waits for its turn/)
    await front.perform([
      'pull',
      { ...PULL, state: 'pulling', completed: 9e9, total: 20e9, rate: 34e6, left_ms: 323_000 },
    ])
    const screen = await front.nvim.waitForScreen(/45 % · 9\.0 GB of[\s\S]*?34 MB\/s · 5:23/)
    expect(screen).toMatch(/gpu:qwen3:32b ● {2}pulling 45 %/)
    await front.perform(['pull', { ...PULL, state: 'done', status: 'success' }])
    await front.waitForRequests('chat.again')
    await front.waitForEnd('done')
    expect(await front.nvim.lua(`return ${CHAT}.absent == nil`)).toBe(true)
    await front.nvim.waitForScreen((screen) => !screen.includes('pulling'))
  })

  test('is given up with <C-c>; one that nobody knows is told, and gP tries again', async () => {
    const front = await startFront(nvim)
    await missing(front)
    await front.nvim.type('gP')
    await front.waitForRequests('pulls.start')
    await front.nvim.type('<C-c>')
    expect(await front.waitForRequests('pulls.cancel')).toEqual([{ server: 'gpu', model: 'qwen3:32b' }])
    await front.perform(['pull', { ...PULL, state: 'cancelled' }])
    await front.nvim.type('gP')
    await front.waitForRequests('pulls.start', 2)
    const error = { code: 'MODEL_NOT_FOUND', message: 'The registry has no qwen3:32b', hint: 'Is it spelt right?' }
    await front.perform(['pull', { ...PULL, state: 'failed', error }])
    await front.nvim.waitForScreen(/✗ qwen3:32b was not pulled: The registry has no/)
    await front.nvim.waitForScreen(/gP tries again · :Ollama model chooses another/)
    expect(await front.nvim.messages()).not.toMatch(/was not pulled/)
    expect(front.nvim.screen()).not.toMatch(/: failed/)
    await front.nvim.type('gP')
    await front.waitForRequests('pulls.start', 3)
    // Where nobody sees the chat, its failure is said.
    await front.nvim.type(' ot')
    await front.nvim.waitForLua(`return not ${CHAT}.windows.transcript`)
    await front.perform(['pull', { ...PULL, state: 'failed', error }])
    await front.nvim.waitForLua(
      "return vim.fn.execute('messages'):find('gpu:qwen3:32b was not pulled', 1, true) ~= nil",
    )
    expect(await front.requests('chat.again')).toEqual([])
  })

  test('another one that is chosen is asked at once, and what is pulled meanwhile asks nothing more', async () => {
    const front = await startFront(nvim)
    await missing(front)
    await front.nvim.type('gP')
    await front.waitForRequests('pulls.start')
    await front.nvim.command('Ollama model gpu:tiny')
    await front.waitForRequests('chat.again')
    await front.waitForEnd('done')
    await front.perform(['pull', { ...PULL, state: 'done', status: 'success' }])
    expect(await front.requests('chat.again')).toHaveLength(1)
  })
})
