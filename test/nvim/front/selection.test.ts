import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

async function editFile(front: Front, name: string, lines: string[]): Promise<void> {
  writeFileSync(join(front.nvim.folder, name), `${lines.join('\n')}\n`)
  await front.nvim.command(`cd ${front.nvim.folder}`)
  await front.nvim.command(`edit ${name}`)
}

const SOURCE = ['local a = 1', 'local b = 2', 'print(a + b)', 'return a']

describeWithNeovim('a selection', (nvim) => {
  test('is quoted with language, path and lines, the cursor where the question goes', async () => {
    const front = await startFront(nvim)
    await editFile(front, 'sum.lua', SOURCE)
    await front.nvim.type('2GVj oo')
    await front.nvim.waitForScreen(/print\(a \+ b\)\s*\n.*```/)
    await front.nvim.type('Why?')
    await front.nvim.waitForScreen(/Why\?/)
    expect(await front.lines('prompt')).toEqual([
      '```lua sum.lua:2-3',
      'local b = 2',
      'print(a + b)',
      '```',
      '',
      'Why?',
    ])
    expect(await front.nvim.lua('return vim.api.nvim_get_mode().mode')).toBe('i')
  })

  test('of characters or of a block is quoted as it is', async () => {
    const front = await startFront(nvim)
    await editFile(front, 'sum.lua', SOURCE)
    await front.nvim.type('3G0veee oo')
    await front.nvim.waitForLua(
      `return ${CHAT} ~= nil and #vim.api.nvim_buf_get_lines(${CHAT}.buffers.prompt, 0, -1, false) > 3`,
    )
    expect((await front.lines('prompt')).slice(0, 3)).toEqual(['```lua sum.lua:3-3', 'print(a', '```'])
    await front.nvim.type('<Esc><C-w>hgg0<C-v>jee oo')
    await front.nvim.waitForLua(`return #vim.api.nvim_buf_get_lines(${CHAT}.buffers.prompt, 0, -1, false) > 6`)
    expect(await front.promptText()).toContain('```lua sum.lua:1-2\nlocal a\nlocal b\n```')
  })

  test('comes after a draft, with a fence longer than any within', async () => {
    const front = await startFront(nvim)
    await editFile(front, 'notes.md', ['text', '````', 'x', '````'])
    await front.nvim.type(' oo')
    await front.nvim.type('imy draft<Esc><C-w>hggVG oo')
    await front.nvim.waitForScreen(/`{5}markdown notes\.md:1-4/)
    expect(await front.lines('prompt')).toEqual([
      'my draft',
      '',
      '`````markdown notes.md:1-4',
      'text',
      '````',
      'x',
      '````',
      '`````',
      '',
      '',
    ])
  })

  test(':{range}Ollama ask sends at once, and leaves the draft alone', async () => {
    const front = await startFront(nvim)
    await editFile(front, 'sum.lua', SOURCE)
    await front.nvim.type(' ooidraft<Esc><C-w>h')
    await front.nvim.type(':1,2Ollama ask what does this do?<CR>')
    const [sent] = await front.waitForRequests('chat.send')
    expect(sent).toEqual({ chat: 1, text: '```lua sum.lua:1-2\nlocal a = 1\nlocal b = 2\n```\n\nwhat does this do?' })
    expect(await front.promptText()).toBe('draft')
    await front.nvim.command('Ollama ask and why')
    expect((await front.waitForRequests('chat.send', 2))[1]).toEqual({ chat: 1, text: 'and why' })
  })

  test('of a buffer without a name has no path', async () => {
    const front = await startFront(nvim)
    await front.nvim.type('isome words<Esc>V oo')
    await front.nvim.waitForLua(
      `return ${CHAT} ~= nil and #vim.api.nvim_buf_get_lines(${CHAT}.buffers.prompt, 0, -1, false) > 3`,
    )
    expect(await front.lines('prompt')).toEqual(['```', 'some words', '```', '', ''])
  })
})

