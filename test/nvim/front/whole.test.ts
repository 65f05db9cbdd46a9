import { expect, test } from 'vitest'
import { render } from '../../../src/chat/transcript/format.ts'
import { slicesFromEnd } from '../../../src/chat/transcript/slices.ts'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, type Step, startFront } from './front.ts'

const AT = '2026-11-20 14:02:31'

/** Turns of some lines each; the last answer is much longer than a piece. */
const TURNS = Array.from({ length: 12 }, (_, index) =>
  index % 2 === 0
    ? { role: 'user' as const, text: `Question ${index}`, at: AT }
    : {
        role: 'assistant' as const,
        model: 'gpu:qwen3:32b',
        thinking: 'Let me\nsee.',
        thinkingMs: 1_000,
        text: Array.from({ length: index === 11 ? 120 : 6 }, (_, row) => `answer ${index}, line ${row}`).join('\n'),
        at: AT,
        end: 'done' as const,
      },
)
const TEXT = render({ turns: TURNS })
const HEAD = render({ turns: TURNS.slice(0, 8) })
const OTHER = HEAD + render({ turns: [TURNS[9], TURNS[8], TURNS[9]].flatMap((turn) => turn ?? []) })
const lines = (text: string) => text.split('\n').length

function steps(): Step[] {
  return [...slicesFromEnd(TEXT, 600)].map(({ text, above }, index) => [
    index === 0 ? 'render' : 'prepend',
    1,
    text,
    above,
  ])
}

/** What decoration, folds and highlighting made of the transcript. */
function drawn(front: Front): Promise<unknown> {
  return front.nvim.lua(`
    local chat = ${CHAT}
    local buffer = chat.buffers.transcript
    local space = vim.api.nvim_get_namespaces()['ollama-remote.transcript.decoration']
    return vim.api.nvim_win_call(chat.windows.transcript, function()
      local rows = {}
      for row = 1, vim.api.nvim_buf_line_count(buffer) do
        rows[row] = { vim.fn.foldlevel(row), vim.fn.foldclosed(row), vim.fn.foldclosedend(row) }
      end
      local marks = vim.tbl_map(function(mark)
        return { mark[2], mark[4].end_col }
      end, vim.api.nvim_buf_get_extmarks(buffer, space, 0, -1, { details = true }))
      local outline = vim.deepcopy(chat.outline)
      return { rows = rows, marks = marks, outline = outline }
    end)`)
}

const lineUnderCursor = (front: Front) =>
  front.nvim.lua<string>(
    `local window = ${CHAT}.windows.transcript
     return vim.api.nvim_buf_get_lines(${CHAT}.buffers.transcript, vim.api.nvim_win_get_cursor(window)[1] - 1, -1, false)[1]`,
  )

describeWithNeovim('a transcript that comes in pieces', (nvim) => {
  test('is in the end what it is when it comes at once, and is seen from its end at the first', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, TEXT])
    const atOnce = await drawn(front)
    const [first, ...others] = steps()
    expect(others.length).toBeGreaterThan(4)
    await front.perform(['render', 1, ''], first as Step)
    await front.nvim.waitForScreen(/answer 11, line 119/)
    await front.perform(...others)
    expect((await front.lines('transcript')).join('\n')).toBe(TEXT)
    expect(await drawn(front)).toEqual(atOnce)
    await front.nvim.waitForScreen(/answer 11, line 119/)
    await front.perform(['append', 1, 'and more\n'])
    await front.nvim.waitForScreen(/and more/)
    expect(await front.nvim.messages()).toBe('')
  })

  test('leaves who reads in it where he was, and who moves meanwhile where he went', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, TEXT])
    await front.nvim.type('<C-w>k/answer 3, line 2<CR>zt')
    expect(await lineUnderCursor(front)).toBe('answer 3, line 2')
    const top = await front.nvim.lua('return vim.fn.line("w0")')
    await front.perform(...steps())
    expect(await lineUnderCursor(front)).toBe('answer 3, line 2')
    expect(await front.nvim.lua('return vim.fn.line("w0")')).toBe(top)
    const [first, ...others] = steps()
    await front.perform(first as Step)
    await front.nvim.type('?answer 11, line 110<CR>zt')
    await front.perform(...others)
    expect(await lineUnderCursor(front)).toBe('answer 11, line 110')
    await front.nvim.waitForLua('return vim.fn.getline(vim.fn.line("w0")) == "answer 11, line 110"')
  })

  test('a piece of what was replaced is dropped, and so is one for a buffer that was wiped', async () => {
    const front = await startFront(nvim)
    await front.open()
    const [first, second] = steps()
    await front.perform(first as Step, ['render', 1, 'something else\n'], second as Step)
    expect(await front.lines('transcript')).toEqual(['something else', ''])
    await front.perform(first as Step)
    await front.nvim.command(`execute 'bwipeout!' luaeval("${CHAT}.buffers.transcript")`)
    await front.perform(second as Step)
    expect(await front.nvim.messages()).toBe('')
  })

  test('a host that dies meanwhile is not succeeded by one that takes the piece for the whole', async () => {
    const front = await startFront(nvim)
    await front.open()
    const [first] = steps()
    await front.perform(first as Step)
    await front.nvim.command('Ollama restart')
    const [, again] = await front.waitForRequests<{ transcript?: string }>('chat.open', 2)
    expect(again?.transcript).toBeUndefined()
  })
})

describeWithNeovim('a transcript that is amended', (nvim) => {
  const amending: Step = ['amend', 1, OTHER.slice(HEAD.length), lines(HEAD) - 1, lines(TEXT)]

  test('is in the end what it is when it comes at once', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, OTHER])
    const atOnce = await drawn(front)
    await front.perform(['render', 1, ''], ['render', 1, TEXT], amending)
    expect((await front.lines('transcript')).join('\n')).toBe(OTHER)
    expect(await drawn(front)).toEqual(atOnce)
    await front.perform(['append', 1, 'and more\n'])
    await front.nvim.waitForScreen(/and more/)
    await front.perform(['amend', 1, '', lines(HEAD) - 1, lines(OTHER) + 1])
    const cut = await drawn(front)
    await front.perform(['render', 1, ''], ['render', 1, HEAD])
    expect(cut).toEqual(await drawn(front))
    expect(await front.nvim.messages()).toBe('')
  })

  test('leaves who reads above where he was, what he has opened and closed, and who reads at the end there', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, TEXT])
    await front.nvim.type('<C-w>k/Question 8<CR>kzc/answer 3, line 2<CR>zt')
    const top = await front.nvim.lua('return vim.fn.line("w0")')
    await front.perform(amending)
    expect(await lineUnderCursor(front)).toBe('answer 3, line 2')
    expect(await front.nvim.lua('return vim.fn.line("w0")')).toBe(top)
    expect(await front.nvim.lua(`return vim.fn.foldclosed(vim.fn.search('Question 8', 'n')) > 0`)).toBe(true)
    await front.nvim.type('Gzb')
    await front.perform(['amend', 1, TEXT.slice(HEAD.length), lines(HEAD) - 1, lines(OTHER)])
    expect(await front.cursor('transcript')).toEqual([lines(TEXT), 0])
    await front.nvim.waitForScreen(/answer 11, line 119/)
  })

  test('stays as it is when it is not what the host takes it for', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.perform(['render', 1, `${TEXT}more\n`], amending)
    expect((await front.lines('transcript')).join('\n')).toBe(`${TEXT}more\n`)
  })
})
