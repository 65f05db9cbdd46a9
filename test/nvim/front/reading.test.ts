import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

const CODE = ['Look:', '', '```lua', 'local a = 1', '\\## ◆ not a turn', '```', '', '```', 'second', '```']

const TEXT = [
  '## ◆ You · 2026-11-20 14:02:31',
  '',
  'first question',
  '',
  '## ◆ gpu:qwen3:32b · 2026-11-20 14:02:32',
  '',
  '### ◆ thinking',
  '',
  'Let me see',
  '',
  '### ◆ answer · thought for 12.345 s',
  '',
  ...CODE,
  '',
  '<!-- ◆ {"end":"done","tokens":{"answer":512}} -->',
  '',
  '## ◆ You · 2026-11-20 14:03:00',
  '',
  'second question',
  '',
  '## ◆ gpu:qwen3:32b · 2026-11-20 14:03:01',
  '',
  'Cut in code:',
  '',
  '```',
  'half',
  '```',
  '',
  '### ◆ stopped · CHAT_STOPPED',
  '',
  'By you.',
  '',
  '<!-- ◆ {"end":"stopped","closed":{"text":"```"}} -->',
  '',
  '',
].join('\n')

async function openWith(front: Front, text: string): Promise<void> {
  await front.open()
  await front.perform(['render', 1, text])
  await front.nvim.lua(`vim.api.nvim_set_current_win(${CHAT}.windows.transcript)`)
}

/** What keys put into a register. */
async function yanked(front: Front, keys: string, register = '"'): Promise<string> {
  await front.nvim.lua("vim.fn.setreg(..., 'untouched')", register)
  await front.nvim.type(keys)
  return front.nvim.waitForLua<string>(
    "local text = vim.fn.getreg(...) return text ~= 'untouched' and text or nil",
    register,
  )
}

describeWithNeovim('yanking', (nvim) => {
  test('gY yanks a text as it was written, and names what it was', async () => {
    const front = await startFront(nvim)
    await openWith(front, TEXT)
    const original = CODE.map((line) => line.replace('\\##', '##'))
    expect(await yanked(front, 'gg]]gY')).toBe(`${original.join('\n')}\n`)
    await front.nvim.waitForScreen(/10 lines of the answer yanked/)
    expect(await yanked(front, 'gg"agY', 'a')).toBe('first question\n')
    await front.nvim.waitForScreen(/1 line of the question yanked/)
    expect(await yanked(front, 'GgY')).toBe('Cut in code:\n\n```\nhalf\n')
  })

  test('gy undoes escapes, and counts blocks', async () => {
    const front = await startFront(nvim)
    await openWith(front, TEXT)
    expect(await yanked(front, 'gg/local<CR>gy')).toBe('local a = 1\n## ◆ not a turn\n')
    expect(await yanked(front, 'gg]]2gy')).toBe('second\n')
    await front.nvim.type('gg]]7gy')
    await front.nvim.waitForScreen(/This turn has 2 code blocks/)
  })
})

