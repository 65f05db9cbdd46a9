import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, startFront } from './front.ts'

const MODELS = [{ ref: 'gpu:a', server: 'gpu', name: 'a' }]

describeWithNeovim('sending', (nvim) => {
  test('<CR> sends the prompt and empties it; the answer, the receipt and the rate are seen', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('hello there')
    await front.waitForEnd()
    const screen = await front.nvim.waitForScreen(/512 tokens · 31 t\/s · first token 0\.4 s[\s\S]*<CR> send/)
    expect(screen).toMatch(/▎You · 14:02/)
    expect(screen).toMatch(/You said: hello there\. It is well said\./)
    await front.nvim.waitForScreen(/gpu:qwen3:32b ● {2}31 t\/s/)
    expect(screen).not.toMatch(/<!--|## ◆/)
    expect(await front.promptText()).toBe('')
    expect(await front.requests('chat.send')).toEqual([{ chat: 1, text: 'hello there' }])
  })

  test('<C-s> sends in insert mode and stays there; several lines go as they are', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('i  first<CR>second<CR><C-s>')
    const [sent] = await front.waitForRequests('chat.send')
    expect(sent).toMatchObject({ text: '  first\n  second' })
    expect(await front.nvim.lua('return vim.api.nvim_get_mode().mode')).toBe('i')
    expect(await front.promptText()).toBe('')
  })

  test('an empty prompt is not sent, and says so in the command line only', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('<CR>')
    await front.nvim.waitForScreen(/Nothing to send/)
    expect(await front.nvim.messages()).toBe('')
    expect(await front.requests('chat.send')).toEqual([])
  })

  test('what could not be sent comes back before what was typed since, with the reason', async () => {
    const refusal = { code: 'CHAT_BUSY', message: 'No more prompts', hint: 'Wait a while.' }
    const front = await startFront(nvim, { script: { hold: ['chat.send'], fail: { 'chat.send': refusal } } })
    await front.open()
    await front.send('the first')
    await front.nvim.waitForScreen(/queued · \d+ s/)
    await front.nvim.type('ithe next')
    await front.nvim.waitForScreen(/the next/)
    await front.tellHost('fake.release', { method: 'chat.send' })
    await front.nvim.waitForScreen(/No more prompts/)
    expect(await front.promptText()).toBe('the first\n\nthe next')
    await front.nvim.type(' word')
    await front.nvim.waitForScreen(/the next word/)
    await front.nvim.waitForLua(`return #${CHAT}.pending == 0`)
  })

  test('a prompt sent while an answer runs waits in sight, and follows', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    await front.send('and then that')
    await front.nvim.waitForScreen(/queued: and then that/)
    await front.nvim.waitForScreen(/● {2}1 queued/)
    await front.nvim.type('<C-c>')
    await front.nvim.waitForScreen(/You said: and then that/)
    await front.waitForEnd()
    await front.nvim.waitForScreen((screen) => !screen.includes('queued'))
  })

  test('the phase and every waiting prompt stay in sight in a full window', async () => {
    const front = await startFront(nvim, { columns: 80, rows: 24 })
    await front.open()
    await front.perform(['render', 1, 'line\n'.repeat(40)])
    await front.sendHeld()
    await front.send('first one')
    await front.send('second one')
    await front.nvim.waitForScreen(/writing · \d+ s[^\n]*\n[^\n]*queued: first one\s*\n[^\n]*queued: second one/)
    await front.nvim.waitForScreen(/writing · [1-9]\d* s/)
  })

  test('typing in the prompt goes on while an answer streams', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    await front.nvim.type('ione ')
    await front.perform(['append', 1, 'streamed words\nand more '])
    await front.nvim.type('two ')
    await front.perform(['append', 1, 'to come'])
    await front.nvim.type('three')
    await front.nvim.waitForScreen(/one two three/)
    expect(await front.promptText()).toBe('one two three')
    await front.nvim.type('<Esc>u')
    await front.nvim.waitForLua(`return vim.api.nvim_buf_get_lines(${CHAT}.buffers.prompt, 0, -1, false)[1] == ''`)
    expect((await front.lines('transcript')).join('\n')).toContain('and more to come')
  })

  test('a stop that brings the former answer back says so', async () => {
    const front = await startFront(nvim, { script: { stopped: { back: true } } })
    await front.open()
    await front.sendHeld()
    await front.nvim.type('<C-c>')
    await front.nvim.waitForScreen(/the former answer is back/)
  })

  test('<C-c> stops, also from the transcript and in insert mode; with nothing running it is harmless', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    await front.nvim.type('i<C-c>')
    await front.waitForEnd('stopped')
    await front.nvim.type('<C-c>')
    await front.nvim.waitForLua("return vim.api.nvim_get_mode().mode == 'n'")
    await front.nvim.type('<C-c>')
    await front.nvim.waitForScreen(/Nothing runs/)
    await front.sendHeld()
    await front.nvim.type('<C-w>k<C-c>')
    await front.waitForEnd('stopped')
    expect(await front.requests('chat.stop')).toHaveLength(2)
  })

  test('a failed answer leaves its note, and gr asks again', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('fail now')
    await front.waitForEnd('failed')
    await front.nvim.waitForScreen(/✗ failed · SSH_DISCONNECTED/)
    await front.nvim.waitForScreen(/The connection was lost\. gr asks again\./)
    expect(await front.nvim.lua("return require('ollama-remote').status()")).toMatchObject({
      text: 'gpu:qwen3:32b failed',
      error: { code: 'SSH_DISCONNECTED' },
    })
    await front.nvim.type('<C-w>kgr')
    await front.waitForRequests('chat.again')
    await front.waitForEnd()
  })

  test('without a model the first one chosen is kept as default, and the prompt that waited is sent', async () => {
    const front = await startFront(nvim, { script: { model: null, models: MODELS } })
    await front.nvim.type(' oo')
    await front.nvim.waitForScreen(/Model\s+1: {3}gpu:a/)
    await front.nvim.type('1<CR>')
    await front.nvim.waitForScreen(/gpu:a ●/)
    expect(await front.waitForRequests('models.default')).toEqual([{ model: 'gpu:a' }])
    expect(await front.waitForRequests('chat.model')).toEqual([{ chat: 1, model: 'gpu:a' }])
    await front.send('hello')
    await front.waitForEnd()
  })

  test('giving up the choice of a model keeps the prompt, and the next try asks again', async () => {
    const front = await startFront(nvim, { script: { model: null, models: MODELS } })
    await front.nvim.command('Ollama ask who are you')
    await front.nvim.waitForScreen(/1: {3}gpu:a/)
    await front.nvim.type('<CR>')
    await front.nvim.waitForLua(`return #${CHAT}.pending == 0`)
    expect(await front.promptText()).toBe('who are you')
    await front.nvim.waitForScreen((screen) => !screen.includes('1:   gpu:a'))
    await front.nvim.type('<CR>')
    await front.nvim.waitForScreen(/1: {3}gpu:a/)
    await front.nvim.type('1<CR>')
    await front.nvim.waitForScreen(/You said: who are you/)
  })

  test('User autocommands tell of the start, each phase and the end', async () => {
    const front = await startFront(nvim, {
      init: `
        _G.told = {}
        vim.api.nvim_create_autocmd('User', { pattern = 'OllamaRequest*', callback = function(event)
          table.insert(_G.told, event.match:gsub('OllamaRequest', '') .. ' ' .. event.data.phase .. ' ' .. (event.data.ended or '-'))
        end })`,
    })
    await front.open()
    await front.send('think about it')
    await front.waitForEnd()
    expect(await front.nvim.lua('return _G.told')).toEqual([
      'Started connecting -',
      'Phase connecting -',
      'Phase loading -',
      'Phase reading -',
      'Phase thinking -',
      'Phase writing -',
      'Finished idle done',
    ])
  })

  test('status() tells what runs, without a wait', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.sendHeld()
    expect(await front.nvim.lua("return require('ollama-remote').status()")).toMatchObject({
      text: expect.stringMatching(/^gpu:qwen3:32b writing \d+s$/),
      phase: 'writing',
      queued: 0,
    })
  })

  test('<C-c> gives back a prompt that waits for a model, also when the picker was left without a word', async () => {
    const front = await startFront(nvim, {
      script: { model: null, models: [{ ref: 'gpu:a', server: 'gpu', name: 'a' }] },
      init: 'vim.ui.select = function() end',
    })
    await front.nvim.type(' oo')
    await front.waitForRequests('models.list', 1)
    await front.nvim.type('imy words<Esc><CR>')
    await front.nvim.waitForLua(`return #${CHAT}.pending == 1`)
    await front.nvim.type('<C-c>')
    await front.nvim.waitForLua(`return #${CHAT}.pending == 0`)
    expect(await front.promptText()).toBe('my words')
    expect(await front.requests('chat.send')).toEqual([])
  })
})
