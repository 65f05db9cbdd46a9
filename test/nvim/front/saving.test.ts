import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, type FrontOptions, startFront } from './front.ts'

type Binary = Parameters<typeof startFront>[0]

async function withAnswer(nvim: Binary, options: FrontOptions = {}): Promise<Front> {
  const front = await startFront(nvim, options)
  await front.open()
  await front.send('why is it so?')
  await front.waitForEnd()
  return front
}

const UNSAVED = { script: { state: { unsaved: true, autosave: false } } }
const MODIFIED = `return vim.bo[${CHAT}.buffers.transcript].modified`

describeWithNeovim('saving', (nvim) => {
  test('<leader>os asks for a name once, and adds what is new from then on', async () => {
    const front = await withAnswer(nvim, UNSAVED)
    expect(await front.nvim.lua(MODIFIED)).toBe(true)
    await front.nvim.type(' os')
    await front.nvim.waitForScreen(/Save the chat as: why is it so\?/)
    await front.nvim.type('<C-u>a name<CR>')
    await front.nvim.waitForScreen(/Saved in a name_qwen_20261127-120000\.txt/)
    expect(await front.requests('chat.save')).toEqual([{ chat: 1, name: 'a name' }])
    expect(await front.nvim.lua(MODIFIED)).toBe(false)
    await front.nvim.type(' os')
    await front.nvim.waitForScreen(/Saved in a name_qwen_20261127-120000\.txt, 2 turns added/)
    expect(await front.requests('chat.save')).toHaveLength(2)
    expect(await front.nvim.lua(`return vim.fn.bufname(${CHAT}.buffers.transcript)`)).toBe('ollama-chat://1/a name')
    expect(await front.nvim.lua("return vim.fn.execute('ls!')")).not.toMatch(/chat:\/\/1"/)
  })

  test('a chat without words is not saved, and a name that is not given saves nothing', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type(' os')
    await front.nvim.waitForScreen(/Nothing to save yet/)
    await front.send('hello')
    await front.waitForEnd()
    await front.nvim.type(' os<Esc>')
    await front.nvim.waitForScreen(/Not saved/)
    expect(await front.requests('chat.save')).toEqual([])
  })

  test('the name that is proposed is of the question, and of nothing below it', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('...?')
    await front.waitForEnd()
    await front.nvim.type(' os')
    await front.nvim.waitForScreen(/Save the chat as: \.\.\.\?\s*$/m)
  })

  test(':w asks and :w name does not, in both buffers; no stray buffer is left', async () => {
    const front = await withAnswer(nvim, UNSAVED)
    await front.nvim.type(':w my chat<CR>')
    await front.waitForRequests('chat.save')
    expect(await front.requests('chat.save')).toEqual([{ chat: 1, name: 'my chat' }])
    await front.nvim.type('<C-w>k:w<CR>')
    await front.waitForRequests('chat.save', 2)
    await front.nvim.waitForScreen(/2 turns added/)
    expect(await front.nvim.lua("return vim.fn.bufexists('my chat')")).toBe(0)
    expect(await front.nvim.messages()).not.toMatch(/E\d+:/)
  })

  test(':w with a path writes a copy there, and the chat stays unsaved', async () => {
    const front = await withAnswer(nvim, UNSAVED)
    await front.nvim.lua("vim.cmd.cd(vim.fn.fnamemodify(vim.fn.tempname(), ':h'))")
    await front.nvim.type(':w ./copy.md<CR>')
    await front.nvim.waitForScreen(/A copy was written to .*copy\.md/)
    expect(await front.nvim.lua("return table.concat(vim.fn.readfile('copy.md'), '\\n')")).toMatch(
      /^## ◆ You[\s\S]*well/,
    )
    expect(await front.requests('chat.save')).toEqual([])
    expect(await front.nvim.lua(MODIFIED)).toBe(true)
    await front.nvim.type(':w ./copy.md<CR>')
    await front.nvim.waitForScreen(/E13/)
    await front.nvim.type('<CR>:w /nowhere/at/all.md<CR>')
    await front.nvim.waitForScreen(/E212: Cannot write the copy/)
  })

  test(':w with a path tells of a full disk, and writes no half of a transcript', async () => {
    const front = await withAnswer(nvim, UNSAVED)
    await front.nvim.lua("vim.cmd.cd(vim.fn.fnamemodify(vim.fn.tempname(), ':h'))")
    await front.nvim.type(':w! /dev/full<CR>')
    await front.nvim.waitForScreen(/E212: Cannot write the copy: .*[Nn]o space/)
    await front.nvim.lua(`${CHAT}.drawing = { places = {} }`)
    await front.nvim.type(':w ./part.md<CR>')
    await front.nvim.waitForScreen(/not whole yet/)
    expect(await front.nvim.lua("return vim.fn.filereadable('part.md')")).toBe(0)
  })

  test('a draft never holds up :qa; unsaved words do only when nobody saves them by himself', async () => {
    const kept = await withAnswer(nvim, { script: { state: { unsaved: true, autosave: true } } })
    await kept.nvim.type('ia draft<Esc>u<C-r>')
    expect(await kept.nvim.lua(MODIFIED)).toBe(false)
    expect(await kept.nvim.lua(`return vim.bo[${CHAT}.buffers.prompt].modified`)).toBe(false)
    await kept.nvim.type(':qa<CR>')
    await kept.nvim.exited()
    const held = await withAnswer(nvim, UNSAVED)
    await held.nvim.type(':qa<CR>')
    await held.nvim.waitForScreen(/E37|E162/)
    await held.nvim.type(':qa!<CR>')
    await held.nvim.exited()
  })

  test('where :qa is refused for a hidden chat, that is shown whole, and the window keeps what it had', async () => {
    const front = await withAnswer(nvim, UNSAVED)
    await front.nvim.type(' ot')
    await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 1')
    await front.nvim.command('edit README.md')
    await front.nvim.type(':qa<CR>')
    await front.nvim.waitForScreen(/E37|E162/)
    await front.nvim.type('<CR>')
    await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 3')
    expect(await front.nvim.lua(`return vim.api.nvim_get_current_buf() == ${CHAT}.buffers.transcript`)).toBe(true)
    expect(await front.nvim.lua("return vim.fn.bufwinid('README.md')")).toBeGreaterThan(0)
  })

  test('ZZ saves a chat with a name and closes it; :wqa asks for no name', async () => {
    const front = await withAnswer(nvim, UNSAVED)
    await front.nvim.type(':w a name<CR>')
    await front.nvim.waitForScreen(/Saved in/)
    await front.perform(['state', 1, { unsaved: true }])
    await front.nvim.type('<C-w>kZZ')
    await front.waitForRequests('chat.save', 2)
    await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 1')
    const all = await withAnswer(nvim, UNSAVED)
    await all.nvim.type(':wqa<CR>')
    await all.nvim.exited()
  })

  test(':q in the last windows is refused as Neovim does it, and the chat is shown again', async () => {
    const front = await withAnswer(nvim, UNSAVED)
    await front.nvim.type('<C-w>h<C-w>c')
    await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 2')
    await front.nvim.type(':q<CR>')
    await front.nvim.waitForScreen(/E37: No write since last change in ollama-chat:\/\/1/)
    await front.nvim.waitForLua(`return #vim.fn.win_findbuf(${CHAT}.buffers.prompt) == 1
      and #vim.fn.win_findbuf(${CHAT}.buffers.transcript) == 1`)
  })

  test('what could not be saved is unsaved again, with the reason', async () => {
    const full = { code: 'STORE_FULL', message: 'The disk is full', hint: 'Make room, then save again.' }
    const front = await withAnswer(nvim, { script: { ...UNSAVED.script, fail: { 'chat.save': full } } })
    await front.nvim.type(':w a name<CR>')
    await front.nvim.waitForScreen(/The disk is full/)
    expect(await front.nvim.lua(MODIFIED)).toBe(true)
  })

  test('ending asks when something is unsaved and nobody saves it: stay, save, or not', async () => {
    const front = await withAnswer(nvim, UNSAVED)
    await front.nvim.type(' oc')
    await front.nvim.waitForScreen(/"why is it so\?" is not saved/)
    await front.nvim.type('1<CR>')
    expect(await front.requests('chat.close')).toEqual([])
    await front.nvim.type(' oc2<CR>')
    await front.nvim.waitForScreen(/Save the chat as/)
    await front.nvim.type('<CR>')
    await front.waitForRequests('chat.close')
    expect(await front.requests('chat.save')).toHaveLength(1)
    const other = await withAnswer(nvim, UNSAVED)
    await other.nvim.type(' oc3<CR>')
    await other.waitForRequests('chat.close')
    expect(await other.requests('chat.save')).toEqual([])
  })

  test('where nobody saves it, a draft is not lost with its chat', async () => {
    const front = await startFront(nvim, { script: { state: { autosave: false } } })
    await front.open()
    await front.nvim.type('isome words<Esc> oc')
    await front.nvim.waitForScreen(/"some words" is not saved/)
    await front.nvim.type('1<CR>')
    expect(await front.promptText()).toBe('some words')
    await front.nvim.type(' oc2<CR>')
    await front.nvim.waitForScreen(/Save the chat as: some words/)
    await front.nvim.type('<CR>')
    expect(await front.waitForRequests('chat.close')).toEqual([{ chat: 1, unsaved: 'save' }])
    expect((await front.requests('chat.draft')).at(-1)).toMatchObject({ text: 'some words' })
    expect(await front.requests('chat.save')).toHaveLength(1)
  })

  test('a draft that was saved, and one that is saved by itself, is asked for by nobody', async () => {
    const front = await startFront(nvim, { script: { state: { autosave: false } } })
    await front.open()
    await front.nvim.type('isome words<Esc>:w a name<CR>')
    await front.nvim.waitForScreen(/Saved in/)
    await front.nvim.type(' oc')
    expect(await front.waitForRequests('chat.close')).toEqual([{ chat: 1 }])
    const kept = await startFront(nvim, { script: { state: { autosave: true } } })
    await kept.open()
    await kept.nvim.type('isome words<Esc> oc')
    expect(await kept.waitForRequests('chat.close')).toEqual([{ chat: 1 }])
    expect(await kept.requests('chat.draft')).toEqual([{ chat: 1, text: 'some words' }])
  })

  test('words that are saved by itself in vain count as unsaved until that succeeds again', async () => {
    const front = await withAnswer(nvim, { script: { state: { unsaved: true, autosave: true } } })
    expect(await front.nvim.lua(MODIFIED)).toBe(false)
    await front.perform(['state', 1, { save_fails: true }])
    expect(await front.nvim.lua(MODIFIED)).toBe(true)
    await front.nvim.waitForScreen(/\[\+\]/)
    await front.nvim.type(':qa<CR>')
    await front.nvim.waitForScreen(/E37|E162/)
    await front.nvim.type('<CR> oc')
    await front.nvim.waitForScreen(/is not saved/)
    await front.nvim.type('1<CR>')
    await front.perform(['state', 1, { save_fails: false }])
    expect(await front.nvim.lua(MODIFIED)).toBe(false)
    await front.nvim.type(':qa<CR>')
    await front.nvim.exited()
  })

  test('a chat whose end could not save it goes on, with the reason', async () => {
    const full = { code: 'STORE_FULL', message: 'The disk is full', hint: 'Make room, then end it again.' }
    const front = await withAnswer(nvim, { script: { fail: { 'chat.close': full } } })
    await front.nvim.type(' oc')
    await front.nvim.waitForScreen(/The disk is full/)
    await front.nvim.waitForScreen(/You said: why is it so/)
    expect(await front.nvim.lua(`return ${CHAT}.id`)).toBe(1)
    await front.nvim.type('idraft<Esc> oc')
    await front.nvim.waitForScreen(/is not saved/)
    await front.nvim.type('3<CR>')
    expect((await front.waitForRequests('chat.close', 2)).at(-1)).toEqual({ chat: 1, unsaved: 'discard' })
  })

  test('a chat that goes on has the prompt in it again that its end took back', async () => {
    const full = { code: 'STORE_FULL', message: 'The disk is full', hint: 'Make room, then end it again.' }
    const script = { fail: { 'chat.close': full }, stopped: { taken: 'hold this' }, state: { autosave: true } }
    const front = await startFront(nvim, { script })
    await front.open()
    await front.sendHeld()
    await front.nvim.type('imore<Esc> oc')
    await front.nvim.waitForScreen(/The disk is full/)
    expect(await front.promptText()).toBe('hold this\n\nmore')
    await front.nvim.waitForLua(`return ${CHAT}.known`)
    const methods = (await front.nvim.lua<[string][]>('return _G.fake_requests')).map(([method]) => method)
    const stopped = methods.indexOf('chat.stop')
    expect(methods.slice(stopped, stopped + 3)).toEqual(['chat.stop', 'chat.close', 'chat.open'])
  })
})
