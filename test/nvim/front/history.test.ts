import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

const AT = '2026-11-20 14:02:31'
const filler = Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n')

/** A chat whose third turn has variants. */
function transcript(index: number, answer: string, more = ''): string {
  return `## ◆ You · ${AT}\n\n${filler}\n\n## ◆ You · ${AT}\n\nwhy\n\n## ◆ gpu:m · ${AT} · ‹${index}/3›\n\n${answer}\n\n${more}`
}

const answers = ['one\nsame\n', 'two\nsame\n', `three\n${filler}\n`]
const script = {
  variants: {
    shown: 2,
    texts: answers.map((answer, index) => transcript(index + 1, answer)),
    found: { shown: 2, variants: answers.map((text, index) => ({ text, name: `gpu:m${index + 1}`, at: AT })) },
  },
}

/** The cursor is left in the last line of the transcript's last turn. */
async function begin(nvim: Parameters<typeof startFront>[0], more = {}, init = ''): Promise<Front> {
  const front = await startFront(nvim, { script: { ...script, ...more }, init })
  await front.open()
  await front.perform(['render', 1, transcript(2, answers[1] as string)])
  await front.nvim.type('<C-w>kG')
  return front
}

/** The line under the cursor, and the first line of the window. */
function place(front: Front): Promise<[string, number]> {
  return front.nvim.lua("return { vim.api.nvim_get_current_line(), vim.fn.line('w0') }")
}

async function until(front: Front, condition: string): Promise<void> {
  await front.nvim.waitForLua(`return ${condition}`)
}

