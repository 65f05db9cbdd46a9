// A title that the model is asked for when nothing else is asked of it.
import { expect, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { sharedSshd, startWorld } from './world.ts'

interface Asked {
  messages: unknown[]
  options?: Record<string, unknown>
}

describeWithSshd('a title', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('from the model', (nvim) => {
    test('is asked for with the chat’s own messages, in no transcript and no event, and names the file', async () => {
      const init = `_G.sent = 0
        vim.api.nvim_create_autocmd('User', { pattern = 'OllamaRequestSent', callback = function() _G.sent = _G.sent + 1 end })`
      const world = await startWorld(nvim, sshd(), { init, setup: { title: 'model', options: { num_ctx: 4096 } } })
      await world.open()
      world.ollama.script({ pieces: ['Because they wait for each other.'] })
      world.ollama.script({ pieces: ['**Order', ' of locks**'] })
      await world.ask('why does it hang?')
      const chats = () =>
        world.ollama.requests.filter(({ path }) => path === '/api/chat').map(({ body }) => body as Asked)
      await expect.poll(() => chats().length, { timeout: 20_000 }).toBe(2)
      const [first, title] = chats()
      expect(title?.messages.slice(0, -1)).toEqual([
        ...(first?.messages ?? []),
        { role: 'assistant', content: 'Because they wait for each other.' },
      ])
      expect(title?.options).toMatchObject({ num_ctx: 4096 })
      await world.nvim.waitForLua("return require('ollama-remote.chats').current().state.title == 'Order of locks'")
      await world.nvim.waitForLua(
        "return vim.startswith(require('ollama-remote.chats').current().state.file or '', 'Order of locks_')",
      )
      expect((await world.turns()).map(({ text }) => text)).toEqual([
        'why does it hang?',
        'Because they wait for each other.',
      ])
      expect(await world.nvim.lua('return _G.sent')).toBe(1)
    })
  })
})
