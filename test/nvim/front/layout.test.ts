import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

function text(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('')
}

async function windowsAre(front: Front, count: number): Promise<void> {
  await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == ...', count)
}

/** Width and height of a window of the chat. */
function sizeOf(front: Front, part: 'transcript' | 'prompt'): Promise<[number, number]> {
  return front.nvim.lua(
    `local window = ${CHAT}.windows[...]
     return { vim.api.nvim_win_get_width(window), vim.api.nvim_win_get_height(window) }`,
    part,
  )
}

function topLine(front: Front): Promise<number> {
  return front.nvim.lua(`return vim.fn.getwininfo(${CHAT}.windows.transcript)[1].topline`)
}

function startWith(nvim: Parameters<typeof startFront>[0], layout: string): Promise<Front> {
  return startFront(nvim, { init: `vim.g.ollama_remote = { split_preference = '${layout}' }` })
}

/** A long transcript, scrolled, with a draft in the prompt and the cursor in its middle. */
async function fill(front: Front): Promise<void> {
  await front.perform(['render', 1, text(1, 80)])
  await front.nvim.type('ione<CR>two<Esc>k0l<C-w>k30Gzt')
}

async function expectFilled(front: Front): Promise<void> {
  expect(await front.promptText()).toBe('one\ntwo')
  expect(await front.cursor('prompt')).toEqual([1, 1])
  expect(await front.cursor('transcript')).toEqual([30, 0])
  expect(await topLine(front)).toBe(30)
}

