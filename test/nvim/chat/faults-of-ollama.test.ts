// What goes wrong behind the tunnel. Each time the reader is told, nothing is lost, and the next prompt is answered.
import { expect, test } from 'vitest'
import type { Behaviour } from '../../support/ollama-double/behaviour.ts'
import { defineModel } from '../../support/ollama-double/models.ts'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { HTML, startJunk } from './junk.ts'
import { STEPWISE, sharedSshd, startWorld } from './world.ts'

const FOREVER_MS = 1e9

/** Answers that fail after the words `Half an `: how, the code of the note, and how the turn ended. */
const BROKEN: [string, Behaviour, code: string, end: 'failed' | 'interrupted', words: RegExp][] = [
  ['an error line', { ending: 'error-line', errorText: 'the runner died' }, 'API_ERROR', 'failed', /the runner died/],
  ['an end without done', { ending: 'eof-without-done' }, 'API_INCOMPLETE', 'interrupted', /gR[\s\S]*gr/],
  ['a reset', { ending: 'reset' }, 'API_INCOMPLETE', 'interrupted', /gR[\s\S]*gr/],
  ['a cut body', { ending: 'fin-without-terminator' }, 'API_INCOMPLETE', 'interrupted', /gR[\s\S]*gr/],
]

/** Refusals before the first word. */
const REFUSED: [string, Behaviour, code: string, words: RegExp][] = [
  [
    'a busy server',
    {
      refusal: {
        status: 503,
        error: 'server busy, please try again.  maximum pending requests exceeded',
        from: 'handler',
      },
    },
    'API_RATE_LIMITED',
    /gpu is busy[\s\S]*gr/,
  ],
  [
    'no memory',
    { refusal: { status: 500, error: 'model requires more system memory (30 GiB) than is available (8 GiB)' } },
    'API_ERROR',
    /does not fit/,
  ],
  [
    'a conversation that is too long',
    {
      refusal: {
        status: 400,
        error: { error: { message: 'request exceeds the available context size', type: 'exceed_context_size_error' } },
      },
    },
    'API_CONTEXT_FULL',
    /longer than the model's context window/,
  ],
]

