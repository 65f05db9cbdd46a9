import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { type Front, startFront } from './front.ts'

/** Keeps what was chosen in `_G.chosen`, one entry for each call. */
export const PICK = `
  local spec = ...
  _G.chosen, _G.acted = {}, {}
  spec.on_choice = function(item) table.insert(_G.chosen, item or 'nothing') end
  require('ollama-remote.choose').pick(spec)`

const chosen = (front: Front) => front.nvim.waitForLua<unknown[]>('return #(_G.chosen or {}) > 0 and _G.chosen')

describeWithNeovim('a list by vim.ui.select', (binary) => {
  test('has aligned columns, one line for each item, and answers once', async () => {
    const front = await startFront(binary)
    await front.nvim.lua(`
      _G.chosen = {}
      require('ollama-remote.choose').pick({
        title = 'Which one',
        items = { { 'é', '7 GB', 'x' }, { 'a\\nb\\27[31m', '12 GB', 'y' }, { 'a line of its own that is long' } },
        columns = function(item) return vim.deepcopy(item) end,
        right = { [2] = true },
        on_choice = function(item) table.insert(_G.chosen, item and item[1] or 'nothing') end,
      })`)
    const screen = await front.nvim.waitForScreen(/Which one/)
    expect(screen).toContain('1: é          7 GB  x')
    expect(screen).toContain('2: a b [31m  12 GB  y')
    expect(screen).toContain('3: a line of its own that is long')
    await front.nvim.type('2<CR>')
    expect(await chosen(front)).toEqual(['a\nb\u001b[31m'])
  })

  test('answers with nothing when it is left', async () => {
    const front = await startFront(binary)
    await front.nvim.lua(PICK, { title: 'Which one', items: ['a', 'b'] })
    await front.nvim.waitForScreen(/2: b/)
    await front.nvim.type('<Esc>')
    expect(await chosen(front)).toEqual(['nothing'])
  })

  test('answers once with nothing when an overridden list throws', async () => {
    const front = await startFront(binary, {
      init: `vim.ui.select = function(_, _, on_choice) on_choice(nil) error('it broke') end`,
    })
    await front.nvim.lua(PICK, { title: 'Which one', items: ['a', 'b'] })
    expect(await chosen(front)).toEqual(['nothing'])
    await front.nvim.waitForScreen(/it broke/)
    expect(await chosen(front)).toEqual(['nothing'])
  })

  test('shows what a source has found when it is done, in pages', async () => {
    const front = await startFront(binary)
    await front.nvim.lua(`
      _G.chosen = {}
      require('ollama-remote.choose').pick({
        title = 'Which one',
        query = 'needle',
        source = function(query, on_batch, on_done)
          for batch = 0, 2 do
            on_batch(vim.tbl_map(function(n) return query .. (batch * 100 + n) end, vim.fn.range(1, 100)))
          end
          vim.schedule(on_done)
        end,
        on_choice = function(item) table.insert(_G.chosen, item or 'nothing') end,
      })`)
    await front.nvim.waitForScreen(/26: … 275 more/)
    await front.nvim.type('26<CR>')
    await front.nvim.waitForScreen(/25: needle50\s+26: … 250 more/)
    await front.nvim.type('2<CR>')
    expect(await chosen(front)).toEqual(['needle27'])
  })

  test('tells the failure of a source', async () => {
    const front = await startFront(binary)
    await front.nvim.lua(`
      _G.chosen = {}
      require('ollama-remote.choose').pick({
        title = 'Which one',
        source = function(_, _, on_done) on_done({ code = 'X', message = 'The folder is locked', hint = 'Unlock it' }) end,
        on_choice = function(item) table.insert(_G.chosen, item or 'nothing') end,
      })`)
    expect(await chosen(front)).toEqual(['nothing'])
    expect(await front.nvim.messages()).toContain('The folder is locked')
  })
})
