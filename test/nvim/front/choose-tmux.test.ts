import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'
import type { Neovim } from '../../../scripts/provision/neovim.ts'
import { describeWithFzf } from '../../support/real-parts.ts'
import { startInTmux, type TmuxScreen } from '../../support/tmux-screen.ts'

const INIT = `
  require('ollama-remote').setup({ picker = 'auto' })
  vim.keymap.set('n', 'P', function()
    require('ollama-remote.choose').pick({
      title = 'Which one',
      items = { 'apple', 'pear', "it's $(id) \\27[31m" },
      preview = function(item, callback) vim.schedule(function() callback({ 'about ' .. item }) end) end,
      actions = { { key = '<C-d>', name = 'delete', run = function(item) vim.g.acted = item Write() end } },
      on_choice = function(item) vim.g.count = (vim.g.count or 0) + 1 vim.g.chosen = item or 'nothing' Write() end,
    })
  end)
  function Write()
    vim.o.statusline = ('chosen=%s count=%s acted=%s'):format(vim.g.chosen, vim.g.count, vim.g.acted)
  end
  vim.o.laststatus = 2`

async function start(binary: Neovim, fzf: string, tmux: string, isDetached = false): Promise<TmuxScreen> {
  const path = [dirname(fzf), dirname(tmux), process.env.PATH].join(delimiter)
  const folder = mkdtempSync(join(tmpdir(), 'ollama-remote-init-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const init = join(folder, 'init.lua')
  writeFileSync(init, INIT)
  const screen = await startInTmux(tmux, {
    command: [
      binary.path,
      ...['--clean', '-n', '--cmd', `set rtp^=${PROJECT_ROOT}`, '-u', init],
      ...['--cmd', 'let g:ollama_remote = #{ keymaps: v:false }'],
    ],
    env: { PATH: path, ...binary.environment },
    isDetached,
  })
  onTestFinished(() => screen.end())
  await screen.waitFor(/\[No Name\]/)
  return screen
}

describeWithFzf('a list in fzf in a popup of tmux', (binary, { fzf, tmux }) => {
  test('is searched, previewed and chosen from', async () => {
    const screen = await start(binary, fzf.path, tmux.path)
    await screen.press('P')
    await screen.waitFor(/Which one >.*about apple/s)
    // Neovim lies under it and has no window for it.
    expect(await screen.screen()).toMatch(/┌─.*─┐/)
    await screen.type('pea')
    await screen.waitFor(/about pear/)
    await screen.press('Enter')
    await screen.waitFor(/chosen=pear count=1/)
  })

  test('answers with nothing when it is left, and has keys for actions', async () => {
    const screen = await start(binary, fzf.path, tmux.path)
    await screen.press('P')
    await screen.waitFor(/about apple/)
    await screen.press('Escape')
    await screen.waitFor(/chosen=nothing count=1/)
    await screen.press('P')
    await screen.waitFor(/about apple/)
    await screen.press('Down', 'Down', 'C-d')
    await screen.waitFor(/chosen=nothing count=2 acted=it's \$\(id\)/)
  })

  test('answers with nothing when the popup is taken away', async () => {
    const screen = await start(binary, fzf.path, tmux.path)
    await screen.press('P')
    await screen.waitFor(/about apple/)
    await screen.tell('display-popup', '-C')
    await screen.waitFor(/chosen=nothing count=1/)
  })

  test('is in a floating terminal where nobody looks at this tmux', async () => {
    const screen = await start(binary, fzf.path, tmux.path, true)
    await screen.press('P')
    await screen.waitFor(/╭─+ Which one ─+╮.*about apple/s)
    await screen.press('Down', 'Enter')
    await screen.waitFor(/chosen=pear count=1/)
  })
})