describeWithNeovim('the picker', (nvim) => {
  const models = [
    {
      ref: 'gpu:qwen3:32b',
      server: 'gpu',
      name: 'qwen3:32b',
      size: 20_201_253_588,
      parameters: '32.8B',
      quantization: 'Q4_K_M',
      capabilities: ['completion', 'tools', 'thinking'],
    },
    {
      ref: 'desk:llava:7b',
      server: 'desk',
      name: 'llava:7b',
      size: 4_733_363_377,
      parameters: '7B',
      quantization: 'Q4_0',
      capabilities: ['completion', 'vision'],
    },
    { ref: 'gpu:tiny', server: 'gpu', name: 'tiny' },
  ]

  test('shows aligned columns, marks what is used, switches the model, and tells what could not be asked', async () => {
    const serverProblems = [
      { server: 'attic', error: { code: 'SSH_UNREACHABLE', message: 'attic does not answer', hint: 'Is it on?' } },
    ]
    const front = await startFront(nvim, { script: { models, serverProblems } })
    await front.open()
    await front.nvim.type(' om')
    const screen = await front.nvim.waitForScreen(/3: {3}gpu:tiny/)
    expect(screen).toMatch(/1: ● gpu:qwen3:32b {3}20 GB {2}32\.8B {2}Q4_K_M {2}tools thinking\n/)
    expect(screen).toMatch(/2: {3}desk:llava:7b {2}4\.7 GB {5}7B {2}Q4_0 {4}vision\n/)
    expect(screen).toMatch(/4: ✗ attic: SSH_UNREACHABLE: attic does not answer\n/)
    await front.nvim.type('2<CR>')
    await front.nvim.waitForScreen(/desk:llava:7b ●/)
    await front.nvim.type(' om')
    await front.nvim.waitForScreen(/4: ✗ attic/)
    await front.nvim.type('4<CR>')
    await front.nvim.waitForLua("return vim.fn.execute('messages'):find('attic does not answer', 1, true)")
    await front.nvim.waitForScreen(/desk:llava:7b ●/)
  })

  test('shows what is known at once, with its age, and what the servers say the next time', async () => {
    const read = Date.now() - 3.5 * 3_600_000
    const knownModels = [{ ref: 'gpu:tiny', server: 'gpu', name: 'tiny', is_loaded: true, read }]
    const front = await startFront(nvim, { script: { models, knownModels, hold: ['models.list'] } })
    await front.open()
    await front.nvim.type(' om')
    await front.tellHost('fake.release', { method: 'models.list' })
    await front.nvim.waitForScreen(/1: {3}gpu:tiny {2,}loaded · seen 3 h ago/)
    await front.nvim.type('<CR>')
    expect(await front.waitForRequests('models.list', 2)).toEqual([{ known: true }, {}])
    await front.nvim.waitForLua(
      "return vim.tbl_contains(require('ollama-remote.models.picker').known(), 'desk:llava:7b')",
    )
  })

  test('makes the login that a server needs when its line is chosen, and opens the list anew', async () => {
    const serverProblems = [
      { server: 'attic', needs_person: true, error: { code: 'SSH_AUTH_CANCELLED', message: 'The login asks' } },
    ]
    const front = await startFront(nvim, { script: { models, serverProblems, hold: ['servers.connect'] } })
    await front.open()
    await front.nvim.type(' om')
    await front.nvim.waitForScreen(/4: ✗ attic/)
    await front.nvim.type('4<CR>')
    // Neovim's own list answers nothing while it is open, so the login is not done before this was seen.
    expect(await front.waitForRequests('servers.connect')).toEqual([{ server: 'attic' }])
    await front.nvim.waitForScreen((screen) => !screen.includes('✗ attic'))
    await front.tellHost('fake.release', { method: 'servers.connect' })
    await front.nvim.waitForScreen(/4: ✗ attic/)
    await front.nvim.type('1<CR>')
  })

  test('with nothing to choose it says what to do', async () => {
    const front = await startFront(nvim)
    await front.nvim.command('Ollama default')
    await front.nvim.waitForScreen(/p in :Ollama models/)
    expect(await front.nvim.messages()).toMatch(/No server has a model/)
  })

  test(':Ollama model NAME and default NAME need no picker', async () => {
    const front = await startFront(nvim, { script: { models } })
    await front.nvim.command('Ollama model gpu:tiny')
    await front.nvim.waitForScreen(/gpu:tiny ●/)
    await front.nvim.command('Ollama default desk:llava:7b')
    await front.nvim.waitForScreen(/New chats use desk:llava:7b/)
    expect(await front.requests('models.list')).toEqual([])
  })
})
