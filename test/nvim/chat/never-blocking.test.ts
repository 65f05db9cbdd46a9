// The editor never waits: while the way or the server is silent, every key and every call is answered, in that order.
import { expect, test } from 'vitest'
import { descendants } from '../../support/process-tree.ts'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { startRelay } from './relay.ts'
import { CHAT, gone, STEPWISE, sharedSshd, startWorld, type World } from './world.ts'

const CALLS = 100

/** Makes calls and types keys; resolves when all have been answered and have worked. Nothing else is awaited. */
async function isAlert(world: World, word: string): Promise<void> {
  await world.nvim.type(`i${word}`)
  await world.nvim.waitForScreen(new RegExp(word))
  await world.nvim.type('<Esc>')
  for (let call = 0; call < CALLS; call++) {
    expect(await world.nvim.lua("return require('ollama-remote').status().queued")).toBe(0)
  }
  expect(await world.nvim.lua('return vim.api.nvim_get_mode()')).toEqual({ mode: 'n', blocking: false })
}

describeWithSshd('never blocking', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('while others are slow', (nvim) => {
    test('while a network swallows everything: keys, calls, the picker and quitting', async () => {
      const relay = await startRelay(sshd().port)
      relay.freeze()
      const knownHosts = `[127.0.0.1]:${relay.port} ${sshd().hostKey.publicLine}\n`
      const world = await startWorld(nvim, sshd(), { ssh: { port: relay.port }, knownHosts })
      await world.open()
      await world.send('hello')
      await relay.waitForConnections(1)
      await isAlert(world, 'meanwhile')
      await world.nvim.command('Ollama model')
      await world.nvim.command('Ollama default')
      await isAlert(world, 'undisturbed')
      expect(await world.nvim.lua(`return ${CHAT}.state.phase`)).toBe('connecting')
      const family = descendants(world.nvim.pid)
      // Nothing has passed the relay yet, so nobody was waited for.
      await world.nvim.quit()
      await Promise.all(family.map(gone))
      expect(world.logins()).toBe(0)
    })

    test('the first start over a silent network: the prompt can be written and sent, and waits for the choice', async () => {
      const relay = await startRelay(sshd().port)
      relay.freeze()
      const knownHosts = `[127.0.0.1]:${relay.port} ${sshd().hostKey.publicLine}\n`
      const options = { ssh: { port: relay.port }, knownHosts, setup: { default_model: undefined } }
      const world = await startWorld(nvim, sshd(), options)
      await world.nvim.type(' oo')
      await relay.waitForConnections(1)
      await isAlert(world, 'first')
      await world.nvim.type('<CR>')
      await world.nvim.waitForScreen(/queued · \d+ s/)
      expect(await world.promptText()).toBe('')
      relay.thaw()
      await world.nvim.waitForScreen(/1: +gpu:thinker:8b/)
      await world.nvim.type('1<CR>')
      expect(await world.ended(0)).toMatchObject({ role: 'assistant', end: 'done' })
      expect(world.chats()[0]?.messages).toEqual([{ role: 'user', content: 'first' }])
    })

    test('while the server loads a model for ever, and the chat is toggled, closed and opened', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      world.ollama.script({ ...STEPWISE, loadMs: 5_000, pieces: ['At ', 'last.'] })
      const before = await world.ends()
      await world.send('hello')
      await world.nvim.waitForScreen(/loading model/)
      await isAlert(world, 'meanwhile')
      await world.nvim.type(' ot')
      await world.nvim.waitForScreen((screen) => !screen.includes('loading model'))
      await world.nvim.type(' ot')
      await world.nvim.waitForScreen(/loading model/)
      expect(await world.promptText()).toBe('meanwhile')
      await world.waitForWork()
      world.clock.advance(5_000)
      await world.nvim.waitForScreen(/At/)
      await world.nvim.type(' ot')
      world.step(2)
      await world.ended(before)
      await world.nvim.type(' ot')
      await world.nvim.waitForScreen(/At last\./)
    })

    test('while an answer comes as fast as it can', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      const pieces = Array.from({ length: 30_000 }, (_, index) => (index % 12 === 0 ? '\n- `item` ' : 'word '))
      world.ollama.script({ pieces, ending: 'stall' })
      await world.send('much')
      await world.nvim.waitForScreen(/word word/)
      await isAlert(world, 'meanwhile')
      await world.nvim.type('<C-w>kgg')
      await world.nvim.waitForScreen(/▎much/)
      await world.nvim.type('<C-c>')
      await world.ollama.waitForDisconnect()
      expect((await world.ended(0, 'stopped')).end).toBe('stopped')
    })
  })
})
