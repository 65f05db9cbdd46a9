// `:write` and its kin, which write and leave in one command.
import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, type FrontOptions, startFront } from './front.ts'

type Binary = Parameters<typeof startFront>[0]

async function withAnswer(nvim: Binary, options: FrontOptions = UNSAVED): Promise<Front> {
  const front = await startFront(nvim, options)
  await front.open()
  await front.send('why is it so?')
  await front.waitForEnd()
  return front
}

const UNSAVED = { script: { state: { unsaved: true, autosave: false } } }
const MODIFIED = `return vim.bo[${CHAT}.buffers.transcript].modified`
const WINDOWS = 'return #vim.api.nvim_tabpage_list_wins(0)'

describeWithNeovim('a chat without a name', (nvim) => {
  const isHidden = (front: Front) => front.nvim.waitForLua(`${WINDOWS} == 1`)

  test.each(['<C-w>k:wq<CR>', '<C-w>kZZ', '<C-w>k:x<CR>', 'ZZ', ':x<CR>', ':wq<CR>', '<C-w>k:w|q<CR>'])(
    'is saved under the one that it gets, and hidden, by %s',
    async (keys) => {
      const front = await withAnswer(nvim)
      await front.nvim.type(keys)
      await isHidden(front)
      expect(await front.waitForRequests('chat.save')).toEqual([{ chat: 1 }])
      await front.nvim.waitForLua("return vim.fn.execute('messages'):find('Saved in', 1, true)")
      expect(await front.nvim.lua(MODIFIED)).toBe(false)
      expect(await front.requests('chat.save')).toHaveLength(1)
    },
  )

  test('that is saved by itself is saved and hidden too, and asked for its name by :w alone', async () => {
    const front = await withAnswer(nvim, { script: { state: { unsaved: true, autosave: true } } })
    await front.nvim.type(':wq<CR>')
    await isHidden(front)
    expect(await front.waitForRequests('chat.save')).toEqual([{ chat: 1 }])
    await front.nvim.waitForLua(`return ${CHAT}.state.title == 'by itself'`)
    await front.nvim.type(' ot:w<CR>')
    await front.nvim.waitForScreen(/Save the chat as: by itself/)
    await front.nvim.type('<Esc>')
    await front.nvim.waitForScreen(/Not named: it is saved by itself/)
    expect(await front.requests('chat.save')).toHaveLength(1)
  })

  test('is asked for it once by :w, and unsaved as before when none is given', async () => {
    const front = await withAnswer(nvim)
    await front.nvim.type('<C-w>k:w<CR>')
    await front.nvim.waitForScreen(/Save the chat as: why is it so\?/)
    await front.nvim.type('<Esc>')
    await front.nvim.waitForScreen(/Not saved/)
    expect(await front.nvim.lua(MODIFIED)).toBe(true)
    await front.nvim.type(':w<CR>')
    await front.nvim.waitForScreen(/Save the chat as: why is it so\?/)
    await front.nvim.type('<CR>')
    await front.nvim.waitForLua(`return ${CHAT}.state.named`)
    await front.nvim.type(':w<CR>')
    await front.waitForRequests('chat.save', 2)
    expect(await front.requests('chat.save')).toEqual([{ chat: 1, name: 'why is it so?' }, { chat: 1 }])
  })

  test('that could not be saved is told of, and is unsaved and kept', async () => {
    const full = { code: 'STORE_FULL', message: 'The disk is full' }
    const script = { ...UNSAVED.script, fail: { 'chat.save': full } }
    const front = await withAnswer(nvim, { script })
    await front.nvim.type(':wq<CR>')
    await isHidden(front)
    await front.nvim.waitForLua("return vim.fn.execute('messages'):find('The disk is full', 1, true)")
    await front.nvim.waitForLua(MODIFIED)
    await front.nvim.type(':qa<CR>')
    await front.nvim.waitForScreen(/E37|E162/)
  })

  test('in which nothing stands is hidden, and there is nothing to save', async () => {
    const front = await startFront(nvim, UNSAVED)
    await front.open()
    await front.nvim.type(':wq<CR>')
    await isHidden(front)
    expect(await front.requests('chat.save')).toEqual([])
  })

  test.each(['ZZ', ':x<CR>'])('that is saved is only hidden by %s in the prompt', async (keys) => {
    const front = await withAnswer(nvim, { script: { state: { unsaved: false, autosave: false, title: 'Why' } } })
    await front.nvim.type(keys)
    await isHidden(front)
    expect(await front.requests('chat.save')).toEqual([])
  })

  test.each(['', '<C-w>k'])('keeps :q from ending Neovim (%j), which says why and what to do', async (keys) => {
    const front = await withAnswer(nvim)
    await front.nvim.type('<C-w>h<C-w>c')
    await front.nvim.waitForLua(`${WINDOWS} == 2`)
    await front.nvim.type(`<C-w>j${keys}:q<CR>`)
    await front.nvim.waitForScreen(/E37: No write since last change in ollama-chat:\/\/1.+:wqa saves it/)
    await front.nvim.type('<CR>:wq<CR>')
    await front.nvim.exited
  })
})
