import { spawnSync } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithFzf } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

/** Names that a shell, a terminal or fzf's own syntax might stumble over. */
const WEIRD = [
  `it's "quoted" $(touch /tmp/never) \`id\` ; rm -rf ~ | & > <`,
  'two\nlines\tand a tab',
  'red \u001b[31mred\u001b[0m \u001b]52;c;eA==\u0007 bell\u0007',
  '{} {q} {1} %s \\n \\',
  '--help',
  'ünïcödé 漢字 🦙',
]

/** Shows a list by Lua that is the body of a table; what was chosen is in `_G.chosen`, what was acted on in `_G.acted`. */
const pick = (front: Front, spec: string, ...args: unknown[]) =>
  front.nvim.lua(
    `local args = { ... }
     _G.chosen, _G.acted = {}, {}
     local spec = ${spec}
     spec.on_choice = function(item) table.insert(_G.chosen, item or 'nothing') end
     require('ollama-remote.choose').pick(spec)`,
    ...args,
  )

const chosen = (front: Front) => front.nvim.waitForLua<unknown[]>('return #(_G.chosen or {}) > 0 and _G.chosen')

const ACTIONS = `{
  { key = '<C-d>', name = 'delete', run = function(item) table.insert(_G.acted, 'delete ' .. item) end },
  { key = '<C-r>', name = 'rename', run = function(item) table.insert(_G.acted, 'rename ' .. item) end },
}`