describeWithNeovim('the layout', (nvim) => {
  test('<leader>oh and <leader>ov move what is shown, keep all in it, and remember the choice', async () => {
    const front = await startFront(nvim)
    await front.nvim.command('split')
    await front.open()
    await fill(front)
    await front.nvim.type(' oh')
    await front.nvim.waitForLua(`return vim.api.nvim_win_get_width(${CHAT}.windows.transcript) == vim.o.columns`)
    await expectFilled(front)
    expect((await sizeOf(front, 'transcript'))[1] + (await sizeOf(front, 'prompt'))[1]).toBe(14)
    expect(await front.nvim.lua(`return vim.api.nvim_get_current_win() == ${CHAT}.windows.transcript`)).toBe(true)
    await front.nvim.type(' ot')
    await windowsAre(front, 2)
    await front.nvim.type(' ot')
    await windowsAre(front, 4)
    expect((await sizeOf(front, 'transcript'))[0]).toBe(100)
    await front.nvim.command('Ollama vertical')
    await front.nvim.waitForLua(`return vim.api.nvim_win_get_width(${CHAT}.windows.transcript) == 50`)
    await expectFilled(front)
    expect(await front.waitForRequests('config.keep', 2)).toEqual([
      { split_preference: 'horizontal' },
      { split_preference: 'vertical' },
    ])
    expect(await front.nvim.messages()).toBe('')
  })

  test('they open a chat that is hidden, at half the screen', async () => {
    const front = await startWith(nvim, 'float')
    await front.nvim.type(' oh')
    await front.nvim.waitForLua(`return ${CHAT} and ${CHAT}.known`)
    expect((await sizeOf(front, 'transcript'))[0]).toBe(100)
    expect(await front.waitForRequests('config.keep')).toEqual([{ split_preference: 'horizontal' }])
  })

  test('what was chosen before outlives setup()', async () => {
    const front = await startWith(nvim, 'vertical')
    await front.nvim.lua(`
      local file = require('ollama-remote.config').file()
      vim.fn.mkdir(vim.fs.dirname(file), 'p')
      vim.fn.writefile({ 'return {', '  split_preference = "horizontal",', '}' }, file)`)
    await front.open()
    expect((await sizeOf(front, 'transcript'))[0]).toBe(100)
  })

  test('float: two floats that follow the screen, grow with the prompt and go at once', async () => {
    const front = await startWith(nvim, 'float')
    await front.open()
    await fill(front)
    const floats = () =>
      front.nvim.lua(
        `return vim.tbl_map(function(part)
           local config = vim.api.nvim_win_get_config(${CHAT}.windows[part])
           return { config.relative, config.row, config.row + config.height + 2 }
         end, { 'transcript', 'prompt' })`,
      )
    const [[relative, , bottom], [, top, end]] = (await floats()) as [
      [string, number, number],
      [string, number, number],
    ]
    expect(relative).toBe('editor')
    expect(top).toBe(bottom)
    expect(end).toBeLessThanOrEqual(await front.nvim.lua<number>('return vim.o.lines'))
    await front.nvim.type('<C-w>w')
    await front.nvim.type(' ot')
    await windowsAre(front, 1)
    await front.nvim.type(' ot')
    await windowsAre(front, 3)
    await expectFilled(front)
    await front.nvim.type('o3<CR>4<CR>5<Esc>')
    await front.nvim.waitForLua(`return vim.api.nvim_win_get_height(${CHAT}.windows.prompt) == 6`)
    const [[, , grownBottom], [, grownTop, grownEnd]] = (await floats()) as [[0, 0, number], [0, number, number]]
    expect([grownTop, grownEnd]).toEqual([grownBottom, end])
    await front.nvim.command('set columns=120 lines=60')
    await front.nvim.waitForLua(`return vim.api.nvim_win_get_width(${CHAT}.windows.prompt) == 94`)
    const [[, , widerBottom], [, widerTop]] = (await floats()) as [[0, 0, number], [0, number]]
    expect(widerTop).toBe(widerBottom)
    await front.nvim.type(':q<CR>')
    await windowsAre(front, 1)
    expect((await front.nvim.messages()).trim()).toBe('')
  })

  test('float: <C-w>k and <C-w>j go from one to the other for every chat that comes into them', async () => {
    const front = await startWith(nvim, 'float')
    await front.open()
    await front.nvim.type('ia draft<Esc>')
    await front.nvim.command('Ollama new')
    await front.nvim.waitForLua(`return ${CHAT}.id == 2 and ${CHAT}.known`)
    const part = 'return select(2, require("ollama-remote.chats").of_window(vim.api.nvim_get_current_win()))'
    await front.nvim.type('<C-w>k')
    expect(await front.nvim.lua(part)).toBe('transcript')
    await front.nvim.type('<C-w>j')
    expect(await front.nvim.lua(part)).toBe('prompt')
  })

  test('on a low screen the prompt takes one row as long as it needs no more', async () => {
    const front = await startWith(nvim, 'horizontal')
    await front.nvim.command('set lines=15')
    await front.open()
    const height = `return vim.api.nvim_win_get_height(${CHAT}.windows.prompt)`
    expect(await front.nvim.lua(height)).toBe(2)
    await front.nvim.type('ione<CR>two<Esc>')
    await front.nvim.waitForLua(`${height} == 3`)
    await front.nvim.command('set lines=24')
    await front.nvim.waitForLua(`${height} == 4`)
  })

  test('tab: a page of its own, gone to from elsewhere, and left for where one was', async () => {
    const front = await startWith(nvim, 'tab')
    await front.nvim.command('vsplit')
    await front.open()
    expect(await front.nvim.lua('return vim.fn.tabpagenr()')).toBe(2)
    await fill(front)
    await front.nvim.type('gt ot')
    await front.nvim.waitForLua('return vim.fn.tabpagenr() == 2')
    await front.nvim.type(' ot')
    await front.nvim.waitForLua('return vim.fn.tabpagenr("$") == 1')
    await windowsAre(front, 2)
    await front.nvim.type(' ot')
    await front.nvim.waitForLua('return vim.fn.tabpagenr("$") == 2')
    await expectFilled(front)
    await front.nvim.type(':tabclose<CR>')
    await front.nvim.waitForLua('return vim.fn.tabpagenr("$") == 1')
    await front.nvim.type(' ot')
    await front.nvim.waitForLua('return vim.fn.tabpagenr("$") == 2')
    await expectFilled(front)
    expect(await front.nvim.messages()).toBe('')
  })

  test('current: takes the window, and gives it back as it was', async () => {
    const front = await startWith(nvim, 'current')
    await front.nvim.lua("vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(('mine\\n'):rep(90), '\\n'))")
    await front.nvim.type(':set number<CR>50Gzt')
    const mine = () =>
      front.nvim.lua(
        `return { vim.api.nvim_get_current_line(), vim.fn.line('.'), vim.fn.line('w0'), vim.wo.number, vim.wo.statuscolumn,
           vim.wo.winbar, vim.wo.winfixheight }`,
      )
    const before = await mine()
    await front.open()
    await windowsAre(front, 2)
    await fill(front)
    for (const leave of [' ot', ':q<CR>', '<C-w>w:q<CR>', '<C-w>c']) {
      await front.nvim.type(leave)
      await windowsAre(front, 1)
      expect(await mine()).toEqual(before)
      await front.nvim.type(' ot')
      await windowsAre(front, 2)
      await expectFilled(front)
    }
    expect(await front.nvim.messages()).toBe('')
  })
})