describeWithNeovim('the history', (nvim) => {
  test('[v and ]v go through the variants of the turn, with counts; the cursor is on its heading, the view kept', async () => {
    const front = await begin(nvim)
    await front.nvim.type('k')
    const [, top] = await place(front)
    await front.nvim.type(']v')
    await front.nvim.waitForScreen(/Version 3 of 3 of this turn/)
    expect(await place(front)).toEqual([`## ◆ gpu:m · ${AT} · ‹3/3›`, top])
    await front.nvim.type('2[v')
    await front.nvim.waitForScreen(/Version 1 of 3 of this turn/)
    expect(await place(front)).toEqual([`## ◆ gpu:m · ${AT} · ‹1/3›`, top])
    expect(await front.requests('chat.variant')).toEqual([
      { chat: 1, turn: 3, seen: `## ◆ gpu:m · ${AT} · ‹2/3›`, by: 1 },
      { chat: 1, turn: 3, seen: `## ◆ gpu:m · ${AT} · ‹3/3›`, by: -2 },
    ])
  })

  test('a turn without variants says so, and nothing moves', async () => {
    const front = await begin(nvim)
    await front.nvim.type('gg')
    for (const key of ['[v', ']v', 'gD']) {
      await front.nvim.type(key)
      await front.nvim.waitForScreen(/There is no other version of this turn/)
      await front.nvim.type(':<CR>')
    }
    expect([await front.requests('chat.variant'), await front.requests('chat.variants')]).toEqual([[], []])
    expect((await place(front))[0]).toBe(`## ◆ You · ${AT}`)
    expect(await front.nvim.messages()).toBe('')
  })

  test('gD compares with the variant before in a tab page of its own, and q comes back', async () => {
    const front = await begin(nvim)
    await front.nvim.type('gD')
    await until(front, '#vim.api.nvim_list_tabpages() == 2 and #vim.api.nvim_tabpage_list_wins(0) == 2')
    await front.nvim.waitForScreen((screen) => /‹1\/3› gpu:m1 · 2026/.test(screen) && /‹2\/3› gpu:m2/.test(screen))
    const halves = await front.nvim.lua(
      `return vim.tbl_map(function(window)
         local buffer = vim.api.nvim_win_get_buf(window)
         return { vim.wo[window].diff, vim.wo[window].winfixbuf, vim.wo[window].statuscolumn, vim.bo[buffer].modifiable,
           vim.api.nvim_buf_get_lines(buffer, 0, 1, false)[1] }
       end, vim.api.nvim_tabpage_list_wins(0))`,
    )
    expect(halves).toEqual([
      [true, false, '', false, 'one'],
      [true, false, '', false, 'two'],
    ])
    await front.nvim.type('q')
    await until(
      front,
      `#vim.api.nvim_list_tabpages() == 1 and vim.api.nvim_get_current_win() == ${CHAT}.windows.transcript`,
    )
    expect(await front.nvim.lua("return vim.fn.bufnr('ollama-diff') ")).toBe(-1)
    expect(await front.nvim.messages()).toBe('')
  })

  test('a count names the other one, and one that there is not is asked for', async () => {
    const front = await begin(nvim, {})
    await front.nvim.type('3gD')
    await front.nvim.waitForScreen(/‹3\/3› gpu:m3/)
    await front.nvim.type('<C-w>hq')
    await until(front, '#vim.api.nvim_list_tabpages() == 1')
    await front.nvim.type('2gD')
    await front.nvim.waitForScreen(/Compare version 2 with/)
    await front.nvim.type('1<CR>')
    await front.nvim.waitForScreen(/‹1\/3› gpu:m1/)
  })

  test('dd on a heading asks, and takes the turn out', async () => {
    const front = await begin(nvim)
    await front.nvim.type('[[dd')
    await front.nvim.waitForScreen(/Take turn 3 out\? gpu:m · ‹2\/3›: two/)
    await front.nvim.type('1<CR>:<CR>')
    await front.nvim.waitForScreen((screen) => !/Take turn 3 out/.test(screen))
    await front.nvim.type('dd')
    await front.nvim.waitForScreen(/Take turn 3 out/)
    await front.nvim.type('2<CR>')
    await front.waitForRequests('chat.delete', 1)
    expect(await front.requests('chat.delete')).toEqual([{ chat: 1, turn: 3, seen: `## ◆ gpu:m · ${AT} · ‹2/3›` }])
    await front.nvim.waitForScreen(/u in the transcript brings it back/)
  })

  test('the question names a turn by the first words of its answer, not of its thinking', async () => {
    const front = await startFront(nvim)
    await front.open()
    const model =
      '## ◆ gpu:m · 2026-11-20 14:02:32\n\n### ◆ thinking\n\nhm hm\n\n### ◆ answer · thought for 2 s\n\nso it is\n\n'
    await front.perform(['render', 1, `## ◆ You · 2026-11-20 14:02:31\n\nwhy\n\n${model}`])
    await front.nvim.type(':Ollama delete-turn 2<CR>')
    await front.nvim.waitForScreen(/Take turn 2 out\? gpu:m: so it is/)
  })

  test('what comes of a chat that has ended meanwhile brings none of it back', async () => {
    const select = 'vim.ui.select = function(items, _, on_choice) _G.answer = function() on_choice(items[2], 2) end end'
    const front = await begin(nvim, { hold: ['chat.take', 'chat.close'] }, select)
    await front.nvim.type('[[dd')
    await until(front, '_G.answer ~= nil')
    await front.nvim.type('ge')
    await front.waitForRequests('chat.take')
    await front.nvim.type(' oc')
    await front.waitForRequests('chat.close')
    await front.tellHost('fake.release', { method: 'chat.take' })
    await front.tellHost('fake.release', { method: 'chat.close' })
    await until(front, "vim.fn.bufnr('ollama-prompt://1') == -1")
    await front.nvim.lua('_G.answer()')
    await front.nvim.waitForScreen(/The chat has changed meanwhile, so the turn stays/)
    expect(await front.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(1)
    expect(await front.requests('chat.delete')).toEqual([])
  })

  test('a turn is not told by its number before all are there', async () => {
    const front = await begin(nvim)
    await front.nvim.lua(`${CHAT}.drawing = { places = {} }`)
    await front.nvim.type(':Ollama delete-turn 2<CR>')
    await front.nvim.waitForScreen(/The transcript is not whole yet: a moment/)
  })

  test('dd elsewhere says what it does, and the command takes a number', async () => {
    const front = await begin(nvim)
    await front.nvim.type('dd')
    await front.nvim.waitForScreen(/On the heading of a turn, dd takes that turn out/)
    await front.nvim.type(':Ollama delete-turn 2<CR>')
    await front.nvim.waitForScreen(/Take turn 2 out\? You: why/)
    await front.nvim.type('2<CR>')
    await front.waitForRequests('chat.delete', 1)
    expect(await front.requests('chat.delete')).toEqual([{ chat: 1, turn: 2, seen: `## ◆ You · ${AT}` }])
    await front.nvim.type(':Ollama delete-turn 9<CR>')
    await front.nvim.waitForScreen(/There is no turn 9/)
  })

  test('a turn that became another one while it was asked for stays', async () => {
    const front = await begin(nvim)
    await front.nvim.lua(
      'vim.ui.select = function(items, _, callback) _G.answer = function() callback(items[2], 2) end end',
    )
    await front.nvim.type('[[dd')
    await until(front, '_G.answer ~= nil')
    await front.perform(['render', 1, transcript(1, answers[0] as string)])
    await front.nvim.lua('_G.answer()')
    await front.nvim.waitForScreen(/The chat has changed meanwhile/)
    expect(await front.requests('chat.delete')).toEqual([])
  })

  test('u and <C-r> take counts and tell which version is shown', async () => {
    const front = await begin(nvim)
    await front.nvim.type('3u')
    await front.nvim.waitForScreen(/Version 2 of 3/)
    await front.nvim.type('2<C-r>')
    await front.waitForRequests('chat.step', 2)
    expect(await front.requests('chat.step')).toEqual([
      { chat: 1, by: -3 },
      { chat: 1, by: 2 },
    ])
  })

  test('while the transcript is not whole, its turns have no numbers', async () => {
    const front = await begin(nvim)
    await front.perform(['render', 1, transcript(2, answers[1] as string), 9])
    for (const key of ['ge', 'dd', ']v']) {
      await front.nvim.type(`G${key}`)
      await front.nvim.waitForScreen(/The transcript is not whole yet/)
      await front.nvim.type(':<CR>')
      await front.nvim.waitForScreen((screen) => !screen.includes('not whole yet'))
    }
    expect(await front.requests('chat.take')).toEqual([])
    expect(await front.requests('chat.variant')).toEqual([])
  })

  test('while a turn is edited, the history waits', async () => {
    const front = await begin(nvim)
    await front.nvim.type('[[[[ge')
    await front.nvim.waitForScreen(/editing turn 2/)
    await front.nvim.type('<C-w>kG')
    for (const key of ['u', ']v', 'ge', '[[dd']) {
      await front.nvim.type(key)
      await front.nvim.waitForScreen(/A turn is being edited in the prompt/)
      await front.nvim.type(':<CR>')
    }
    expect(await front.requests('chat.step')).toEqual([])
  })
})