describeWithNeovim('text objects', (nvim) => {
  test('io and ao take turns, with counts, from a closed fold too', async () => {
    const front = await startFront(nvim)
    await openWith(front, TEXT)
    expect(await yanked(front, 'ggyio')).toBe('first question\n')
    expect(await yanked(front, 'ggyao')).toBe('## ◆ You · 2026-11-20 14:02:31\n\nfirst question\n\n')
    expect(await yanked(front, 'gg]]yio')).toBe(`${CODE.join('\n')}\n`)
    expect(await yanked(front, 'gg/Let me<CR>zvyio')).toBe('Let me see\n')
    expect(await yanked(front, 'Gyio')).toBe('Cut in code:\n\n```\nhalf\n')
    const two = await yanked(front, 'ggy2ao')
    expect(two.split('\n').filter((line) => line.startsWith('## ◆'))).toHaveLength(2)
    expect(await yanked(front, 'zMggyio')).toBe('first question\n')
    expect(await front.nvim.lua('return vim.fn.foldclosed(1)')).toBe(1)
  })

  test('a selection grows by the next', async () => {
    const front = await startFront(nvim)
    await openWith(front, TEXT)
    const grown = await yanked(front, 'ggvaoaoy')
    expect(grown.split('\n').filter((line) => line.startsWith('## ◆'))).toHaveLength(2)
    expect(await yanked(front, 'gg/local<CR>vicicy')).toBe(`${CODE.slice(3, 9).join('\n')}\n`)
  })

  test('ic and ac take the block that the cursor is in, and nothing elsewhere', async () => {
    const front = await startFront(nvim)
    await openWith(front, TEXT)
    expect(await yanked(front, 'gg/local<CR>yic')).toBe('local a = 1\n\\## ◆ not a turn\n')
    expect(await yanked(front, 'gg/second$<CR>nyac')).toBe('```\nsecond\n```\n')
    await front.nvim.type('ggyic')
    await front.nvim.waitForScreen(/No code block is here/)
  })

  test('cic rewrites a quote in the prompt', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('iask<CR>```lua<CR>old<CR>older<CR>```<Esc>kcicnew<Esc>')
    await front.nvim.waitForLua(
      `return vim.deep_equal(vim.api.nvim_buf_get_lines(${CHAT}.buffers.prompt, 0, -1, false),
        { 'ask', '\`\`\`lua', 'new', '\`\`\`' })`,
    )
  })
})

