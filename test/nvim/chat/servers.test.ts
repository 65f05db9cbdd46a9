// The list of servers against a real sshd: what it shows, tests, keeps and takes up while chats go on.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { startRelay } from './relay.ts'
import { sharedSshd, startWorld, type World } from './world.ts'

function configFile(world: World): Promise<string> {
  return readFile(join(world.nvim.folder, 'config/nvim/ollama_config.lua'), 'utf8')
}

describeWithSshd('the list of servers', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('over SSH', (nvim) => {
    test('connects, shows what is known, tests the way, and disconnects', async () => {
      const world = await startWorld(nvim, sshd(), { columns: 120 })
      await world.nvim.type(' oS')
      await world.nvim.waitForScreen(/○ gpu \* +idle/)
      expect(world.logins()).toBe(0)
      await world.nvim.type('<CR>')
      await world.nvim.waitForScreen(/● gpu \* +ready .* ssh2 .* \d+ ms +\d+\.\d+\.\d+ +none/)
      await world.nvim.type('t')
      await world.nvim.waitForScreen(/All is well/)
      expect(world.logins()).toBe(2)
      await world.nvim.type('q')
      await world.nvim.waitForScreen((screen) => !screen.includes('All is well'))
      await world.nvim.type('x')
      await world.nvim.waitForScreen(/○ gpu \* +idle/)
    })

    test('a server that cannot be reached is no obstacle: to the models of another one, and to a chat with it', async () => {
      const relay = await startRelay(sshd().port)
      relay.freeze()
      const world = await startWorld(nvim, sshd(), { more: { silent: { ssh: `ada@127.0.0.1:${relay.port}` } } })
      await world.nvim.type(' oS')
      await world.nvim.waitForScreen(/○ silent +idle/)
      await world.nvim.lua("vim.fn.search('silent')")
      await world.nvim.type('<CR>')
      await world.nvim.waitForScreen(/◐ silent +connecting/)
      await world.open()
      world.ollama.script({ pieces: ['At once.'] })
      expect((await world.ask('hello')).text).toBe('At once.')
      await world.nvim.command('stopinsert')
      await world.nvim.type(' om')
      const list = await world.nvim.waitForScreen(/✗ silent: /)
      expect(list).toMatch(/gpu:thinker:8b[\s\S]*✗ silent: API_UNAVAILABLE/)
      await world.nvim.type('<Esc>')
    })

    test('what is changed counts at once, and a chat goes on over the connection that it has', async () => {
      const world = await startWorld(nvim, sshd(), { configFile: 'return {\n  -- mine\n}\n' })
      await world.open()
      world.ollama.script({ pieces: ['One.'] })
      await world.ask('one')
      await world.nvim.lua(`require('ollama-remote.rpc').request('servers.save',
        { server = 'near-2', draft = { ssh = false, url = '${world.ollama.url}' } }, function(failure) _G.saved = failure or true end)`)
      expect(await world.nvim.waitForLua('return _G.saved')).toBe(true)
      world.ollama.script({ pieces: ['Two.'] })
      expect((await world.ask('two')).text).toBe('Two.')
      expect(world.logins()).toBe(1)
      await world.nvim.command('Ollama model near-2:plain:latest')
      await world.nvim.waitForScreen(/near-2:plain:latest ●/)
      world.ollama.script({ pieces: ['Three.'] })
      expect((await world.ask('three')).text).toBe('Three.')
      expect(await configFile(world)).toMatch(/^return \{\n {2}-- mine\n {2}servers = \{\n {4}\["near-2"\] = /)
    })

    test('adds a server by a dialogue', async () => {
      const world = await startWorld(nvim, sshd(), { columns: 100 })
      await world.nvim.type(' oS')
      await world.nvim.waitForScreen(/○ gpu \* +idle/)
      await world.nvim.type('a')
      // Who runs the test may have hosts in an ssh_config of his own.
      const asked = await world.nvim.waitForScreen(/or a url:|1: another one/)
      if (asked.includes('1: another one')) await world.nvim.type('1<CR>')
      await world.nvim.waitForScreen(/or a url:/)
      await world.nvim.type(`${world.ollama.url}<CR>`)
      await world.nvim.waitForScreen(/Name of the server:/)
      await world.nvim.type('<C-u>near<CR>')
      await world.nvim.waitForScreen(/● near +ready/)
      expect(await configFile(world)).toContain(`servers = {\n    near = { url = "${world.ollama.url}" },\n  },\n`)
    })
  })
})
