// The list of servers against a real sshd: what it shows, tests, keeps and takes up while chats go on.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
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
