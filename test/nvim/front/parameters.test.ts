import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { startFront } from './front.ts'

describeWithNeovim(':Ollama set', (nvim) => {
  test('asks the host for what was typed, and tells what is set then', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type(
      '<Esc>:Ollama set temperature=0.2 num_ctx=8192 think=high keep_alive=10m system="Be brief, please."<CR>',
    )
    await front.nvim.waitForScreen(
      /num_ctx=8192 temperature=0\.2 think=high keep_alive=10m system="Be brief, please\."/,
    )
    await front.nvim.type(':Ollama set stop=["a","b"] think=off seed= keep_alive=-1 system=<CR>')
    await front.nvim.waitForScreen(/think=false keep_alive=-1/)
    expect(await front.requests('chat.set')).toEqual([
      {
        chat: 1,
        options: { temperature: 0.2, num_ctx: 8192 },
        think: 'high',
        keep_alive: '10m',
        system: 'Be brief, please.',
      },
      { chat: 1, options: { stop: ['a', 'b'], seed: null }, think: false, keep_alive: -1, system: null },
    ])
  })

  test.each([
    ['temprature=1', /Nothing is called "temprature"; did you mean temperature\?/],
    ['wisdom=1', /Nothing is called "wisdom"; there are think/],
    ['num_ctx=8k', /num_ctx is a number, and not "8k"/],
    ['think=hard', /think is true, false, low, medium, high or max, and not "hard"/],
    ['temperature', /What is set to what\?/],
  ])('says what is wrong with %s, and asks nothing', async (typed, said) => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type(`<Esc>:Ollama set ${typed}<CR>`)
    await front.nvim.waitForScreen(said)
    expect(await front.requests('chat.set')).toEqual([])
  })

  test('completes the names', async () => {
    const front = await startFront(nvim)
    expect(await front.nvim.lua("return vim.fn.getcompletion('Ollama set num_c', 'cmdline')")).toEqual(['num_ctx='])
    expect(await front.nvim.lua("return vim.fn.getcompletion('Ollama set seed=1 th', 'cmdline')")).toEqual(['think='])
  })
})