describeWithNeovim('gf', (nvim) => {
  function project(): string {
    const folder = mkdtempSync(join(tmpdir(), 'ollama-remote-gf-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    mkdirSync(join(folder, 'zz/deep'), { recursive: true })
    mkdirSync(join(folder, '.git'))
    const lines = Array.from({ length: 20 }, (_, index) => `text of line ${index + 1}\n`).join('')
    for (const name of ['zz/app.ts', 'zz/deep/part.rs', 'zz/with space.lua']) writeFileSync(join(folder, name), lines)
    return folder
  }

  const WHERE = `
    local window = vim.api.nvim_get_current_win()
    local name = vim.api.nvim_buf_get_name(0)
    local row, column = unpack(vim.api.nvim_win_get_cursor(0))
    return { vim.fn.fnamemodify(name, ':t'), row, column, window == ${CHAT}.origin }`

  test('follows every spelling of a place, into the window that the chat was opened from', async () => {
    const folder = project()
    const front = await startFront(nvim, { args: [join(folder, 'zz/deep/part.rs')] })
    await openWith(front, 'x\n')
    const spellings: Array<[line: string, file: string, row: number, column: number]> = [
      ['see zz/app.ts:12 there', 'app.ts', 12, 0],
      ['see (zz/app.ts:12:3), there', 'app.ts', 12, 2],
      ['see `zz/app.ts:3-5`.', 'app.ts', 3, 0],
      ['in deep/part.rs(7,5): error', 'part.rs', 7, 4],
      ['  File "zz/app.ts", line 3, in f', 'app.ts', 3, 0],
      ['```lua zz/with space.lua:4-6', 'with space.lua', 4, 0],
      ['`zz/with space.lua:9`', 'with space.lua', 9, 0],
      ['[the app](zz/app.ts#L8)', 'app.ts', 8, 0],
      ['+++ b/zz/app.ts:1', 'app.ts', 1, 0],
      [`${folder}/zz/app.ts:99`, 'app.ts', 20, 0],
    ]
    for (const [line, file, row, column] of spellings) {
      await front.perform(['render', 1, `${line}\n`])
      await front.nvim.lua(
        `vim.api.nvim_set_current_win(${CHAT}.windows.transcript)
         vim.api.nvim_win_set_cursor(0, { 1, math.max(0, vim.fn.match(..., [[\\v<zz/|part|app]])) })`,
        line,
      )
      // Else what was opened for the line before would do for this one.
      await front.nvim.lua(`vim.api.nvim_win_set_cursor(${CHAT}.origin, { 2, 0 })`)
      await front.nvim.type('gf')
      await front.nvim.waitForLua(`return vim.api.nvim_get_current_win() == ${CHAT}.origin`)
      expect([line, await front.nvim.lua(WHERE)]).toEqual([line, [file, row, column, true]])
    }
    await front.nvim.type('<C-o>')
    await front.nvim.waitForLua("return vim.fn.line('.') == 2")
  })

  test('says what it looked for, and opens nothing that is no file', async () => {
    const front = await startFront(nvim)
    await openWith(front, 'see `gone/file.ts:3` or term://ls\n')
    await front.nvim.type('gg/gone<CR>gf')
    await front.nvim.waitForScreen(/No file "gone\/file.ts" in/)
    await front.nvim.type('gg/term<CR>gf')
    await front.nvim.waitForScreen(/No file "term:\/\/ls" in/)
    expect(await front.nvim.lua("return vim.fn.bufexists('term://ls')")).toBe(0)
  })

  test('<C-w>f opens a window of its own, and a new one where there is none', async () => {
    const folder = project()
    const front = await startFront(nvim)
    await openWith(front, `${folder}/zz/app.ts:5\n`)
    await front.nvim.type('gg<C-w>f')
    await front.nvim.waitForLua("return vim.fn.expand('%:t') == 'app.ts' and vim.fn.line('.') == 5")
    expect(await front.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(4)
    await front.nvim.lua(`vim.api.nvim_set_current_win(${CHAT}.windows.transcript)
      for _, window in ipairs(vim.api.nvim_list_wins()) do
        if not vim.list_contains(vim.tbl_values(${CHAT}.windows), window) then vim.api.nvim_win_close(window, true) end
      end`)
    await front.nvim.type('gggf')
    await front.nvim.waitForLua("return vim.fn.expand('%:t') == 'app.ts'")
    expect(await front.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(3)
  })

  test('is quick in a line of a megabyte', async () => {
    const front = await startFront(nvim)
    const places = await front.nvim.lua<Array<{ path: string; line?: number }>>(
      `local place = require('ollama-remote.transcript.place')
       local filler = ('a('):rep(500000)
       local start = vim.uv.hrtime()
       local found = place.at(filler .. ' src/app.ts:3 ' .. filler, #filler + 3)
       assert(vim.uv.hrtime() - start < 2e9, 'it took too long')
       return found`,
    )
    expect(places).toContainEqual({ path: 'src/app.ts', line: 3 })
  })

  test('leaves a float that would stand over the file', async () => {
    const folder = project()
    const front = await startFront(nvim, {
      init: "require('ollama-remote').setup({ split_preference = 'float' })",
    })
    await openWith(front, `${folder}/zz/app.ts:5\n`)
    await front.nvim.type('gggf')
    await front.nvim.waitForScreen(/text of line 5/)
    expect(await front.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(1)
  })
})

describeWithNeovim('gO', (nvim) => {
  test('lists the turns, at the one of the cursor, and leads to them', async () => {
    const front = await startFront(nvim, { columns: 120 })
    await openWith(front, TEXT)
    await front.nvim.type('gg]]]]gO')
    const screen = await front.nvim.waitForScreen(/You: second question/)
    expect(screen).toMatch(/gpu:qwen3:32b: Look:/)
    await front.nvim.waitForLua("return vim.bo.filetype == 'qf' and vim.fn.line('.') == 3")
    await front.nvim.type('G<CR>')
    await front.nvim.waitForLua(
      `return vim.api.nvim_get_current_win() == ${CHAT}.windows.transcript
         and vim.api.nvim_get_current_line():find('14:03:01', 1, true)`,
    )
  })
})
