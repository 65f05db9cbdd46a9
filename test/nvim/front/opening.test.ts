import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, startFront } from './front.ts'

const CHANNELS = `return #vim.tbl_filter(function(channel) return channel.stream == 'job' end, vim.api.nvim_list_chans())`
const MODULES = `return vim.tbl_filter(function(name) return vim.startswith(name, 'ollama-remote') end, vim.tbl_keys(package.loaded))`

describeWithNeovim('opening', (nvim) => {
  test('loading the plugin starts nothing and loads nothing, nor does the statusline', async () => {
    const front = await startFront(nvim)
    expect(await front.nvim.lua("return vim.fn.exists(':Ollama')")).toBe(2)
    expect(await front.nvim.lua(MODULES)).toEqual([])
    expect(await front.nvim.lua("return require('ollama-remote').status().text")).toBe('')
    expect(await front.nvim.lua(CHANNELS)).toBe(0)
  })

  test('the window is there and focused before the host has answered, and takes text', async () => {
    const front = await startFront(nvim, { script: { hold: ['handshake'] } })
    await front.nvim.type(' oo')
    await front.nvim.waitForScreen(/<CR> send .* g\? keys/)
    await front.nvim.type('ityped early')
    await front.nvim.waitForScreen(/typed early/)
    expect(await front.requests('chat.open')).toEqual([])
    await front.nvim.waitForLua(CHANNELS.replace('return #', 'return 1 == #'))
    await front.tellHost('fake.release', { method: 'handshake' })
    await front.nvim.waitForScreen(/gpu:qwen3:32b ●/)
    expect(await front.promptText()).toBe('typed early')
  })

  test('the handshake tells the whole configuration, and its problems are shown', async () => {
    const problem = { code: 'CONFIG_INVALID', message: 'setup(): unknown option colour', hint: 'See the manual.' }
    const front = await startFront(nvim, {
      script: { configProblems: [problem] },
      init: "vim.g.ollama_remote = { system = 'Be brief' }",
    })
    await front.nvim.lua("require('ollama-remote').setup({ servers = { gpu = {} }, split_preference = 'horizontal' })")
    await front.open()
    const [handshake] = await front.requests('handshake')
    expect(handshake).toMatchObject({
      protocol: 1,
      config: { system: 'Be brief', servers: { gpu: {} }, split_preference: 'horizontal' },
    })
    expect(handshake?.config_file).toMatch(/ollama_config\.lua$/)
    expect(handshake?.log_file).toMatch(/ollama-remote\/host\.log$/)
    await front.nvim.waitForScreen(/unknown option colour/)
  })

  test('split_preference is read from ollama_config.lua without running it', async () => {
    const front = await startFront(nvim)
    await front.nvim.lua(`
      local file = require('ollama-remote.config').file()
      vim.fn.mkdir(vim.fs.dirname(file), 'p')
      vim.fn.writefile({ '_G.was_run = true', 'return {', '  -- split_preference = "vertical",', '  split_preference = "horizontal",', '}' }, file)`)
    await front.open()
    expect(await front.nvim.lua(`return vim.api.nvim_win_get_width(${CHAT}.windows.transcript)`)).toBe(100)
    expect(await front.nvim.lua('return _G.was_run == nil')).toBe(true)
  })

  test('a missing Node.js is one clear message, and the window stays', async () => {
    const front = await startFront(nvim, { init: "vim.g.ollama_remote = { node = '/nowhere/node' }" })
    await front.nvim.type(' oo')
    await front.nvim.waitForLua("return vim.fn.execute('messages'):find('/nowhere/node is not executable', 1, true)")
    expect(await front.nvim.messages()).not.toMatch(/E5108|stack traceback/)
  })

  test('a Node.js that is too old is refused by the version that the host tells', async () => {
    const front = await startFront(nvim, { script: { node: '18.20.8' } })
    await front.nvim.type(' oo')
    await front.nvim.waitForLua("return vim.fn.execute('messages'):find('18.20.8 is too old', 1, true)")
  })

  test('without a built host it offers to build it, and says what to do when told not to', async () => {
    const front = await startFront(nvim, { host: '/nowhere/index.cjs', columns: 140 })
    await front.nvim.type(' oo')
    await front.nvim.waitForScreen(/1: Yes, build it now/)
    await front.nvim.type('2<CR>')
    await front.nvim.waitForLua("return vim.fn.execute('messages'):find('make build', 1, true)")
  })

  test('another version of the protocol says so, and :Ollama restart begins anew', async () => {
    const front = await startFront(nvim, {
      script: { fail: { handshake: { code: 'RPC_VERSION', message: 'The host speaks protocol 2' } } },
    })
    await front.nvim.type(' oo')
    await front.nvim.waitForLua("return vim.fn.execute('messages'):find(':Ollama restart', 1, true)")
    await front.nvim.waitForLua("return not require('ollama-remote.rpc').is_running()")
    await front.nvim.lua("vim.env.FAKE_HOST = '{}'")
    await front.nvim.command('Ollama restart')
    await front.nvim.waitForLua(`return ${CHAT}.known`)
  })
})

