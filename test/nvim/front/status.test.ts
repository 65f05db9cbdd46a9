import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { HELP_FILE } from '../../../scripts/option-help.ts'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { startFront } from './front.ts'

const help = readFileSync(HELP_FILE, 'utf8')

/** A recipe of the help file: the code after its tag. */
function recipe(tag: string, last = false): string {
  const after = help.slice(help.indexOf(`*${tag}*`))
  const codes = [...after.matchAll(/>lua\n\n(.*?)\n<\n/gs)].map(([, code = '']) => code.replace(/^ {4}/gm, ''))
  return (last ? codes[1] : codes[0]) ?? ''
}

const STATUS = "return require('ollama-remote').status()"

describeWithNeovim('status()', (nvim) => {
  test('loads nothing of the plugin but itself', async () => {
    const front = await startFront(nvim)
    expect(await front.nvim.lua(STATUS)).toEqual({
      text: '',
      queued: 0,
      unsaved: false,
      chats: { living: 0, running: 0 },
    })
    const loaded = await front.nvim.lua<string[]>(
      "return vim.tbl_filter(function(name) return name:find('^ollama') end, vim.tbl_keys(package.loaded))",
    )
    expect(loaded.toSorted()).toEqual(['ollama-remote', 'ollama-remote.status'])
  })

  test('tells the parts of a chat, and a User autocommand when they change', async () => {
    const front = await startFront(nvim, {
      init: `vim.api.nvim_create_autocmd('User', { pattern = 'OllamaStatusChanged', callback = function()
        _G.told = _G.told or {}
        table.insert(_G.told, require('ollama-remote').status().text)
      end })`,
    })
    await front.open()
    await front.perform(['state', 1, { phase: 'idle', title: 'Locks', file: 'locks.txt', unsaved: true }])
    expect(await front.nvim.lua(STATUS)).toMatchObject({
      text: 'gpu:qwen3:32b',
      title: 'Locks',
      file: 'locks.txt',
      unsaved: true,
      model: 'gpu:qwen3:32b',
      server: 'gpu',
      phase: 'idle',
      chats: { living: 1, running: 0 },
    })
    await front.perform(['state', 1, { phase: 'loading' }])
    expect(await front.nvim.lua(STATUS)).toMatchObject({
      words: 'loading model',
      elapsed: expect.any(Number),
      chats: { living: 1, running: 1 },
    })
    // A machine that is slow sees no second that passes by.
    await front.nvim.waitForLua("return tostring(_G.told[#_G.told]):find('^gpu:qwen3:32b loading model %d+s$')")
    // Whoever shows it outside of Neovim hears of nothing else.
    await front.nvim.waitForLua("return tostring(_G.told[#_G.told]):find('loading model [1-9]%d*s$')")
    await front.perform(['state', 1, { phase: 'idle', unsaved: false }])
    await front.nvim.type(' oc')
    await front.nvim.waitForLua("return _G.told[#_G.told] == ''")
  })

  test('tells of the chat that the cursor goes to', async () => {
    const front = await startFront(nvim, {
      init: `vim.api.nvim_create_autocmd('User', { pattern = 'OllamaStatusChanged', callback = function()
        _G.title = require('ollama-remote').status().title or 'none'
      end })`,
    })
    await front.open()
    await front.perform(['state', 1, { phase: 'idle', title: 'Locks' }])
    await front.nvim.waitForLua("return _G.title == 'Locks'")
    await front.nvim.command('Ollama new')
    await front.nvim.waitForLua("return _G.title == 'none'")
  })

  test("the help file's recipe for lualine gives a text, before the plugin is used and while an answer comes", async () => {
    const lualine = 'package.loaded.lualine = { setup = function(options) _G.part = options.sections.lualine_x[1] end }'
    const front = await startFront(nvim, { init: `${lualine}\n${recipe('ollama-remote-lualine')}` })
    expect(await front.nvim.lua('return _G.part()')).toBe('')
    await front.open()
    await front.perform(['state', 1, { phase: 'writing', unsaved: true }])
    expect(await front.nvim.lua('return _G.part()')).toMatch(/^gpu:qwen3:32b writing \d+s ●$/)
  })

  test("the help file's recipe for a statusline is drawn at each change", async () => {
    const front = await startFront(nvim, { init: recipe('ollama-remote-lualine', true), columns: 140 })
    await front.open()
    await front.perform(['state', 1, { phase: 'writing' }])
    await front.nvim.waitForScreen(/gpu:qwen3:32b writing \d+s \d/)
  })

  test("the help file's recipe for tmux sets an option of the pane, and takes it back", async ({ skip }) => {
    const tmux = (...args: string[]) => execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' }).trim()
    const socket = `ollama-remote-${process.pid}`
    try {
      tmux('-f', '/dev/null', 'new-session', '-d', '-P')
    } catch {
      return skip('there is no tmux')
    }
    onTestFinished(() => void tmux('kill-server'))
    const [path = '', pid = '', pane = ''] = tmux('display', '-p', '#{socket_path} #{pid} #{pane_id}').split(' ')
    const front = await startFront(nvim, {
      init: recipe('ollama-remote-tmux'),
      env: { TMUX: `${path},${pid},0`, TMUX_PANE: pane },
    })
    await front.open()
    const shown = () => tmux('display', '-p', '-t', pane, '#{@ollama}')
    await front.perform(['state', 1, { phase: 'writing' }])
    await expect.poll(shown, { timeout: 8_000 }).toMatch(/^gpu:qwen3:32b writing \d+s$/)
    await front.nvim.quit()
    await expect.poll(shown, { timeout: 8_000 }).toBe('')
  })
})
