import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, startFront } from './front.ts'

describeWithNeovim('the keys', (nvim) => {
  test('fit a small screen by being scrolled, and the border says that there is more', async () => {
    const front = await startFront(nvim, { columns: 80, rows: 24 })
    await front.open()
    await front.nvim.type('g?')
    const first = await front.nvim.waitForScreen(/In the prompt[\s\S]*╰─+ \d+ more below · j ╯/)
    expect(first).toMatch(/<CR> +send *│/)
    const [, hidden = '0'] = /(\d+) more below/.exec(first) ?? []
    await front.nvim.type('j')
    await front.nvim.waitForScreen(new RegExp(` ${Number(hidden) - 1} more below`))
    await front.nvim.type('G')
    await front.nvim.waitForScreen(
      /Everywhere[\s\S]*<Space>ot +show or hide the chat[\s\S]*:Ollama +and <Tab>[\s\S]*more above · k ╯/,
    )
    await front.nvim.type('g?')
    await front.nvim.waitForScreen((screen) => !screen.includes('Everywhere'))
  })

  test('begin with the place where the cursor is, with all keys of one meaning in one row', async () => {
    const front = await startFront(nvim, { rows: 60 })
    await front.open()
    await front.nvim.lua(`vim.api.nvim_set_current_win(${CHAT}.windows.transcript)`)
    await front.nvim.type('g?')
    const screen = await front.nvim.waitForScreen(
      /In the transcript[\s\S]*In both[\s\S]*In the prompt[\s\S]*Everywhere/,
    )
    expect(screen).toMatch(/i a o I A O +to the prompt/)
    expect(screen).toMatch(/gf gF +to the file/)
    expect(screen).not.toMatch(/more below|list of servers/)
  })

  test('stand in two columns where one is too high and the screen is wide', async () => {
    const front = await startFront(nvim, { columns: 160, rows: 36 })
    await front.open()
    await front.nvim.type('g?')
    await front.nvim.waitForScreen(
      /In the prompt .*(?:In the transcript|Everywhere)|In both.*In the transcript|send .*next turn/,
    )
  })
})
