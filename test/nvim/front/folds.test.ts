import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

const FOOTER = '<!-- ◆ {"end":"done","tokens":{"answer":512},"ms":{"first":412}} -->'

const question = (text: string, second = '31') => `## ◆ You · 2026-11-20 14:02:${second}\n\n${text}\n\n`

const answer = (text: string, minute = '02') =>
  `## ◆ gpu:qwen3:32b · 2026-11-20 14:${minute}:32\n\n### ◆ thinking\n\nLet me see\n\n` +
  `### ◆ answer · thought for 12.345 s\n\n${text}\n\n${FOOTER}\n\n`

const TWO = question('Why does this deadlock?') + answer('The lock order.\nAll of it.') + question('And now?', '59')

async function openWith(front: Front, text: string): Promise<void> {
  await front.open()
  await front.perform(['render', 1, text])
  await front.nvim.lua(`vim.api.nvim_set_current_win(${CHAT}.windows.transcript)`)
}

/** Which rows begin a closed fold, from 1. */
const closedRows = (front: Front) =>
  front.nvim.lua<number[]>(
    `return vim.api.nvim_win_call(${CHAT}.windows.transcript, function()
       return vim.tbl_filter(function(row) return vim.fn.foldclosed(row) == row end, vim.fn.range(1, vim.fn.line('$')))
     end)`,
  )

