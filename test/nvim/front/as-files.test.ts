// The chat's buffers under commands that are for files. Writing them is in saving.test.ts, wiping them in windows.test.ts.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, startFront } from './front.ts'

const BUFFERS = `return vim.tbl_filter(function(name) return name ~= '' end, vim.tbl_map(vim.api.nvim_buf_get_name, vim.api.nvim_list_bufs()))`

describeWithNeovim('a chat as if it were files', (nvim) => {
  test(':edit keeps the draft and the transcript, amid an answer too', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    await front.nvim.type('ia draft<Esc>')
    const before = await front.nvim.lua<number>(`return ${CHAT}.buffers.prompt`)
    await front.nvim.type(':edit<CR>')
    await front.nvim.waitForLua(`local was = ... return (${CHAT}.buffers.prompt or was) ~= was`, before)
    await front.nvim.type('u')
    expect(await front.promptText()).toBe('a draft')
    await front.nvim.type('<C-w>k:edit!<CR>')
    await front.waitForRequests('chat.open', 2)
    await front.nvim.waitForLua(`return ${CHAT}.known and #${CHAT}.outline.turns >= 2`)
    await front.perform(['append', 1, ' and more\n'])
    await front.nvim.waitForScreen(/hold this[\s\S]*and more[\s\S]*<CR> send[\s\S]*a draft/)
    expect(await front.nvim.lua(`return vim.api.nvim_get_current_win() == ${CHAT}.windows.transcript`)).toBe(true)
    expect((await front.nvim.lua<string[]>(BUFFERS)).sort()).toEqual(['ollama-chat://1', 'ollama-prompt://1'])
    expect(await front.nvim.messages()).not.toMatch(/E\d+:/)
  })

  test(':edit in a saved chat that is read reads its file again', async () => {
    const text = '## ◆ You · 2026-11-20 14:02:31\n\na deadlock\n\n'
    const library = [{ file: 'locks_qwen_20261120-140231.txt', title: 'locks', model: 'gpu:qwen', text }]
    const front = await startFront(nvim, { script: { library } })
    await front.nvim.command('Ollama load locks')
    await front.nvim.waitForScreen(/a deadlock/)
    await front.nvim.type(':edit<CR>')
    await front.waitForRequests('chat.load', 2)
    await front.nvim.waitForLua(`return ${CHAT} and ${CHAT}.id == 2 and ${CHAT}.known`)
    await front.nvim.waitForScreen(/a deadlock[\s\S]*q closes|q closes[\s\S]*a deadlock/)
    expect(await front.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(2)
  })

  test(':saveas saves under the name, or a copy where it is a path; the buffer keeps its own', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('why?')
    await front.waitForEnd()
    await front.nvim.type(':saveas my chat<CR>')
    expect(await front.waitForRequests('chat.save')).toEqual([{ chat: 1, name: 'my chat' }])
    await front.nvim.waitForScreen(/Saved in my chat_qwen/)
    await front.nvim.lua("vim.cmd.cd(vim.fn.fnamemodify(vim.fn.tempname(), ':h'))")
    await front.nvim.type(':saveas ./copy.md<CR>')
    await front.nvim.waitForScreen(/A copy was written to .*copy\.md/)
    expect(await front.requests('chat.save')).toHaveLength(1)
    await front.nvim.type('<C-w>k:file other<CR>')
    await front.nvim.waitForScreen(/keeps its name; :Ollama rename/)
    const names = ['ollama-chat://1/my chat', 'ollama-prompt://1']
    expect((await front.nvim.lua<string[]>(BUFFERS)).sort()).toEqual(names)
  })

  test('a session that is loaded brings no empty windows of a chat back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-session-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const session = join(folder, 'session.vim')
    const front = await startFront(nvim)
    await front.nvim.command('edit mine.txt')
    await front.open()
    await front.nvim.command(`mksession ${session}`)
    const next = await startFront(nvim)
    await next.nvim.command(`source ${session}`)
    expect(await next.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(1)
    expect(await next.nvim.lua(BUFFERS)).toEqual([expect.stringMatching(/mine\.txt$/)])
    await next.open()
    await next.nvim.waitForScreen(/<CR> send/)
  })
})
