// A link that is brought up ahead, and one whose death is noticed when its person comes back.
import { expect, test } from 'vitest'
import { startFaultProxy } from '../../support/fault-proxy.ts'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { sharedSshd, startWorld } from './world.ts'

describeWithSshd('the link', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('of a chat', (nvim) => {
    test('is up before the first prompt is sent', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      await world.nvim.type('iHel')
      await world.waitForLog(/from="\w+" to="ready"/)
      expect(world.chats()).toEqual([])
      await world.nvim.type('lo<Esc>')
      await world.worksAgain()
      expect(world.logins()).toBe(1)
    })

    test('asks nothing ahead: the passphrase is asked for when the prompt is sent', async () => {
      const { path, passphrase } = sshd().clientKeyEncrypted
      const world = await startWorld(nvim, sshd(), { ssh: { identity_file: path } })
      await world.open()
      await world.nvim.type('ihello')
      await world.waitForLog(/from="authenticating" to="idle"/)
      expect(world.nvim.screen()).not.toMatch(/passphrase/i)
      expect((await world.nvim.messages()).trim()).toBe('')
      const before = await world.ends()
      world.ollama.script({ pieces: ['Come in.'] })
      await world.nvim.type('<Esc><CR>')
      await world.nvim.waitForScreen(/assphrase[\s\S]*: *$/m)
      await world.nvim.type(`${passphrase}<CR>`)
      expect((await world.ended(before)).text).toBe('Come in.')
    })

    test('that died unnoticed is found out when the editor gets the focus, and is made anew', async () => {
      const proxy = await startFaultProxy({ target: sshd().port })
      try {
        const knownHosts = `[127.0.0.1]:${proxy.port} ${sshd().hostKey.publicLine}\n`
        const world = await startWorld(nvim, sshd(), { ssh: { port: proxy.port }, knownHosts })
        await world.open()
        await world.ask('one')
        proxy.set({ dark: 'both' })
        await world.nvim.lua("vim.api.nvim_exec_autocmds('FocusGained', {})")
        await world.waitForLog(/from="ready" to="lost".*did not answer within 2.5 s when looked at/)
        await proxy.mend()
        await world.waitForLog(/to="lost"[\s\S]*to="ready"/)
        await world.worksAgain()
      } finally {
        await proxy.stop()
      }
    })
  })
})