describeWithSshd('faults of Ollama', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('and what follows', (nvim) => {
    test('<C-c> while the model loads: the server notices, a mark is left, and the question stays', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      world.ollama.script({ loadMs: FOREVER_MS })
      const before = await world.ends()
      await world.send('never')
      await world.nvim.waitForScreen(/loading model/)
      // A request that has not arrived yet would be seen to end by nobody.
      await world.waitForWork()
      await world.nvim.type('<C-c>')
      await world.ollama.waitForDisconnect()
      expect(await world.ended(before, 'stopped')).toMatchObject({
        text: '',
        end: 'stopped',
        note: { code: 'CHAT_STOPPED' },
      })
      expect((await world.lines('transcript')).filter((line) => line === 'never')).toHaveLength(1)
      await world.worksAgain()
      expect(world.logins()).toBe(1)
    })

    test('<C-c> while it thinks and while it writes: what came is kept; stop! gives back what waited', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      const before = await world.ends()
      world.ollama.script({ ...STEPWISE, thinking: ['A thought ', 'and more'], pieces: ['x'] })
      await world.send('one')
      await world.nvim.waitForScreen(/A thought/)
      await world.nvim.type('<C-c>')
      await world.ollama.waitForDisconnect(1)
      expect(await world.ended(before, 'stopped')).toMatchObject({ thinking: 'A thought ', text: '', end: 'stopped' })
      await world.nvim.waitForScreen(/▸ thought/)

      world.ollama.script({ ...STEPWISE, pieces: ['```lua\nlocal a', ' = 1\n```\n', 'x'] })
      await world.send('two')
      await world.nvim.waitForScreen(/local a/)
      await world.send('three')
      await world.send('four')
      await world.nvim.waitForScreen(/2 queued/)
      await world.nvim.type('ifive<Esc>:Ollama stop!<CR>')
      await world.ollama.waitForDisconnect(2)
      expect(await world.ended(before + 1, 'stopped')).toMatchObject({ text: '```lua\nlocal a', end: 'stopped' })
      await world.nvim.waitForLua(`return #require('ollama-remote.chats').current().pending == 0`)
      expect(await world.promptText()).toBe('three\n\nfour\n\nfive')
      expect(world.chats()).toHaveLength(2)
      await world.nvim.type('ggdG')
      await world.worksAgain()
      expect(world.chats()[2]?.messages.map(({ content }) => content)).toEqual([
        'one',
        'two',
        '```lua\nlocal a',
        'does it work',
      ])
    })

    test('a server that says nothing more is stopped by <C-c>', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      world.ollama.script({ pieces: ['Half an '], ending: 'stall' })
      const before = await world.ends()
      await world.send('what')
      await world.nvim.waitForScreen(/Half an/)
      await world.nvim.type('<C-c>')
      await world.ollama.waitForDisconnect()
      expect(await world.ended(before, 'stopped')).toMatchObject({ text: 'Half an ', end: 'stopped' })
      await world.worksAgain()
    })

    test('Ollama is down: that is said, and the prompt is asked when it is up', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      await world.ollama.goDown()
      const before = await world.ends()
      await world.send('anyone there')
      await world.nvim.waitForScreen(/offline: waiting for gpu[\s\S]*Nothing listens on/)
      await world.nvim.waitForScreen(/next try in \d+ s/)
      await world.ollama.comeUp()
      world.ollama.script({ pieces: ['I am.'] })
      await world.nvim.type('<C-w>kgR<C-w>j')
      expect((await world.ended(before)).text).toBe('I am.')
      expect((await world.turns()).map(({ text }) => text)).toEqual(['anyone there', 'I am.'])
      expect(world.logins()).toBe(1)
    })

    test('Ollama is killed in mid-answer: the answer goes on when it is up again', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      const pieces = ['Half an ', 'answer', ' is none']
      world.ollama.script({ ...STEPWISE, pieces })
      const before = await world.ends()
      await world.send('what')
      await world.nvim.waitForScreen(/Half an/)
      await world.ollama.goDown()
      await world.nvim.waitForScreen(/interrupted · API_INCOMPLETE[\s\S]*interrupted: waiting for gpu/)
      world.ollama.scriptAll({ pieces })
      await world.ollama.comeUp()
      expect(await world.ended(before)).toMatchObject({ text: 'Half an answer is none', end: 'done' })
    })

    test('with resume = never an answer that is cut stays as it is, and gr asks again', async () => {
      const world = await startWorld(nvim, sshd(), { setup: { resume: 'never' } })
      await world.open()
      world.ollama.script({ ...STEPWISE, pieces: ['Half an ', 'answer'] })
      const before = await world.ends()
      await world.send('what')
      await world.nvim.waitForScreen(/Half an/)
      await world.ollama.goDown()
      expect(await world.ended(before, 'interrupted')).toMatchObject({ text: 'Half an ', end: 'interrupted' })
      await world.nvim.waitForScreen(/interrupted · API_INCOMPLETE/)
      await world.ollama.comeUp()
      world.ollama.script({ pieces: ['A whole one.'] })
      expect((await world.askAgain()).text).toBe('A whole one.')
      await world.nvim.type('<C-w>ku')
      await world.waitForTranscript('Half an ')
    })

    test.each(BROKEN)('%s in mid-answer: the part stays, with a note', async (_, behaviour, code, end, words) => {
      const world = await startWorld(nvim, sshd(), { setup: { resume: 'ask' } })
      await world.open()
      world.ollama.script({ pieces: ['Half an '], ...behaviour })
      const turn = await world.ask('what', end)
      expect(turn).toMatchObject({ text: 'Half an ', end, note: { code, text: words } })
      await world.nvim.waitForScreen(new RegExp(`Half an.*${end} · ${code}`, 's'))
      world.ollama.script({ pieces: ['A whole one.'] })
      expect((await world.askAgain()).text).toBe('A whole one.')
      await world.worksAgain()
    })

    test.each(REFUSED)('%s is told with what to do', async (_, behaviour, code, words) => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      world.ollama.script(behaviour)
      expect(await world.ask('what', 'failed')).toMatchObject({ text: '', end: 'failed', note: { code, text: words } })
      await world.nvim.waitForScreen(new RegExp(`failed · ${code}`))
      world.ollama.script({ pieces: ['Now.'] })
      expect((await world.askAgain()).text).toBe('Now.')
    })

    test('a model that is not there: another is chosen, and asked by itself', async () => {
      const world = await startWorld(nvim, sshd(), { setup: { default_model: 'gpu:nowhere' } })
      await world.open()
      await world.ask('hello', 'failed')
      expect(await world.note()).toMatchObject({ code: 'API_INVALID_MODEL', text: /gpu has no model "nowhere"/ })
      await world.nvim.waitForScreen(/:Ollama model/)
      await world.nvim.type(' om')
      const row = /(\d): +gpu:plain:latest/
      world.ollama.script({ pieces: ['Me.'] })
      const before = await world.ends()
      await world.nvim.type(`${row.exec(await world.nvim.waitForScreen(row))?.[1]}<CR>`)
      expect(await world.ended(before, 'done')).toMatchObject({ text: 'Me.', model: 'gpu:plain:latest' })
    })

    test('a model that is not there is pulled from within the chat, and the question asked by itself', async () => {
      const world = await startWorld(nvim, sshd(), { setup: { default_model: 'gpu:nowhere' } })
      await world.open()
      await world.ask('hello', 'failed')
      await world.nvim.type('gP')
      await world.nvim.waitForScreen(/nowhere was not/)
      world.ollama.publish(defineModel({ name: 'nowhere:latest' }))
      world.ollama.scriptPull('nowhere', { bytesPerSecond: 'unbounded' })
      world.ollama.script({ pieces: ['Here.'] })
      const before = await world.ends()
      await world.nvim.type('gP')
      expect(await world.ended(before, 'done')).toMatchObject({ text: 'Here.', model: 'gpu:nowhere' })
    })

    test('nothing at the port: the wait says how to look, and the look says what to do', async () => {
      const junk = await startJunk('')
      junk.server.close()
      const world = await startWorld(nvim, sshd(), { url: junk.url })
      await world.open()
      await world.send('hello')
      await world.nvim.waitForScreen(/:Ollama\s[\s\S]*?service looks/)
      await world.nvim.type(':Ollama service<CR>')
      await world.nvim.waitForScreen(/1: Yes, run `systemctl status ollama`/)
      await world.nvim.type('1<CR>')
      await world.nvim.waitForScreen(/ollama serve|systemctl start ollama|OLLAMA_HOST/)
    })

    test.each([
      ['a web server', HTML],
      ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
      ['a proxy that is not well', 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\noops'],
    ])('%s in place of Ollama is told as such', async (_, words) => {
      const junk = await startJunk(words)
      const world = await startWorld(nvim, sshd(), { url: junk.url })
      await world.open()
      await world.ask('hello', 'failed')
      const note = await world.note()
      expect(note.code).toBe('API_PROTOCOL')
      expect(note.text).toMatch(/url/)
    })
  })
})
