import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

const byId = (id: number) => `require('ollama-remote.chats').get(${id})`

async function begin(front: Front, id: number): Promise<void> {
  await front.nvim.command('Ollama new')
  await front.nvim.waitForLua(`return ${byId(id)} and ${byId(id)}.known`)
}

describeWithNeovim('several chats', (nvim) => {
  test('another one takes the place of the shown one, whose answer goes on unseen', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    await front.nvim.type('ia draft<Esc>')
    const windows = await front.nvim.lua('return vim.api.nvim_tabpage_list_wins(0)')
    await begin(front, 2)
    expect(await front.nvim.lua('return vim.api.nvim_tabpage_list_wins(0)')).toEqual(windows)
    expect(await front.promptText()).toBe('')
    await front.send('hello')
    await front.waitForEnd()
    await front.nvim.waitForScreen(/You said: hello/)
    expect(await front.nvim.lua(`return ${byId(1)}.state.phase`)).toBe('writing')
    expect(await front.requests('chat.send')).toEqual([
      { chat: 1, text: 'hold this' },
      { chat: 2, text: 'hello' },
    ])
    await front.nvim.lua(`require('ollama-remote.chat').show(${byId(1)})`)
    await front.nvim.waitForScreen(/writing · /)
    expect(await front.promptText()).toBe('a draft')
    expect(await front.nvim.lua('return vim.api.nvim_tabpage_list_wins(0)')).toEqual(windows)
    await front.nvim.type('<C-c>')
    await front.waitForEnd('stopped')
  })

  test('each keeps its cursor', async () => {
    const front = await startFront(nvim)
    await front.open()
    const lines = Array.from({ length: 80 }, (_, index) => `line ${index + 1}\n`).join('')
    await front.perform(['render', 1, lines])
    await front.nvim.type('<C-w>k30Gzt')
    await begin(front, 2)
    await front.nvim.lua(`require('ollama-remote.chat').show(${byId(1)})`)
    expect(await front.cursor('transcript')).toEqual([30, 0])
    expect(await front.nvim.lua(`return vim.fn.getwininfo(${CHAT}.windows.transcript)[1].topline`)).toBe(30)
  })

  test('one can be begun with its first prompt', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('ia draft<Esc>')
    await front.nvim.command('Ollama new what is this?')
    await front.nvim.waitForScreen(/You said: what is this/)
    expect(await front.requests('chat.send')).toEqual([{ chat: 2, text: 'what is this?' }])
  })

  test('one in which nothing stands yet is the new one', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['state', 1, { model: 'gpu:other:7b' }])
    await front.nvim.type(' ot:Ollama new<CR>')
    await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 3')
    expect(await front.nvim.lua(`return { ${CHAT}.id, ${CHAT}.state.model }`)).toEqual([1, 'gpu:other:7b'])
    await front.nvim.command('Ollama new what is this?')
    await front.nvim.waitForScreen(/You said: what is this/)
    expect(await front.requests('chat.send')).toEqual([{ chat: 1, text: 'what is this?' }])
    expect(await front.nvim.messages()).toBe('')
    await begin(front, 2)
  })

  test('keys mean the chat of the cursor, else the last used; ending one leaves the other', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('ia draft<Esc>')
    await begin(front, 2)
    await front.nvim.type(' ot')
    await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 1')
    expect(await front.nvim.lua(`return ${CHAT}.id`)).toBe(2)
    await front.nvim.type(' oc')
    await front.waitForRequests('chat.close')
    expect(await front.requests('chat.close')).toEqual([{ chat: 2 }])
    await front.nvim.type(' oo')
    expect(await front.nvim.lua(`return ${CHAT}.id`)).toBe(1)
  })

  test('what is ended unseen is named, and that others go on', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('hello')
    await front.waitForEnd()
    await begin(front, 2)
    await front.nvim.type(' ot')
    await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 1')
    await front.nvim.type(' oc')
    await front.nvim.waitForScreen(/A new chat is ended; 1 more: :Ollama chats/)
    await front.nvim.type(' oc')
    await front.nvim.waitForScreen(/"hello" is ended(?!;)/)
  })

  test('a narrow winbar leaves out the rate before the name of the model, and tells which of several it is', async () => {
    const front = await startFront(nvim, { columns: 60 })
    await front.open()
    await front.send('hello')
    await front.waitForEnd()
    await front.nvim.waitForScreen(/gpu:qwen3:32b ● +31 t\/s/)
    await begin(front, 2)
    await front.nvim.lua(`require('ollama-remote.chat').show(${byId(1)})`)
    await front.nvim.lua(`vim.api.nvim_win_set_width(${CHAT}.windows.transcript, 24)`)
    await front.nvim.waitForScreen(/│ gpu:qwen3:32b ● +1\/2/)
  })

  test('all of them go on with a new host', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('hello')
    await front.waitForEnd()
    await begin(front, 2)
    await front.nvim.command('Ollama restart')
    const opened = await front.waitForRequests<{ chat: number; transcript?: string }>('chat.open', 4)
    expect(opened.slice(2).map(({ chat, transcript }) => [chat, transcript !== undefined])).toEqual([
      [1, true],
      [2, false],
    ])
    await front.nvim.waitForLua(`return ${byId(1)}.known and ${byId(2)}.known`)
  })
})
