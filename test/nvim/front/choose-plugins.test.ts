// The adapters for pickers of others, before small fakes of those: test/fixtures/pickers. The real ones were not run.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'
import type { Neovim } from '../../../scripts/provision/neovim.ts'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { type Front, startFront } from './front.ts'

const PICKERS = ['telescope', 'snacks', 'mini', 'fzf-lua'] as const

const LIST = `
  local more = ...
  _G.chosen, _G.acted, _G.asked = {}, {}, {}
  require('ollama-remote.choose').pick(vim.tbl_extend('force', {
    title = 'Which one',
    columns = function(item) return { item, 'x' } end,
    preview = function(item, callback)
      vim.schedule(function()
        callback({ 'about ' .. item }, 'markdown', { { line = 0, from = 6, to = 6 + #item } })
      end)
    end,
    source = function(query, on_batch, on_done)
      table.insert(_G.asked, query)
      on_batch({ query .. 'apple' })
      local cancelled = false
      vim.defer_fn(function()
        if not cancelled then
          on_batch({ query .. 'pear', query .. 'plum' })
          on_done()
        end
      end, 20)
      return function() cancelled = true end
    end,
    actions = {
      { key = '<C-d>', name = 'delete', run = function(item) table.insert(_G.acted, 'delete ' .. item) end },
      { key = '<C-r>', name = 'rename', run = function(item) table.insert(_G.acted, 'rename ' .. item) end },
    },
    on_choice = function(item) table.insert(_G.chosen, item or 'nothing') end,
  }, more))`

async function start(nvim: Neovim, picker: string): Promise<Front> {
  const front = await startFront(nvim, {
    init: `
      vim.opt.runtimepath:append('${join(PROJECT_ROOT, 'test/fixtures/pickers')}')
      require('ollama-remote').setup({ picker = '${picker}' })`,
  })
  mkdirSync(join(front.nvim.folder, 'bin'))
  writeFileSync(join(front.nvim.folder, 'bin', 'fzf'), '', { mode: 0o755 })
  await front.nvim.lua("vim.env.PATH = ... .. ':' .. vim.env.PATH", join(front.nvim.folder, 'bin'))
  return front
}

const open = (front: Front, more: Record<string, unknown> = { kind: 'test' }) =>
  front.nvim.lua(`local code, more = ... vim.schedule(function() load(code)(more) end)`, LIST, more)

const lines = (front: Front, count: number) =>
  front.nvim.waitForLua<string[]>(
    `local picker, count = _G.fake_picker, ...
     local lines = picker and picker.lines()
     return lines and #lines == count and lines`,
    count,
  )

const chosen = (front: Front) => front.nvim.waitForLua<string[]>('return #(_G.chosen or {}) > 0 and _G.chosen')

describe.each(PICKERS)('a list in %s', (picker) => {
  describeWithNeovim(picker, (nvim) => {
    test('shows rows as they are found, is searched and chosen from once', async () => {
      const front = await start(nvim, picker)
      await open(front)
      await lines(front, 1)
      expect(await lines(front, 3)).toEqual(['apple  x', 'pear   x', 'plum   x'])
      await front.nvim.lua("_G.fake_picker.type('pl')")
      expect(await lines(front, 2)).toEqual(['apple  x', 'plum   x'])
      await front.nvim.lua('_G.fake_picker.choose(2)')
      expect(await chosen(front)).toEqual(['plum'])
      await front.nvim.lua('vim.wait(30, function() return false end)')
      expect(await chosen(front)).toEqual(['plum'])
      expect(await front.nvim.lua('return _G.asked')).toEqual([''])
    })

    test('previews, with what was searched for marked', async () => {
      const front = await start(nvim, picker)
      await open(front)
      await lines(front, 3)
      await front.nvim.lua('_G.shown = _G.fake_picker.preview(2)')
      await front.nvim.waitForLua("return vim.api.nvim_buf_get_lines(_G.shown, 0, -1, false)[1] == 'about pear'")
      const marked = `local marks = vim.api.nvim_buf_get_extmarks(_G.shown, -1, 0, -1, { details = true })
        return vim.iter(marks):any(function(mark)
          return mark[4].hl_group == 'OllamaRemoteFound' and mark[3] == 6 and mark[4].end_col == 10
        end)`
      await front.nvim.waitForLua(marked)
      await front.nvim.lua('_G.fake_picker.close()')
    })

    test('answers once with nothing when it is closed', async () => {
      const front = await start(nvim, picker)
      await open(front)
      await lines(front, 1)
      await front.nvim.lua('_G.fake_picker.close()')
      expect(await chosen(front)).toEqual(['nothing'])
      await front.nvim.lua('vim.wait(30, function() return false end)')
      expect(await chosen(front)).toEqual(['nothing'])
    })

    test('has keys for actions', async () => {
      const front = await start(nvim, picker)
      await open(front)
      await lines(front, 3)
      await front.nvim.lua("_G.fake_picker.key('<C-r>', 2)")
      expect(await chosen(front)).toEqual(['nothing'])
      expect(await front.nvim.waitForLua('return #_G.acted > 0 and _G.acted')).toEqual(['rename pear'])
    })

    test('asks anew with what is typed', async () => {
      const front = await start(nvim, picker)
      await open(front, { live: true, query: 'a' })
      expect(await lines(front, 3)).toEqual(['aapple  x', 'apear   x', 'aplum   x'])
      await front.nvim.lua("_G.fake_picker.type('ab')")
      await front.nvim.waitForLua("return (_G.fake_picker.lines()[3] or ''):find('^abplum')")
      await front.nvim.lua('_G.fake_picker.choose(3)')
      expect(await chosen(front)).toEqual(['abplum'])
    })

    test('gives way when it throws, and answers once', async () => {
      const front = await start(nvim, picker)
      await front.nvim.lua(`
        local broken = setmetatable({}, { __index = function() error('it is broken') end })
        for _, name in ipairs({ 'telescope.pickers', 'snacks', 'mini.pick', 'fzf-lua' }) do
          package.loaded[name] = broken
        end`)
      await open(front)
      expect(await chosen(front)).toEqual(['nothing'])
      await front.nvim.waitForScreen(/it is broken/)
    })
  })
})
