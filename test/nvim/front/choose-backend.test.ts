import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { type Front, startFront } from './front.ts'

const current = (front: Front) =>
  front.nvim.lua<{ name: string; why: string; missing?: string }>(
    "return require('ollama-remote.choose.backend').current()",
  )

const AUTO = "require('ollama-remote').setup({ picker = 'auto' })"

/** A folder without fzf. */
const env = { PATH: '/nowhere' }

describeWithNeovim('which picker shows the lists', (nvim) => {
  test('is your own vim.ui.select before all others', async () => {
    const front = await startFront(nvim, { env, init: `${AUTO} vim.ui.select = function() end` })
    expect(await current(front)).toEqual({ name: 'select', why: 'vim.ui.select is your own' })
  })

  test('is fzf where nothing else is, and the list of Neovim without it', async () => {
    const front = await startFront(nvim, { env, init: AUTO })
    expect((await current(front)).name).toBe('select')
    mkdirSync(join(front.nvim.folder, 'bin'))
    writeFileSync(join(front.nvim.folder, 'bin', 'fzf'), '', { mode: 0o755 })
    await front.nvim.lua('vim.env.PATH = ...', join(front.nvim.folder, 'bin'))
    expect((await current(front)).name).toBe('fzf')
  })

  test('is a picker that is installed or in use, and never one that waits for its setup', async () => {
    const front = await startFront(nvim, { env, init: AUTO })
    await front.nvim.lua('vim.opt.runtimepath:append(...)', join(PROJECT_ROOT, 'test/fixtures/pickers'))
    expect(await current(front)).toEqual({ name: 'telescope', why: 'it is installed' })
    expect(await front.nvim.lua("return package.loaded['telescope'] == nil")).toBe(true)
    await front.nvim.lua('_G.MiniPick = {}')
    expect(await current(front)).toEqual({ name: 'mini', why: 'it is in use in this Neovim' })
    await front.nvim.lua('package.loaded.snacks = { did_setup = true, config = { picker = { enabled = true } } }')
    expect(await current(front)).toEqual({ name: 'snacks', why: 'it is in use in this Neovim' })
  })

  test('is read from ollama_config.lua too', async () => {
    const front = await startFront(nvim, { env, init: 'vim.g.ollama_remote = {} vim.ui.select = function() end' })
    mkdirSync(join(front.nvim.folder, 'config', 'nvim'), { recursive: true })
    writeFileSync(join(front.nvim.folder, 'config', 'nvim', 'ollama_config.lua'), "return { picker = 'select' }\n")
    expect(await current(front)).toEqual({ name: 'select', why: 'it is configured' })
  })

  test('is told of once when it is configured and not there', async () => {
    const front = await startFront(nvim, { env, init: "require('ollama-remote').setup({ picker = 'fzf' })" })
    expect((await current(front)).missing).toBe('fzf')
    for (let time = 0; time < 2; time += 1) {
      await front.nvim.lua(
        "require('ollama-remote.choose').pick({ title = 'X', items = {1}, on_choice = function() end })",
      )
      await front.nvim.waitForScreen(/1: 1/)
      await front.nvim.type('<Esc>')
      await front.nvim.waitForLua("return vim.api.nvim_get_mode().mode == 'n'")
    }
    expect((await front.nvim.messages()).match(/configured but not there/g)).toHaveLength(1)
  })
})
