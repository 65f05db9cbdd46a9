import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

const HEAD = '## ◆ You · 2026-11-20 14:02:31\n\nhello\n\n## ◆ gpu:qwen3:32b · 2026-11-20 14:02:32\n\n'
const FOOTER =
  '<!-- ◆ {"end":"done","tokens":{"prompt":26,"answer":512},"ms":{"total":17000,"load":20,"prompt":110,"answer":16516,"first":412}} -->'

function numbered(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('')
}

async function focusTranscript(front: Front): Promise<void> {
  await front.nvim.lua(`vim.api.nvim_set_current_win(${CHAT}.windows.transcript)`)
}

const TOP_LINE = `return vim.fn.getwininfo(${CHAT}.windows.transcript)[1].topline`

describeWithNeovim('the transcript', (nvim) => {
  test('render and append make the text that the host wrote, and one empty line for the phase', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(
      ['render', 1, HEAD],
      ['append', 1, 'A'],
      ['append', 1, 'bc\nd'],
      ['append', 1, 'e\n'],
      ['append', 1, '\n'],
      ['append', 1, ''],
    )
    expect(await front.lines('transcript')).toEqual([...HEAD.split('\n').slice(0, -1), 'Abc', 'de', '', ''])
    const text = await front.nvim.lua(`return require('ollama-remote.transcript').text(${CHAT})`)
    expect(text).toBe(`${HEAD}Abc\nde\n\n`)
    await front.perform(['render', 1, 'no newline'])
    expect(await front.nvim.lua(`return require('ollama-remote.transcript').text(${CHAT})`)).toBe('no newline')
    await front.perform(['render', 1, ''])
    expect(await front.lines('transcript')).toEqual([''])
  })

  test('the verbs tell the number of lines, or that the chat is gone', async () => {
    const front = await startFront(nvim)
    await front.open()
    const verb = (name: string, ...args: unknown[]) =>
      front.nvim.lua(`return require('ollama-remote.verbs')[...](select(2, ...))`, name, ...args)
    expect(await verb('render', 1, 'a\nb\n')).toEqual({ lines: 3 })
    expect(await verb('append', 1, 'c')).toEqual({ lines: 4 })
    expect(await verb('append', 7, 'c')).toEqual({ gone: true })
    await front.nvim.lua(`vim.api.nvim_buf_delete(${CHAT}.buffers.transcript, { force = true })`)
    expect(await verb('append', 1, 'd')).toEqual({ gone: true })
    expect(await verb('render', 1, 'd')).toEqual({ gone: true })
  })

  test('the view follows a cursor at the end, and no other', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, HEAD + numbered(1, 60)])
    await front.nvim.waitForScreen(/line 60/)
    await front.perform(['append', 1, numbered(61, 90)])
    await front.nvim.waitForScreen(/line 90/)
    await focusTranscript(front)
    await front.nvim.type('20Gzt')
    await front.nvim.waitForLua(`${TOP_LINE} == 20`)
    await front.perform(['append', 1, numbered(91, 120)], ['append', 1, `\n${FOOTER}\n\n`])
    expect(await front.cursor('transcript')).toEqual([20, 0])
    expect(await front.nvim.lua(TOP_LINE)).toBe(20)
  })

  test('a second window of the transcript follows or stays by its own cursor', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, HEAD + numbered(1, 40)])
    await focusTranscript(front)
    await front.nvim.lua(
      "vim.cmd('split'); _G.other = vim.api.nvim_get_current_win(); vim.api.nvim_win_set_cursor(0, { 5, 0 })",
    )
    await front.perform(['append', 1, numbered(41, 50)])
    expect(await front.nvim.lua('return vim.api.nvim_win_get_cursor(_G.other)')).toEqual([5, 0])
    const last = (await front.lines('transcript')).length
    expect(await front.cursor('transcript')).toEqual([last, 0])
  })

  test('the phase is drawn at the end with its seconds, moves along, and goes', async () => {
    const front = await startFront(nvim)
    await front.open()
    for (const [phase, words] of [
      ['connecting', 'connecting'],
      ['authenticating', 'authenticating'],
      ['loading', 'loading model'],
      ['reading', 'reading prompt'],
      ['thinking', 'thinking'],
      ['writing', 'writing'],
    ]) {
      await front.perform(['state', 1, { phase }])
      await front.nvim.waitForScreen(new RegExp(`[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ${words} · \\d+ s · <C-c> stops`))
    }
    await front.perform(['append', 1, 'one\ntwo'])
    await front.nvim.waitForScreen(/two *\n.*[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] writing/)
    await front.perform(['state', 1, { phase: 'idle', ended: 'done' }])
    await front.nvim.waitForScreen((screen) => !screen.includes('writing'))
    expect(await front.lines('transcript')).toEqual(['one', 'two', ''])
  })

  test('thinking is open while it streams and folded when it ends', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, HEAD], ['append', 1, '### ◆ thinking\n\nLet me see'])
    await front.nvim.waitForScreen(/▾ thinking[\s\S]*Let me see/)
    await front.perform(['append', 1, '\n\n### ◆ answer · thought for 12.345 s\n\nIt is so'])
    const screen = await front.nvim.waitForScreen(/▸ thought for 12 s/)
    expect(screen).not.toMatch(/Let me see|▾ thinking/)
    expect(screen).toMatch(/It is so/)
    await focusTranscript(front)
    await front.nvim.type('gg/thinking<CR>zo')
    await front.nvim.waitForScreen(/▾ thinking[\s\S]*Let me see[\s\S]*thought for 12 s/)
    const other = HEAD.replace('qwen3', 'llama3')
    await front.perform([
      'render',
      1,
      `${other}### ◆ thinking\n\nLet me see\n\n### ◆ answer · thought for 0.420 s\n\nSo\n\n`,
    ])
    await front.nvim.waitForScreen((text) => /▸ thought for 0\.4 s/.test(text) && !text.includes('Let me see'))
  })

  test('a thinking that is being read stays open for its reader', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, HEAD], ['append', 1, '### ◆ thinking\n\nLet me see\nwhat it is'])
    await focusTranscript(front)
    await front.nvim.lua(`vim.fn.search('Let me see')`)
    await front.perform(['append', 1, '\n\n### ◆ answer · thought for 12.345 s\n\nIt is so'])
    await front.nvim.waitForScreen(/Let me see[\s\S]*It is so/)
  })

  test('a footer is its receipt, also in a narrow window; notes stand out; names are decoded', async () => {
    const front = await startFront(nvim, { columns: 80, rows: 24 })
    await front.open()
    await front.perform([
      'render',
      1,
      `## ◆ a%C2%B7b · 2026-11-20 14:02:32\n\nyes\n\n${FOOTER}\n\n## ◆ You · 2026-11-20 14:03:00\n\nno\n\n### ◆ stopped · CHAT_STOPPED\n\nby you\n\n`,
    ])
    await front.nvim.waitForScreen(/! stopped · CHAT_STOPPED/)
    const screen = await front.transcriptScreen()
    expect(screen).toMatch(/▎a·b · 14:02/)
    expect(screen).toMatch(/▎yes\n▎\n▎512 tokens · 31 t\/s · first token .*\n▎\n▎You/)
    expect(screen).not.toMatch(/◆|promp/)
  })

  test('what the model writes is text: a modeline does nothing', async () => {
    const front = await startFront(nvim, { init: 'vim.o.modeline = true; vim.o.modelines = 5' })
    await front.open()
    await front.perform(['render', 1, `${HEAD}vim: set tabstop=3 filetype=lua :\n\n`])
    await focusTranscript(front)
    await front.nvim.command('doautocmd BufRead')
    expect(await front.nvim.lua('return { vim.bo.tabstop, vim.bo.modeline }')).toEqual([8, false])
  })

  test('it cannot be changed by hand, and keeps no undo', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, HEAD], ['append', 1, 'text'])
    await focusTranscript(front)
    await front.nvim.type('ggx')
    await front.nvim.waitForScreen(/E21/)
    expect(await front.nvim.lua('return vim.fn.undotree().seq_last')).toBe(0)
  })

  test('a pending key delays the write and loses nothing of it', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('g')
    const performed = front.tellHost('fake.do', { steps: [['append', 1, 'while you were waiting']] })
    await front.nvim.type('g')
    await performed
    await front.nvim.waitForScreen(/while you were waiting/)
  })

  test('what comes while a command is typed is seen at once, and the command stays', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type(':echo 1')
    await front.perform(['append', 1, 'behind the command\nand on'])
    await front.nvim.waitForScreen(/behind the command[\s\S]*and on[\s\S]*:echo 1/)
    await front.nvim.type('23<CR>')
    await front.nvim.waitForScreen(/\n123/)
  })

  test('highlighting is treesitter, and syntax where the text has grown too long', async () => {
    const front = await startFront(nvim)
    await front.open()
    const kind = `return vim.b[${CHAT}.buffers.transcript].ollama_highlighting`
    const active = `return vim.treesitter.highlighter.active[${CHAT}.buffers.transcript] ~= nil`
    await front.perform(['render', 1, `${HEAD}some **bold** text\n\n\`\`\`lua\nlocal a\n\`\`\`\n`])
    expect(await front.nvim.lua(kind)).toBe('treesitter')
    expect(await front.nvim.lua(active)).toBe(true)
    const limit = (await front.nvim.lua("return vim.fn.has('nvim-0.11')")) === 1 ? 10_000 : 2_000
    await front.perform(['append', 1, numbered(1, limit)])
    expect(await front.nvim.lua(kind)).toBe('syntax')
    expect(await front.nvim.lua(active)).toBe(false)
    expect(await front.nvim.lua(`return vim.bo[${CHAT}.buffers.transcript].syntax`)).toBe('markdown')
    await front.perform(['render', 1, HEAD])
    expect(await front.nvim.lua(active)).toBe(true)
  })

  test('nothing ever appears as an error', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('think about code')
    await front.waitForEnd()
    expect(await front.nvim.messages()).toBe('')
  })
})
