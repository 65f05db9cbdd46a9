// What stands in the prompt is told to the host while it is written, and comes back from what was left over.
import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

/** As in lua/ollama-remote/chat/draft.lua. */
const TELL_AFTER_MS = 200

interface Draft {
  chat: number
  text: string
  editing?: number
  aside?: string
}

/** Resolves when the host was told of such a draft last. */
async function told(front: Front, text: string): Promise<Draft> {
  await front.nvim.waitForLua(
    `local last
     for _, row in ipairs(_G.fake_requests or {}) do
       last = row[1] == 'chat.draft' and row[2].text or last
     end
     return last == ...`,
    text,
  )
  return (await front.requests<Draft>('chat.draft')).at(-1) as Draft
}

describeWithNeovim('a draft', (nvim) => {
  test('is told soon after it is written, and not with every key', async () => {
    const front = await startFront(nvim)
    await front.open()
    const text = 'a prompt that is typed fast, key by key'
    const began = performance.now()
    await front.nvim.type('i')
    for (const key of text) await front.nvim.type(key.replace(' ', '<Space>'))
    expect(await told(front, text)).toEqual({ chat: 1, text })
    // A slow machine is given longer, and is told of more often for that.
    const pauses = (performance.now() - began) / TELL_AFTER_MS
    expect((await front.requests('chat.draft')).length).toBeLessThanOrEqual(pauses + 1)
    await front.nvim.lua(`vim.api.nvim_buf_set_lines(${CHAT}.buffers.prompt, 0, -1, false, { 'by a plugin' })`)
    await told(front, 'by a plugin')
    const before = (await front.requests('chat.draft')).length
    await front.nvim.type('<Esc> ot ot')
    await front.nvim.waitForLua(`return ${CHAT}.windows.prompt and vim.api.nvim_win_is_valid(${CHAT}.windows.prompt)`)
    expect(await front.requests('chat.draft')).toHaveLength(before)
  })

  test('that is sent is none any more, and an edit has what it put aside with it', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('one')
    await front.waitForEnd()
    await told(front, '')
    await front.nvim.type('iput aside<Esc><C-w>kgg')
    await told(front, 'put aside')
    await front.nvim.type('ge')
    expect(await told(front, 'one')).toEqual({ chat: 1, text: 'one', editing: 1, aside: 'put aside' })
  })

  test('has with it at once what comes back while a turn is edited', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('one')
    await front.waitForEnd()
    await front.nvim.type('<C-w>kggge')
    await told(front, 'one')
    await front.nvim.lua(`
      local chat = ${CHAT}
      require('ollama-remote.chat.prompt').give_back(chat, { text = 'it came back' })
      require('ollama-remote.chat.draft').returned(chat)`)
    await front.nvim.waitForLua(
      `local last = (_G.fake_requests or {})[#(_G.fake_requests or {})]
       return last[1] == 'chat.draft' and last[2].aside == 'it came back' and last[2].text == 'one'`,
    )
  })

  test('that is written while no host runs has one started', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.tellHost('fake.do', { steps: [['exit', 1]] })
    await front.nvim.waitForLua("return not require('ollama-remote.rpc').is_running()")
    await front.nvim.type('iafter it<Esc>')
    expect(await told(front, 'after it')).toEqual({ chat: 1, text: 'after it' })
  })
})

describeWithNeovim('a chat that is ended while no host runs', (nvim) => {
  test('is ended by the next host, lest it be left over', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.tellHost('fake.do', { steps: [['exit', 1]] })
    await front.nvim.waitForLua("return not require('ollama-remote.rpc').is_running()")
    await front.nvim.type(' oc')
    await front.waitForRequests('chat.close')
    expect(await front.requests('chat.open')).toMatchObject([{ chat: 1 }, { chat: 1, key: 'key-1' }])
    await front.nvim.waitForLua("return vim.fn.bufnr('ollama-prompt://1') == -1")
  })
})

describeWithNeovim('what was left over', (nvim) => {
  const row = { key: 'k', title: 'locks', model: 'gpu:m', turns: 2, last: 'and then?', changed: Date.now() - 7_300_000 }
  const transcript = '## ◆ You · 2026-11-20 14:02:31\n\nWhy?\n\n'

  test('is told of once, listed, and gone on with', async () => {
    const left = [{ ...row, transcript, draft: { text: 'and then?' } }]
    const front = await startFront(nvim, { script: { left } })
    await front.open()
    await front.nvim.waitForScreen(/1 chat was left over by a Neovim that ended: :Ollama recover/)
    await front.nvim.command('Ollama recover')
    await front.nvim.waitForScreen(/locks +2 hours ago +2 turns +gpu:m +and then\?/)
    await front.nvim.type('1<CR>')
    await front.nvim.waitForScreen(/Why\?/)
    expect(await front.requests('chat.recover')).toEqual([{ chat: 2, key: 'k' }])
    // The transcript is shown before the host has told all that belongs to it.
    await front.nvim.waitForLua(`return ${CHAT}.key == 'key-2'`)
    await expect.poll(() => front.promptText()).toBe('and then?')
    // It was there before anything was done here: nothing can be undone.
    await front.nvim.type('u')
    await front.nvim.waitForScreen(/oldest change/)
    expect(await front.promptText()).toBe('and then?')
    await told(front, 'and then?')
    await front.send(' Or not')
    await front.waitForEnd()
  })

  test('in the middle of an edit, is in the middle of it', async () => {
    const left = [{ ...row, transcript, draft: { text: 'Why not?', editing: 1, aside: 'aside' } }]
    const front = await startFront(nvim, {
      script: { left },
      init: 'vim.ui.select = function(items, _, on_choice) on_choice(items[1]) end',
    })
    await front.nvim.command('Ollama recover')
    await front.nvim.waitForLua(`return ${CHAT} and ${CHAT}.editing`)
    expect(await front.promptText()).toBe('Why not?')
    await front.nvim.type('<C-c>')
    await front.nvim.waitForLua(`return not ${CHAT}.editing`)
    expect(await front.promptText()).toBe('aside')
  })

  test('goes to the trash when that is confirmed, and in no other way', async () => {
    const front = await startFront(nvim, { script: { left: [{ ...row, transcript }] } })
    await front.nvim.command('Ollama recover!')
    await front.nvim.waitForScreen(/left over to the trash/)
    for (const answer of ['<Esc>', 'q<CR>', '1<CR>']) {
      await front.nvim.type('1<CR>')
      await front.nvim.waitForScreen(/Move "locks" to the trash\?/)
      await front.nvim.type(answer)
      expect(await front.requests('left.drop')).toEqual([])
      await front.nvim.command('Ollama recover!')
      await front.nvim.waitForScreen(/left over to the trash/)
    }
    await front.nvim.type('1<CR>')
    await front.nvim.waitForScreen(/Move "locks" to the trash\?/)
    await front.nvim.type('2<CR>')
    await front.nvim.waitForScreen(/:Ollama undo-clear brings it back/)
    expect(await front.requests('left.drop')).toEqual([{ key: 'k' }])
    expect(await front.requests('chat.recover')).toEqual([])
  })

  test('is nothing to speak of when there is nothing', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.command('Ollama recover')
    await front.nvim.waitForScreen(/No chat was left over/)
  })
})