describeWithFzf('a list in fzf in a floating terminal', (binary, { fzf }) => {
  // What somebody may have there, and what would break the list.
  const options = Number(fzf.version.split('.')[1]) >= 53 ? '--multi --tmux --height 40%' : '--multi --height 40%'
  const start = (script: Record<string, unknown> = {}) =>
    startFront(binary, {
      script,
      init: "require('ollama-remote').setup({ picker = 'fzf' })",
      env: {
        PATH: `${dirname(fzf.path)}${delimiter}${process.env.PATH}`,
        TMUX: '',
        FZF_DEFAULT_OPTS: options,
      },
    })

  test('is searched, previewed and chosen from, and the focus comes back', async () => {
    const front = await start()
    await front.nvim.command('split')
    const before = await front.nvim.lua('return vim.api.nvim_get_current_win()')
    await pick(
      front,
      `{ title = 'Which one', items = { 'apple', 'pear', 'plum' },
         preview = function(item, callback)
           vim.schedule(function() callback({ 'about ' .. item, 'evil\\27[31m\\27]0;x\\7' }) end)
         end }`,
    )
    await front.nvim.waitForScreen(/about apple/)
    await front.nvim.type('pl')
    await front.nvim.waitForScreen(/about plum/)
    await front.nvim.type('<C-u>pear')
    await front.nvim.waitForScreen(/about pear/)
    await front.nvim.type('<CR>')
    expect(await chosen(front)).toEqual(['pear'])
    expect(await front.nvim.lua('return vim.api.nvim_get_current_win()')).toBe(before)
    expect(await front.nvim.lua('return vim.api.nvim_get_mode().mode')).toBe('n')
    expect(await front.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(2)
  })

  test('marks in its preview what was searched for, whatever else stands there', async () => {
    const front = await start()
    await pick(
      front,
      `{ title = 'Which one', items = { 'apple' },
         preview = function(_, callback)
           callback({ 'a \\27[31mred lock here', 'locks' }, nil, {
             { line = 0, from = 11, to = 15 }, { line = 1, from = 0, to = 4 }, { line = 1, from = 0, to = 5 },
           })
         end }`,
    )
    const screen = await front.nvim.waitForScreen(/red lock here/)
    expect(screen).toMatch(/locks/)
    // How the cells of `red lock` and the two after it are drawn: those of the word otherwise than all others.
    const drawn = `
      for row = 1, vim.o.lines do
        for column = 1, vim.o.columns - 10 do
          local word, looks = '', {}
          for cell = column, column + 9 do
            word = word .. vim.fn.screenstring(row, cell)
            looks[#looks + 1] = vim.fn.screenattr(row, cell) == vim.fn.screenattr(row, column) and 'as it was' or 'marked'
          end
          if vim.startswith(word, 'red lock') then
            return looks
          end
        end
      end`
    const [plain, marked] = ['as it was', 'marked']
    expect(await front.nvim.lua<string[]>(drawn)).toEqual([
      ...[plain, plain, plain, plain],
      ...[marked, marked, marked, marked],
      ...[plain, plain],
    ])
    await front.nvim.type('<Esc>')
    expect(await chosen(front)).toEqual(['nothing'])
  })

  test.each([['<Esc>'], ['<C-c>'], ['<C-\\><C-n>:close<CR>'], ['<C-\\><C-n>:bwipeout!<CR>']])(
    'answers once with nothing after %s',
    async (keys) => {
      const front = await start()
      await pick(front, `{ title = 'Which one', items = { 'apple', 'pear' } }`)
      await front.nvim.waitForScreen(/apple/)
      await front.nvim.type(keys)
      expect(await chosen(front)).toEqual(['nothing'])
      await front.nvim.waitForLua('return #vim.api.nvim_list_wins() == 1')
      expect(await front.nvim.lua('return vim.fn.glob(vim.fn.fnamemodify(vim.fn.tempname(), ":h") .. "/*")')).toBe('')
    },
  )

  test('has keys for actions, of which the list says so', async () => {
    const front = await start()
    await pick(front, `{ title = 'Which one', items = { 'apple', 'pear' }, actions = ${ACTIONS} }`)
    await front.nvim.waitForScreen(/<C-d> delete {3}<C-r> rename.*pear/s)
    await front.nvim.type('<Down><C-r>')
    expect(await chosen(front)).toEqual(['nothing'])
    await front.nvim.waitForLua('return #_G.acted == 1')
    expect(await front.nvim.lua('return _G.acted')).toEqual(['rename pear'])
  })

  test('shows whatever an item is called, as one line and as text', async () => {
    for (const [index, weird] of WEIRD.entries()) {
      const front = await start()
      await pick(front, `{ title = 'Which one', items = args[1] }`, WEIRD)
      await front.nvim.waitForScreen(/ünïcödé 漢/)
      await front.nvim.type(`${'<Down>'.repeat(index)}<CR>`)
      expect(await chosen(front)).toEqual([weird])
    }
  })

  test('asks again for whatever is typed, and ends the asking before', async () => {
    const front = await start()
    await pick(
      front,
      `{ title = 'Search', live = true, query = 'first', actions = ${ACTIONS}, source = function(query, on_batch, on_done)
           _G.cancelled, _G.asked = _G.cancelled or {}, query
           if query ~= 'fir' then on_batch({ query .. ' one', query .. ' two' }) on_done() end
           return function() table.insert(_G.cancelled, query) end
         end }`,
    )
    await front.nvim.waitForScreen(/first one.*first two/s)
    await front.nvim.type('<BS><BS>')
    await front.nvim.waitForLua("return _G.asked == 'fir'")
    await front.nvim.type(`e's`)
    await front.nvim.waitForScreen(/fire's one/)
    expect(await front.nvim.lua('return _G.cancelled')).toContain('fir')
    await front.nvim.type('<Down><CR>')
    expect(await chosen(front)).toEqual(["fire's two"])
  })

  test('takes what was typed, however fast <CR> follows', async () => {
    const front = await start()
    await pick(
      front,
      `{ title = 'Search', live = true, source = function(query, on_batch, on_done)
           vim.defer_fn(function() on_batch({ query .. ' one', query .. ' two' }) on_done() end, 30)
         end }`,
    )
    await front.nvim.waitForScreen(/2\/2/)
    await front.nvim.type('fire<CR>')
    expect(await chosen(front)).toEqual(['fire one'])
  })

  test('finds a living chat by its text, whether it has a file or not', async () => {
    const file = 'locks_qwen_20261120-140231.txt'
    const saved = { file, title: 'locks', model: 'gpu:qwen', created: '2026-11-20 14:02:31', changed: 1, bytes: 9 }
    const front = await start({ library: [{ ...saved, open: 'here', text: 'a deadlock' }] })
    await front.open()
    await front.send('a tree of words')
    await front.waitForEnd()
    await front.nvim.command('Ollama new')
    await front.nvim.waitForLua(`return ${CHAT}.id == 2 and ${CHAT}.known`)
    await front.nvim.lua(`${CHAT}.state.title = 'locks' ${CHAT}.state.file = ...`, file)
    await front.nvim.command('Ollama chats')
    await front.nvim.waitForScreen(/Chats >.*2\/2/)
    await front.nvim.type('deadlock')
    await front.nvim.waitForScreen(/Chats >.*1\/1[\s\S]*locks/)
    await front.nvim.type('<C-u>tree')
    await front.nvim.waitForScreen(/Chats >.*1\/1[\s\S]*a tree of words/)
    await front.nvim.type('<CR>')
    await front.nvim.waitForLua(`return ${CHAT}.id == 1`)
  })

  test('is no higher than a question needs, and has its preview beside only where the rows fit too', async () => {
    const front = await start()
    await pick(front, `{ title = 'Sure', items = { 'no', 'yes' } }`)
    await front.nvim.waitForScreen(/> no/)
    const height = 'return vim.api.nvim_win_get_height(0)'
    expect(await front.nvim.lua(height)).toBeLessThan(8)
    await front.nvim.type('<Esc>')
    await chosen(front)
    const preview = `{ title = 'Sure', items = { 'no', 'yes' }, preview = function(_, callback) callback({ 'why' }) end }`
    await pick(front, preview)
    const below = await front.nvim.waitForScreen(/why/)
    expect(below).toMatch(/> no[\s\S]*yes[\s\S]*\n.*why/)
    expect(await front.nvim.lua(height)).toBeGreaterThan(15)
  })

  test('shows the first of ten thousand before the last are found', async () => {
    const front = await start()
    await pick(
      front,
      `{ title = 'Many', columns = function(item) return { 'chat ' .. item, 'x' } end,
         source = function(_, on_batch, on_done)
           _G.go_on = function()
             for batch = 0, 99 do
               on_batch(vim.fn.range(batch * 100 + 2, batch * 100 + 101))
             end
             on_done()
           end
           on_batch({ 1 })
         end }`,
    )
    await front.nvim.waitForScreen(/chat 1 /)
    await front.nvim.lua('_G.go_on()')
    await front.nvim.waitForScreen(/10001/)
    await front.nvim.type('9999')
    await front.nvim.waitForScreen(/chat 9999/)
    await front.nvim.type('<CR>')
    expect(await chosen(front)).toEqual([9999])
  })

  test('gives way to the list of Neovim when it cannot run', async () => {
    const front = await startFront(binary, {
      init: `require('ollama-remote').setup({ picker = 'fzf' })`,
      env: {
        PATH: `${dirname(fzf.path)}${delimiter}${process.env.PATH}`,
        TMUX: '',
        FZF_DEFAULT_OPTS: '--no-such-option',
      },
    })
    await pick(front, `{ title = 'Which one', items = { 'apple', 'pear' } }`)
    await front.nvim.waitForScreen(/2: pear/)
    await front.nvim.type('2<CR>')
    expect(await chosen(front)).toEqual(['pear'])
    expect(await front.nvim.messages()).toContain('fzf ended with code 2')
  })
})

test('nothing that an item was called was run', () => {
  expect(spawnSync('ls', ['/tmp/never']).status).not.toBe(0)
})
