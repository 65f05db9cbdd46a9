// What is told of a request beside the chat: autocommands and the log, made of the same events.
import { expect, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { sharedSshd, startWorld } from './world.ts'

const NOTE_ALL = `
  _G.noted = {}
  for _, name in ipairs({ 'ServerSelected', 'RequestSent', 'FirstByte', 'AnswerComplete', 'AnswerFailed', 'ConnectionChanged' }) do
    vim.api.nvim_create_autocmd('User', { pattern = 'Ollama' .. name, callback = function(event)
      table.insert(_G.noted, vim.tbl_extend('error', event.data, { name = name }))
    end })
  end`

describeWithSshd('what is told of a request', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('by autocommands and the log', (nvim) => {
    test('the same steps, with their server and request, and none of the words', async () => {
      const world = await startWorld(nvim, sshd(), { init: NOTE_ALL })
      await world.open()
      world.ollama.script({ pieces: ['a secret ', 'answer'], tokensPerSecond: 'unbounded' })
      await world.ask('a secret question')
      await world.nvim.waitForLua("return vim.iter(_G.noted):any(function(e) return e.name == 'AnswerComplete' end)")
      const noted = await world.nvim.lua<Array<{ name: string; state?: string }>>('return _G.noted')
      const about = { server: 'gpu', request: 1, model: 'gpu:thinker:8b' }
      expect(noted.filter(({ name }) => name !== 'ConnectionChanged')).toEqual(
        [
          { name: 'ServerSelected', ...about },
          { name: 'RequestSent', ...about, messages: 1 },
          { name: 'FirstByte', ...about, seconds: expect.any(Number) },
          { name: 'AnswerComplete', ...about, seconds: expect.any(Number), reason: 'stop', tokens: expect.any(Number) },
        ].map((event) => expect.objectContaining(event)),
      )
      expect(noted.flatMap(({ name, state }) => (name === 'ConnectionChanged' ? [state] : []))).toEqual(
        expect.arrayContaining(['connecting', 'authenticating', 'ready']),
      )
      await world.waitForLog(/ info {2}complete server="gpu"/)
      const log = await world.log()
      for (const line of ['server selected', 'request', 'first byte', 'complete']) {
        expect(log).toMatch(new RegExp(` info {2}${line} server="gpu" request=1 model="gpu:thinker:8b"`))
      }
      expect(log).toMatch(/connection server="gpu" .*"ready"/)
      expect(log + JSON.stringify(noted)).not.toContain('secret')
    })

    test('with log.content the words stand in the log, and there only', async () => {
      const world = await startWorld(nvim, sshd(), { init: NOTE_ALL, setup: { log: { content: true } } })
      await world.open()
      world.ollama.script({ pieces: ['my ', 'answer'], tokensPerSecond: 'unbounded' })
      await world.ask('my question')
      await world.waitForLog(/complete .*answer="my answer"/)
      expect(await world.log()).toMatch(/request .*prompt="my question"/)
      expect(JSON.stringify(await world.nvim.lua('return _G.noted'))).not.toMatch(/my question|my answer/)
    })
  })
})
