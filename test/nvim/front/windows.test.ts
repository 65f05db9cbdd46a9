import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

const WINDOWS = 'return #vim.api.nvim_tabpage_list_wins(0)'

function text(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('')
}

async function windowsAre(front: Front, count: number): Promise<void> {
  await front.nvim.waitForLua(`${WINDOWS} == ...`, count)
}

describeWithNeovim('the windows', (nvim) => {
  test('take half the screen, beside or below, and leave the others their size', async () => {
    const beside = await startFront(nvim)
    await beside.nvim.command('split')
    await beside.open()
    expect(await beside.nvim.lua(`return vim.api.nvim_win_get_width(${CHAT}.windows.transcript)`)).toBe(50)
    expect(await beside.nvim.lua(`return vim.api.nvim_win_get_height(${CHAT}.windows.prompt)`)).toBe(4)
    const below = await startFront(nvim, { init: "vim.g.ollama_remote = { split_preference = 'horizontal' }" })
    await below.open()
    expect(await below.nvim.lua(`return vim.api.nvim_win_get_width(${CHAT}.windows.transcript)`)).toBe(100)
  })

  test('toggle keeps the draft, the cursor and the view, and goes back to where one was', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, text(1, 80)])
    await front.nvim.type('ia draft<Esc><C-w>k30Gzt')
    await front.nvim.type(' ot')
    await windowsAre(front, 1)
    await front.perform(['append', 1, text(81, 90)])
    await front.nvim.type(' ot')
    await windowsAre(front, 3)
    expect(await front.promptText()).toBe('a draft')
    expect(await front.cursor('transcript')).toEqual([30, 0])
    expect(await front.nvim.lua(`return vim.fn.getwininfo(${CHAT}.windows.transcript)[1].topline`)).toBe(30)
    await front.nvim.type('<C-w>kG ot')
    await windowsAre(front, 1)
    await front.perform(['append', 1, text(91, 120)])
    await front.nvim.type(' ot')
    await front.nvim.waitForScreen(/line 120/)
  })

  test('the prompt grows with its text, to ten lines at most, and shrinks', async () => {
    const front = await startFront(nvim)
    await front.open()
    const height = (rows: number) =>
      front.nvim.waitForLua(`return vim.api.nvim_win_get_height(${CHAT}.windows.prompt) == ...`, rows + 1)
    await front.nvim.type('i1<CR>2<CR>3<CR>4<CR>5')
    await height(5)
    await front.nvim.type('<CR>6<CR>7<CR>8<CR>9<CR>10<CR>11<CR>12')
    await height(10)
    await front.nvim.type('<Esc>ggdG')
    await height(3)
  })

  test('closing one closes the other; the next toggle brings both back', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('ikept<Esc>:q<CR>')
    await windowsAre(front, 1)
    await front.nvim.type(' ot')
    await windowsAre(front, 3)
    await front.nvim.type('<C-w>k<C-w>c')
    await windowsAre(front, 1)
    await front.nvim.type(' oo')
    await windowsAre(front, 3)
    expect(await front.promptText()).toBe('kept')
  })

  test('a wiped transcript is asked for again', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('hello')
    await front.waitForEnd()
    await front.nvim.command(`execute 'bwipeout!' luaeval("${CHAT}.buffers.transcript")`)
    await windowsAre(front, 1)
    await front.nvim.type(' ot')
    expect((await front.waitForRequests('chat.open', 2))[1]).toEqual({ chat: 1, key: 'key-1' })
    await front.nvim.waitForScreen(/You said: hello/)
    expect(await front.nvim.messages()).toBe('')
  })

  test('a buffer wiped while its answer streams ends in peace', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    await front.nvim.command(`execute 'bwipeout!' luaeval("${CHAT}.buffers.transcript")`)
    await front.perform(['append', 1, 'into nothing'], ['state', 1, { phase: 'idle', ended: 'done' }])
    await front.nvim.type(' ot')
    await front.nvim.waitForScreen(/into nothing/)
    expect(await front.nvim.messages()).toBe('')
  })

  test(':q quits Neovim when the chat is all there is, and :qa is never held up', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('<C-w>h:q<CR>')
    await windowsAre(front, 2)
    await front.nvim.type('idraft<Esc>:q<CR>')
    expect(await front.nvim.exited()).toBe(0)
    const other = await startFront(nvim)
    await other.open()
    await other.nvim.type('ia draft<Esc>:qa<CR>')
    expect(await other.nvim.exited()).toBe(0)
  })

  test(':q with a changed file elsewhere says so and loses nothing', async () => {
    const front = await startFront(nvim)
    await front.nvim.type('ichanged<Esc>:set hidden<CR>')
    await front.open()
    await front.nvim.type('<C-w>h:q<CR>')
    await windowsAre(front, 2)
    await front.nvim.type('<C-w>j:q<CR>')
    await front.nvim.waitForScreen(/E37/)
    await front.nvim.waitForScreen(/^changed[\s\S]*<CR> send/)
  })

  test(':only in the transcript is no end: the next toggle brings all back', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('<C-w>k:only<CR>')
    await windowsAre(front, 1)
    await front.nvim.waitForLua(`return ${CHAT}.windows.transcript`)
    await front.nvim.type(' ot')
    await front.nvim.waitForScreen(/<CR> send/)
    await windowsAre(front, 3)
  })

  test('toggle works when the chat is all there is', async () => {
    const front = await startFront(nvim)
    await front.nvim.type('itext of mine<Esc>:set hidden<CR>')
    await front.open()
    await front.nvim.type('<C-w>h:q<CR>')
    await windowsAre(front, 2)
    await front.nvim.type('<C-w>j ot')
    await windowsAre(front, 1)
    await front.nvim.waitForScreen(/text of mine/)
    await front.nvim.type(' ot')
    await windowsAre(front, 3)
  })

  test('open in another tab page moves the chat there', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.command('tabnew')
    await front.nvim.type(' oo')
    await windowsAre(front, 3)
    expect(await front.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(4)
  })

  test('close ends the chat, and the next one is new', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    await front.nvim.type(' oc')
    await windowsAre(front, 1)
    await front.waitForRequests('chat.close')
    expect(await front.nvim.lua("return require('ollama-remote').status().text")).toBe('')
    await front.nvim.type(' oo')
    await front.waitForRequests('chat.open', 2)
    expect((await front.requests('chat.open'))[1]).toEqual({ chat: 2 })
    expect(await front.lines('transcript')).toEqual([''])
  })
})