describeWithNeovim('keys', (nvim) => {
  test('a mapping of the user is never overridden', async () => {
    const front = await startFront(nvim, { init: "vim.keymap.set('n', '<leader>oo', ':let g:mine = 1<CR>')" })
    await front.nvim.type(' oo')
    await front.nvim.waitForLua('return vim.g.mine == 1')
    expect(await front.nvim.lua("return vim.fn.maparg('<leader>ot', 'n')")).toBe('<Plug>(ollama-toggle)')
    expect(await front.nvim.lua("return vim.fn.maparg('<leader>oo', 'x')")).toBe('<Plug>(ollama-open)')
  })

  test('keymaps = false sets none, before and after loading; the <Plug> maps stay', async () => {
    const front = await startFront(nvim, { init: 'vim.g.ollama_remote = { keymaps = false }' })
    const mapped = (lhs: string) => front.nvim.lua('return vim.fn.maparg(..., "n")', lhs)
    expect(await mapped('<leader>oo')).toBe('')
    expect(await front.nvim.lua("return vim.fn.maparg('<Plug>(ollama-open)', 'n', false, true).desc")).toMatch(/open/)

    const late = await startFront(nvim)
    await late.nvim.lua("vim.keymap.set('n', '<leader>ot', 'ix<Esc>')")
    await late.nvim.lua("require('ollama-remote').setup({ keymaps = false })")
    expect(await late.nvim.lua("return vim.fn.maparg('<leader>oo', 'n')")).toBe('')
    expect(await late.nvim.lua("return vim.fn.maparg('<leader>ot', 'n')")).toBe('ix<Esc>')
  })

  test('single keys can be moved, by the variable and by setup() before and after loading', async () => {
    const variable = await startFront(nvim, {
      init: "vim.g.ollama_remote = { keymaps = { open = '<leader>c', close = false } }",
    })
    const early = await startFront(nvim, {
      init: "require('ollama-remote').setup({ keymaps = { open = '<leader>c', close = false } })",
    })
    const late = await startFront(nvim)
    await late.nvim.lua("require('ollama-remote').setup({ keymaps = { open = '<leader>c', close = false } })")
    for (const front of [variable, early, late]) {
      const maps =
        "return vim.tbl_map(function(key) return vim.fn.maparg(' ' .. key, 'n') end, { 'c', 'oo', 'oc', 'ot' })"
      expect(await front.nvim.lua(maps)).toEqual(['<Plug>(ollama-open)', '', '', '<Plug>(ollama-toggle)'])
    }
  })

  test('keys inside the chat can be moved too, and g? shows the keys as they are', async () => {
    const front = await startFront(nvim, {
      init: "vim.g.ollama_remote = { keymaps = { yank = 'gY' } }",
      rows: 60,
    })
    await front.open()
    await front.nvim.type('g?')
    const help = await front.nvim.waitForScreen(/In the transcript/)
    expect(help).toMatch(/gY\s+yank the code block/)
    expect(help).toMatch(/<CR>\s+send/)
    expect(help).toMatch(/oo\s+open the chat/)
    await front.nvim.type('q')
    await front.nvim.waitForScreen((screen) => !screen.includes('In the transcript'))
  })

  test(':Ollama completes subcommands and models, and refuses what it does not know', async () => {
    const front = await startFront(nvim, { script: { models: [{ ref: 'gpu:a', server: 'gpu', name: 'a' }] } })
    const complete = (line: string) => front.nvim.lua<string[]>("return vim.fn.getcompletion(..., 'cmdline')", line)
    const subcommands = await complete('Ollama ')
    expect(subcommands).toEqual(subcommands.toSorted())
    expect(subcommands).toEqual(expect.arrayContaining(['ask', 'chat', 'model', 'servers', 'stop', 'toggle']))
    expect(await complete('Ollama m')).toEqual(['model', 'models'])
    expect(await complete('Ollama model ')).toEqual([])
    await front.nvim.command('Ollama default')
    await front.nvim.waitForScreen(/Default model/)
    await front.nvim.type('<Esc>')
    expect(await complete('Ollama model g')).toEqual(['gpu:a'])
    await front.nvim.command('Ollama dance')
    await front.nvim.waitForLua(
      `return vim.fn.execute('messages'):find('knows no "dance"; <Tab> after :Ollama shows', 1, true)`,
    )
    await front.nvim.command('Ollama lod')
    await front.nvim.waitForLua(`return vim.fn.execute('messages'):find('"lod"; did you mean :Ollama load?', 1, true)`)
  })
})
