import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

async function chatWithTurns(front: Front, ...prompts: string[]): Promise<void> {
  await front.open()
  for (const [index, prompt] of prompts.entries()) {
    await front.send(prompt)
    await front.waitForRequests('chat.send', index + 1)
    await front.nvim.waitForLua(
      `local text = require('ollama-remote.transcript').text(${CHAT})
       return select(2, text:gsub('<!%-%- ◆', '')) == ... and ${CHAT}.state.phase == 'idle'`,
      index + 1,
    )
  }
  await front.nvim.type('<C-w>k')
}

describeWithNeovim('turns', (nvim) => {
  test(']] and [[ go from turn to turn, with counts, and stop at the ends', async () => {
    const front = await startFront(nvim)
    await chatWithTurns(front, 'one', 'two')
    const headings = (await front.lines('transcript')).flatMap((line, index) =>
      line.startsWith('## ◆') ? [index + 1] : [],
    )
    expect(headings).toHaveLength(4)
    const line = async (keys: string) => {
      await front.nvim.type(keys)
      await front.nvim.lua('return 1')
      return (await front.cursor('transcript'))[0]
    }
    expect(await line('gg]]')).toBe(headings[1])
    expect(await line(']]')).toBe(headings[2])
    expect(await line('2[[')).toBe(headings[0])
    expect(await line('[[')).toBe(headings[0])
    expect(await line('9]]')).toBe(headings[3])
  })

  test('ge takes the turn under the cursor; <CR> replaces it, and the draft comes back', async () => {
    const front = await startFront(nvim)
    await chatWithTurns(front, 'one', 'two')
    await front.nvim.type('ia draft<Esc><C-w>kG[[[[ge')
    await front.nvim.waitForScreen(/editing turn 3 · <CR> replaces/)
    const seen = await front.nvim.lua<string>(`return ${CHAT}.outline.turns[3].heading`)
    expect(seen).toMatch(/^## ◆ You · /)
    expect(await front.requests('chat.take')).toEqual([{ chat: 1, turn: 3, seen }])
    expect(await front.promptText()).toBe('two')
    await front.nvim.type('A better<Esc><CR>')
    await front.waitForRequests('chat.send', 3)
    expect((await front.requests('chat.send')).at(-1)).toEqual({ chat: 1, text: 'two better', replaces: 3, seen })
    expect(await front.promptText()).toBe('a draft')
    await front.nvim.waitForScreen((screen) => /two better/.test(screen) && !/editing turn/.test(screen))
  })

  test('<C-c> gives an edit up, and gives the draft back', async () => {
    const front = await startFront(nvim)
    await chatWithTurns(front, 'one')
    await front.nvim.type('ia draft<Esc><C-w>kgg]]ge')
    await front.nvim.waitForScreen(/editing turn 2/)
    expect(await front.promptText()).toBe('You said: one. It is **well** said.')
    await front.nvim.type('<C-c>')
    await front.nvim.waitForScreen(/<CR> send/)
    expect(await front.promptText()).toBe('a draft')
    expect(await front.requests('chat.stop')).toEqual([])
  })

  test('an edit that could not be sent is an edit again', async () => {
    const refusal = { code: 'CHAT_BUSY', message: 'Not now' }
    const front = await startFront(nvim, { script: { fail: { 'chat.send': refusal } } })
    await front.open()
    await front.perform(['render', 1, '## ◆ You · 2026-11-20 14:02:31\n\none\n\n'])
    await front.nvim.type('<C-w>kggge')
    await front.nvim.waitForScreen(/editing turn 1/)
    await front.nvim.type('A more<Esc><CR>')
    await front.nvim.waitForScreen(/Not now/)
    expect(await front.promptText()).toBe('one more')
    await front.nvim.waitForScreen(/editing turn 1/)
  })

  test('an edit whose turn is another one by now is a prompt as any, before the draft', async () => {
    const refusal = { code: 'CHAT_NO_TURN', message: 'Turn 1 is another one by now', hint: 'Nothing was done.' }
    const front = await startFront(nvim, { script: { fail: { 'chat.send': refusal } } })
    await front.open()
    await front.perform(['render', 1, '## ◆ You · 2026-11-20 14:02:31\n\none\n\n'])
    await front.nvim.type('ia draft<Esc><C-w>kggge')
    await front.nvim.waitForScreen(/editing turn 1/)
    await front.nvim.type('A more<Esc><CR>')
    await front.nvim.waitForScreen(/Turn 1 is another one by now/)
    expect(await front.promptText()).toBe('one more\n\na draft')
    expect(await front.nvim.lua(`return ${CHAT}.editing == nil`)).toBe(true)
  })

  test('before the first turn there is nothing to take, which is said quietly', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('<C-w>kge')
    await front.nvim.waitForScreen(/No turn is here/)
    expect(await front.nvim.messages()).toBe('')
  })

  test('gy yanks the block under the cursor, or the nearest above in the turn, nested fences and all', async () => {
    const front = await startFront(nvim)
    await chatWithTurns(front, 'show code')
    const yank = async (search: string) => {
      await front.nvim.lua('vim.fn.setreg([["]], "")')
      await front.nvim.type(`gg/${search}<CR>gy`)
      await front.nvim.waitForLua('return vim.fn.getreg([["]]) ~= ""')
      return front.nvim.lua('return vim.fn.getreg([["]])')
    }
    expect(await yank('print')).toBe('local a = 1\nprint(a)\n')
    expect(await yank('^and')).toBe('local a = 1\nprint(a)\n')
    expect(await yank('inner')).toBe('```lua\ninner()\n```\n')
    expect(await yank('That is')).toBe('```lua\ninner()\n```\n')
    await front.nvim.type('gg"agy')
    await front.nvim.waitForScreen(/No code block here/)
    await front.nvim.type('/print<CR>"agy')
    await front.nvim.waitForLua("return vim.fn.getreg('a') == 'local a = 1\\nprint(a)\\n'")
  })

  test('u and <C-r> step through versions; i, a and o go to the prompt', async () => {
    const front = await startFront(nvim)
    await chatWithTurns(front, 'one')
    await front.nvim.type('u<C-r>')
    await front.waitForRequests('chat.step', 2)
    expect(await front.requests('chat.step')).toEqual([
      { chat: 1, by: -1 },
      { chat: 1, by: 1 },
    ])
    for (const key of ['i', 'a', 'o']) {
      await front.nvim.type(`${key}${key}<Esc><C-w>k`)
    }
    await front.nvim.waitForLua(`return vim.api.nvim_get_current_win() == ${CHAT}.windows.transcript`)
    expect(await front.promptText()).toBe('iao')
  })

  test('a prompt that comes back during an edit waits in the draft', async () => {
    const front = await startFront(nvim)
    await chatWithTurns(front, 'one')
    await front.nvim.type('ia draft<Esc><C-w>kgg]]ge')
    await front.nvim.waitForScreen(/editing turn 2/)
    await front.nvim.lua(`require('ollama-remote.chat.prompt').give_back(${CHAT}, { text = 'came back' })`)
    expect(await front.promptText()).toBe('You said: one. It is **well** said.')
    await front.nvim.type('<C-c>')
    await front.nvim.waitForScreen(/<CR> send/)
    expect(await front.promptText()).toBe('a draft\n\ncame back')
  })

  test('gr works in the prompt too, which it leaves as it is', async () => {
    const front = await startFront(nvim)
    await chatWithTurns(front, 'one')
    await front.nvim.type('<C-w>jia draft<Esc>gr')
    await front.waitForRequests('chat.again', 1)
    expect(await front.promptText()).toBe('a draft')
  })
})