describeWithNeovim('folds', (nvim) => {
  test('zM closes turns, each with its speaker, time, first words and length; zR opens all', async () => {
    const front = await startFront(nvim, { columns: 120 })
    await openWith(front, TWO)
    await front.nvim.waitForScreen(/▸ thought for 12 s/)
    expect(await closedRows(front)).toEqual([7, 16])
    await front.nvim.type('zM')
    const screen = await front.nvim.waitForScreen(/▎You · 14:02 {2}▸ Why does this deadlock\? · 3 lines/)
    expect(screen).toMatch(/▎gpu:qwen3:32b · 14:02 {2}▸ The lock order\. · 12 lines/)
    expect(screen).toMatch(/▎You · 14:02 {2}▸ And now\? · 3 lines/)
    await front.nvim.type('zR')
    await front.nvim.waitForScreen(/Let me see/)
    expect(await closedRows(front)).toEqual([])
  })

  test('first words give way where the window is narrow, and a failure stands for an answer without words', async () => {
    const front = await startFront(nvim, { columns: 80, rows: 24 })
    const failed = '## ◆ gpu:m · 2026-11-20 14:02:32\n\n### ◆ failed · SSH_LOST\n\nIt was lost.\n\n'
    await openWith(front, `${question('word '.repeat(20))}${failed}`)
    await front.nvim.type('zM')
    const screen = await front.nvim.waitForScreen(/▎You · 14:02 {2}▸ word [word ]*… · 3 lines *\n/)
    expect(screen).toMatch(/▎gpu:m · 14:02 {2}▸ failed · .*· 5 lines/)
    await front.perform(['render', 1, answer('All of it.').replace('gpu:qwen3:32b', 'gpu:a-longer-name')])
    await front.nvim.type('zM')
    await front.nvim.waitForScreen(/▎gpu:a-longer-name · 14:02 {2}▸ All of it\. *\n/)
  })

  test('za, zc, zo and zj work on turns and on what is in them', async () => {
    const front = await startFront(nvim)
    await openWith(front, TWO)
    await front.nvim.type('ggza')
    await front.nvim.waitForScreen(/deadlock\? · 3 lines/)
    expect(await closedRows(front)).toEqual([1, 7, 16])
    await front.nvim.type('zjzj')
    await front.nvim.waitForLua("return vim.fn.line('.') == 7")
    await front.nvim.type('zo')
    await front.nvim.waitForScreen(/Let me see/)
    await front.nvim.type('10Gzc')
    await front.nvim.waitForScreen(/▸ thought for 12 s/)
    await front.nvim.type('zc')
    await front.nvim.waitForScreen(/▸ The lock ord/)
  })

  test('a turn that is closed while its answer comes stays closed and grows; the phase stays in sight', async () => {
    const front = await startFront(nvim)
    await openWith(front, question('Go on'))
    await front.perform(
      ['state', 1, { phase: 'writing' }],
      ['append', 1, '## ◆ gpu:qwen3:32b · 2026-11-20 14:02:32\n\nIt be'],
    )
    await front.nvim.type('G[[zc')
    await front.nvim.waitForScreen(/▸ It be · 2 lines/)
    await front.perform(['append', 1, 'gins\n'], ['append', 1, '\nand'], ['append', 1, ' goes\non\n'])
    const screen = await front.nvim.waitForScreen(/▸ It begins · 5 lines/)
    expect(screen).toMatch(/▸ It begins · 5 lines *\n.*writing/)
    await front.perform(['append', 1, `\n${FOOTER}\n\n`], ['append', 1, question('next', '59')])
    await front.nvim.waitForScreen(/▸ It begins · 8 lines *\n.*▎You/)
    await front.nvim.type('zo')
    await front.nvim.waitForScreen(/It begins[\s\S]*goes[\s\S]*512 tokens[\s\S]*next/)
  })

  test('what was opened and closed stays so when the transcript is written anew, and when the chat is hidden', async () => {
    const front = await startFront(nvim)
    await openWith(front, TWO + answer('Later.', '03'))
    await front.nvim.type('ggzc7Gzo')
    await front.nvim.waitForScreen(/deadlock\? · 3 lines[\s\S]*Let me see/)
    const before = await closedRows(front)
    expect(before).toEqual([1, 16, 24, 32])
    await front.perform(['render', 1, `${TWO}${answer('Another.', '04')}`])
    expect(await closedRows(front)).toEqual(before)
    await front.nvim.type(' ot')
    await front.nvim.waitForLua(`return not ${CHAT}.windows.transcript`)
    await front.nvim.type(' ot')
    await front.nvim.waitForScreen(/deadlock\? · 3 lines[\s\S]*Let me see/)
    expect(await closedRows(front)).toEqual(before)
    await front.perform(['render', 1, question('Something else', '44') + TWO])
    expect(await closedRows(front)).toEqual([5, 20])
  })

  test('a selection in the transcript is left alone while an answer comes', async () => {
    const front = await startFront(nvim)
    await openWith(front, question('Go on'))
    await front.perform(['append', 1, '## ◆ gpu:qwen3:32b · 2026-11-20 14:02:32\n\nIt be'])
    await front.nvim.type('ggVj')
    await front.perform(['append', 1, 'gins\nto\n'])
    expect(await front.nvim.lua('return { vim.fn.mode(), vim.fn.line("v"), vim.fn.line(".") }')).toEqual(['V', 1, 2])
    await front.nvim.type('<Esc>')
    await front.perform(['append', 1, 'go\n'])
    await front.nvim.type('G[[zc')
    await front.nvim.waitForScreen(/▸ It begins · 4 lines/)
  })

  test('a way of folding that a script sets for the filetype gives way', async () => {
    const front = await startFront(nvim, {
      init: `vim.api.nvim_create_autocmd('FileType', {
        callback = function()
          vim.cmd("setlocal foldmethod=expr foldexpr=v:lnum>3?'>1':0 foldlevel=99")
        end,
      })`,
    })
    await openWith(front, TWO)
    await front.nvim.waitForScreen(/▸ thought for 12 s/)
    expect(await closedRows(front)).toEqual([7, 16])
    expect(await front.nvim.lua('return vim.wo.foldmethod')).toBe('manual')
  })

  test('headings stay as they are drawn when a renderer of Markdown draws over them', async () => {
    const front = await startFront(nvim)
    await openWith(front, TWO)
    await front.nvim.lua(`
      local theirs = vim.api.nvim_create_namespace('renderer')
      for _, row in ipairs({ 0, 2 }) do
        vim.api.nvim_buf_set_extmark(0, theirs, row, 0, { end_col = 2, virt_text = { { '## icon', 'Title' } },
          virt_text_pos = 'overlay' })
        vim.api.nvim_buf_set_extmark(0, theirs, row, 0, { end_row = row + 1, hl_group = 'DiffAdd', hl_eol = true })
      end
      vim.wo.conceallevel = 3`)
    const screen = await front.nvim.waitForScreen(/▎## icons this/)
    expect(screen).toMatch(/▎You · 14:02 *\n/)
  })
})
