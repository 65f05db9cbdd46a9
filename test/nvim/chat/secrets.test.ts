// Secrets at rest as a person meets them: kept on a word, asked for once by the next host, and forgotten on a word.
import { readFile, stat } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { sharedSshd, startWorld, type World } from './world.ts'

/** The developer's own keyring is none of these tests' business. */
const NO_KEYRING = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent', XDG_RUNTIME_DIR: '/nonexistent' }

async function enter(world: World, question: RegExp, secret: string): Promise<void> {
  await world.nvim.waitForScreen(question)
  await world.nvim.waitForScreen(/: *$/m)
  await world.nvim.type(secret)
  await world.nvim.waitForScreen(new RegExp(`: \\*{${secret.length}}`))
  await world.nvim.type('<CR>')
}

describeWithSshd('secrets at rest', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('and the words for them', (nvim) => {
    test('are kept encrypted, opened by the next host, and forgotten', async () => {
      const { path, passphrase } = sshd().clientKeyEncrypted
      const world = await startWorld(nvim, sshd(), { ssh: { identity_file: path }, env: NO_KEYRING })
      await world.open()
      world.ollama.script({ pieces: ['Come in.'] })
      const before = await world.ends()
      await world.send('hello')
      await enter(world, /Passphrase of/, passphrase)
      expect((await world.ended(before)).text).toBe('Come in.')
      expect(await world.nvim.messages()).toContain(':Ollama remember keeps it')

      await world.nvim.type(':Ollama remember<CR>')
      await enter(world, /New passphrase for the kept secrets:/, 'master key')
      await enter(world, /The same passphrase once more:/, 'master key')
      await world.nvim.waitForLua("return vim.fn.execute('messages'):find('Kept encrypted', 1, true)")
      const file = await world.nvim.lua<string>("return vim.fn.stdpath('data') .. '/ollama/secrets.json'")
      expect((await stat(file)).mode & 0o777).toBe(0o600)

      await world.nvim.type(':Ollama restart<CR>')
      const again = await world.ends()
      await world.send('hello again')
      await enter(world, /Passphrase of the kept secrets:/, 'master key')
      await world.ended(again)

      await world.nvim.type(':Ollama forget<CR>')
      await world.nvim.waitForLua("return vim.fn.execute('messages'):find('Forgotten: passphrase of', 1, true)")
      await expect(stat(file)).rejects.toThrow('ENOENT')
      const traces = `${await world.nvim.messages()}${await world.nvim.lua<string>("return vim.fn.execute('history all')")}${await world.log()}`
      expect(traces).toContain('secrets are kept')
      for (const secret of [passphrase, 'master key']) expect(traces).not.toContain(secret)
      expect(await readFile(world.knownHosts, 'utf8')).not.toContain(passphrase)
    })

    test('typed blindly before the next question reach no buffer', async () => {
      const { path, passphrase } = sshd().clientKeyEncrypted
      const world = await startWorld(nvim, sshd(), { ssh: { identity_file: path }, env: NO_KEYRING })
      await world.open()
      world.ollama.script({ pieces: ['Come in.'] })
      const before = await world.ends()
      await world.send('hello')
      await world.nvim.waitForScreen(/Passphrase of[\s\S]*: *$/m)
      await world.nvim.type(`wrong<CR>i${passphrase}`)
      await enter(world, /Wrong passphrase; 2 tries left/, passphrase)
      expect((await world.ended(before)).text).toBe('Come in.')
      expect(await world.promptText()).toBe('')
      expect(await world.transcript()).not.toContain(passphrase)
    })

    test('are none where nothing was typed, and that is said', async () => {
      const world = await startWorld(nvim, sshd(), { env: NO_KEYRING })
      await world.open()
      await world.nvim.type(':Ollama remember<CR>')
      await world.nvim.waitForLua("return vim.fn.execute('messages'):find('nothing to keep', 1, true)")
      await world.nvim.type(':Ollama forget<CR>')
      await world.nvim.waitForLua("return vim.fn.execute('messages'):find('nothing to forget', 1, true)")
    })
  })
})
