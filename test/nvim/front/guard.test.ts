import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

const LINES = Array.from({ length: 80 }, (_, index) => `line ${index + 1}\n`).join('')

/** Opens a chat beside a file of one's own, with a scrolled transcript and a draft. */
async function begin(front: Front): Promise<void> {
  await front.nvim.lua(`
    vim.cmd.cd(vim.fn.fnamemodify(vim.fn.tempname(), ':h'))
    for name, count in pairs({ first = 3, second = 60 }) do
      local lines = {}
      for row = 1, count do lines[row] = name .. ' ' .. row end
      vim.fn.writefile(lines, name .. '.txt')
    end`)
  await front.nvim.command('edit first.txt')
  await front.open()
  await front.perform(['render', 1, LINES])
  await front.nvim.type('ia draft<Esc><C-w>k30Gzt')
}

/** What stands in the windows of the tab page, in their order. */
function shown(front: Front): Promise<string[]> {
  return front.nvim.lua(
    `return vim.tbl_map(function(window)
       return vim.fn.fnamemodify(vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window)), ':t')
     end, vim.api.nvim_tabpage_list_wins(0))`,
  )
}

async function expectShown(front: Front, ...names: string[]): Promise<void> {
  await front.nvim.waitForLua(
    `local names = ...
     local found = vim.tbl_map(function(window)
       return vim.fn.fnamemodify(vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window)), ':t')
     end, vim.api.nvim_tabpage_list_wins(0))
     return vim.deep_equal(found, names)`,
    names,
  )
  expect(await shown(front)).toEqual(names)
}

async function expectWhole(front: Front): Promise<void> {
  expect(await front.promptText()).toBe('a draft')
  expect(await front.cursor('transcript')).toEqual([30, 0])
  expect(await front.nvim.lua(`return vim.fn.getwininfo(${CHAT}.windows.transcript)[1].topline`)).toBe(30)
  expect(await front.nvim.messages()).not.toMatch(/E\d+/)
}

describeWithNeovim('other buffers', (nvim) => {
  test('are shown where the person works when they get into a window of the chat', async () => {
    const front = await startFront(nvim)
    await begin(front)
    await front.nvim.type(':edit second.txt<CR>')
    await expectShown(front, 'second.txt', '1', '1')
    await front.nvim.waitForScreen(/^second 1 /)
    await expectWhole(front)
    // Now the cursor is where the file is.
    await front.nvim.type('<C-w>l:b first.txt<CR>')
    await expectShown(front, 'first.txt', '1', '1')
    await front.nvim.type("<C-w>l<C-w>j:call setqflist([{'filename': 'second.txt', 'lnum': 40}])<CR>:cc<CR>")
    await expectShown(front, 'second.txt', '1', '1')
    await front.nvim.waitForLua("return vim.api.nvim_get_current_line() == 'second 40'")
    await expectWhole(front)
    await front.nvim.lua(`vim.api.nvim_win_set_buf(${CHAT}.windows.prompt, vim.fn.bufnr('first.txt'))`)
    await expectShown(front, 'first.txt', '1', '1')
    await expectWhole(front)
    expect(await front.nvim.lua('return vim.wo.number or vim.wo.winfixheight or vim.wo.statuscolumn ~= ""')).toBe(false)
  })

  test('get a window of their own when there is none, and the chat keeps its two', async () => {
    const front = await startFront(nvim)
    await begin(front)
    await front.nvim.type('<C-w>h:q<CR>')
    await expectShown(front, '1', '1')
    await front.nvim.type('<C-w>k:edit second.txt<CR>')
    await expectShown(front, 'second.txt', '1', '1')
    await expectWhole(front)
  })

  test('keep a changed file that may not be hidden in sight', async () => {
    const front = await startFront(nvim)
    await begin(front)
    await front.nvim.type(':set nohidden<CR><C-w>hochanged<Esc><C-w>l:edit second.txt<CR>')
    await expectShown(front, 'second.txt', 'first.txt', '1', '1')
    await expectWhole(front)
  })

  test('take the window that the chat had taken, and the float goes out of their way', async () => {
    for (const layout of ['current', 'float']) {
      const front = await startFront(nvim, { init: `vim.g.ollama_remote = { split_preference = '${layout}' }` })
      await begin(front)
      await front.nvim.type(':edit second.txt<CR>')
      await expectShown(front, 'second.txt')
      await front.nvim.type(' ot:edit first.txt<CR>')
      await expectShown(front, 'first.txt')
      await front.nvim.type(' ot')
      await front.nvim.waitForScreen(/a draft/)
      await expectWhole(front)
    }
  })
})

describeWithNeovim('a chat whose buffers were taken away', (nvim) => {
  const WAYS = [
    ['the prompt is wiped', `execute 'bwipeout!' luaeval("${CHAT}.buffers.prompt")`],
    ['the prompt is deleted', `execute 'bdelete!' luaeval("${CHAT}.buffers.prompt")`],
    ['the transcript is deleted', `execute 'bdelete!' luaeval("${CHAT}.buffers.transcript")`],
    ['all buffers are deleted', '%bdelete!'],
    ['all buffers are wiped', '%bwipeout!'],
    ['its tab page is closed', 'tabnew | tabclose 1'],
    ['it is the only tab page that is left', 'tabnew | tabonly'],
    ['all other windows are closed', 'first.txt'],
  ] as const

  for (const [name, command] of WAYS) {
    test(`comes back whole when ${name}`, async () => {
      const front = await startFront(nvim)
      await begin(front)
      await front.nvim.lua(`${CHAT}.marked = true`)
      await front.nvim.command(command === 'first.txt' ? 'wincmd t | only' : command)
      await front.nvim.waitForLua("return require('ollama-remote.chats').all()[1].windows.prompt == nil")
      await front.nvim.type(' ot')
      await front.nvim.waitForScreen(/a draft/)
      await front.nvim.waitForLua(`return vim.api.nvim_buf_line_count(${CHAT}.buffers.transcript) == 81`)
      expect(await front.nvim.lua(`return ${CHAT}.marked`)).toBe(true)
      expect(await front.cursor('prompt')).toEqual([1, 6])
      await expectWhole(front)
    })
  }

  test('a prompt that comes back meanwhile is not lost', async () => {
    const front = await startFront(nvim, { script: { hold: ['chat.send'], fail: { 'chat.send': REFUSAL } } })
    await front.open()
    await front.send('sent before')
    await front.waitForRequests('chat.send')
    await front.nvim.type('iwritten since<Esc>')
    await front.nvim.command(`execute 'bwipeout!' luaeval("${CHAT}.buffers.prompt")`)
    await front.tellHost('fake.release', { method: 'chat.send' })
    await front.nvim.waitForLua("return #require('ollama-remote.chats').all()[1].pending == 0")
    await front.nvim.type('<CR> ot')
    await front.nvim.waitForScreen(/sent before[\s\S]*written since/)
  })
})

const REFUSAL = { code: 'CHAT_NO_MODEL', message: 'No model is chosen' }
