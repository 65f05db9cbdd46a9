import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { isAlive } from '../../support/process-tree.ts'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, startFront } from './front.ts'

const HOST_PID = "return require('ollama-remote.rpc').info().pid"

interface Introduction {
  transcript?: string
  above?: { turns: number; lines: number; bytes: number }
}

describeWithNeovim("the host's death", (nvim) => {
  test('in mid-answer is told once; the prompt comes back; the next host begins by itself and adopts the chat', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    await front.send('waiting')
    await front.nvim.waitForScreen(/queued: waiting/)
    const before = (await front.lines('transcript')).slice(0, -1).join('\n')
    process.kill(await front.nvim.lua<number>(HOST_PID), 'SIGKILL')
    await front.nvim.waitForScreen(/The host ended with exit code 137/)
    const opened = await front.waitForRequests('chat.open', 2)
    expect(opened[1]).toEqual({ chat: 1, key: 'key-1', transcript: before, was_busy: true })
    expect((await front.nvim.messages()).match(/exit code 137/g)).toHaveLength(1)
    expect(await front.promptText()).toBe('waiting')
    await front.nvim.waitForScreen((screen) => !/writing · \d/.test(screen))
    await front.nvim.type('<CR>')
    await front.nvim.waitForScreen(/You said: waiting/)
    expect((await front.nvim.messages()).match(/ended/g)).toHaveLength(1)
  })

  test('of a long transcript the end is told to the next one, and all of it in pieces when that asks for it', async () => {
    const front = await startFront(nvim)
    await front.open()
    const text = '## ◆ You · 2026-11-20 14:02:31\n\nwords that are said often\n\n'.repeat(2_000)
    await front.perform(['render', 1, text])
    await front.nvim.command('Ollama restart')
    const [, first, second] = await front.waitForRequests<Introduction>('chat.open', 3)
    expect(first?.above).toMatchObject({ turns: 1_996, lines: 4 * 1_996 })
    expect(first?.above?.bytes).toBe(Buffer.byteLength(text) - Buffer.byteLength(first?.transcript ?? ''))
    expect(text.endsWith(first?.transcript ?? 'nothing')).toBe(true)
    expect(first?.transcript?.split('\n')).toHaveLength(4 * 4 + 1)
    const pieces = await front.requests<{ piece: number; text: string }>('chat.piece')
    expect(pieces.map(({ piece }) => piece)).toEqual([1, 2, 3, 4])
    expect(pieces.map((piece) => piece.text).join('')).toBe(text)
    expect(second).toEqual({ chat: 1, key: 'key-1', pieces: 4 })
  })

  test('tells the last words of its standard error, and they are in :Ollama log', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.tellHost('fake.do', { steps: [['crash', 'the sky fell']] })
    await front.nvim.waitForScreen(/exit code 1[:\s]+Error: the sky fell/)
    await front.nvim.command('Ollama log')
    await front.nvim.waitForScreen(/at somewhere/)
  })

  test('again and again is not answered by starting for ever, until :Ollama restart', async () => {
    const front = await startFront(nvim, { script: { die: { 'chat.open': 3 } } })
    for (let times = 1; times <= 4; times++) {
      await front.nvim.command('Ollama chat')
      await front.waitForRequests('chat.open', times)
      await front.nvim.waitForLua("return not require('ollama-remote.rpc').is_running()")
    }
    await front.nvim.command('Ollama chat')
    await front.nvim.waitForScreen(/started 4 times within\s+30 s/)
    await front.nvim.lua("vim.env.FAKE_HOST = '{}'")
    await front.nvim.command('Ollama restart')
    await front.nvim.waitForLua(`return ${CHAT}.known`)
  })

  test(':Ollama restart ends the old host without a word and keeps the chat', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('hello')
    await front.waitForEnd()
    const old = await front.nvim.lua<number>(HOST_PID)
    await front.nvim.command('Ollama restart')
    await front.nvim.waitForScreen(/The host was started anew/)
    expect(await front.nvim.lua(HOST_PID)).not.toBe(old)
    expect(isAlive(old)).toBe(false)
    expect(await front.nvim.messages()).toBe('')
    expect((await front.requests('chat.open'))[1]).toMatchObject({
      transcript: expect.stringContaining('You said: hello'),
    })
    await front.nvim.waitForScreen(/You said: hello/)
  })

  test('a new host is told of the model that was switched to, whatever it takes for the default', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.command('Ollama model lab:llama3:8b')
    await front.nvim.waitForScreen(/lab:llama3:8b ●/)
    await front.nvim.command('Ollama restart')
    await front.waitForRequests('chat.model', 2)
    await front.nvim.waitForScreen(/lab:llama3:8b ●/)
  })

  test("its log is opened without heeding a modeline in it, for it holds strangers' words", async () => {
    const front = await startFront(nvim, { init: 'vim.o.modeline = true' })
    const file = await front.nvim.lua<string>("return require('ollama-remote.config').log_file()")
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, 'the server says vim: set ft=help tw=33:\n')
    await front.nvim.command('Ollama log')
    await front.nvim.waitForScreen(/the server says/)
    expect(await front.nvim.lua('return { vim.bo.filetype, vim.bo.textwidth, vim.go.modeline }')).toEqual(['', 0, true])
  })

  test('is nothing to speak of while Neovim quits, which is quick', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    const pid = await front.nvim.lua<number>(HOST_PID)
    expect(await front.nvim.quit()).toBeLessThan(1_900)
    expect(await front.nvim.exited()).toBe(0)
    expect(isAlive(pid)).toBe(false)
  })

  test('in the very moment of quitting changes nothing', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.lua(`
      vim.api.nvim_create_autocmd('VimLeavePre', { callback = function()
        vim.uv.kill(require('ollama-remote.rpc').info().pid, 'sigkill')
        vim.wait(100, function() return false end)
      end })`)
    expect(await front.nvim.quit()).toBeLessThan(1_900)
    expect(await front.nvim.exited()).toBe(0)
  })

  test(':checkhealth tells what is there', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.command('checkhealth ollama-remote')
    const text = await front.nvim.lua<string>("return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n')")
    expect(text).toMatch(/Node\.js v?\d+\.\d+/)
    expect(text).toMatch(/The host runs: version 0\.1\.0, process \d+/)
    expect(text).toMatch(/Lists are shown by select: it is configured/)
    expect(text).not.toMatch(/ERROR/)
  })
})
