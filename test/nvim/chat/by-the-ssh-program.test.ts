// A chat whose link the system's ssh holds: its questions are asked in the editor, and nothing of it outlives the editor.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { descendants, isAlive } from '../../support/process-tree.ts'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { STEPWISE, sharedSshd, startWorld } from './world.ts'

describeWithSshd('a chat by the ssh program', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('in a real Neovim', (nvim) => {
    test('is asked about the host key and the passphrase, streams, survives a loss, and leaves nothing', async () => {
      const { path, passphrase } = sshd().clientKeyEncrypted
      const ssh = { identity_file: path, transport: 'openssh' } as const
      const world = await startWorld(nvim, sshd(), {
        ssh,
        knownHosts: '',
        setup: { log: { level: 'debug' }, resume: 'never' },
      })
      await world.open()
      const before = await world.ends()
      world.ollama.script({ pieces: ['Come in.'] })
      await world.send('hello')
      const trust = /(\d+): +Yes, trust it and remember it/
      await world.nvim.type(`${trust.exec(await world.nvim.waitForScreen(trust))?.[1]}<CR>`)
      await world.nvim.waitForScreen(/Passphrase of[\s\S]*: *$/m)
      await world.nvim.type('wrong guess<CR>')
      await world.nvim.waitForScreen(/Wrong passphrase; 2 tries left[\s\S]*: *$/m)
      await world.nvim.type(`${passphrase}<CR>`)
      expect((await world.ended(before)).text).toBe('Come in.')
      expect(readFileSync(world.knownHosts, 'utf8')).toContain(sshd().hostKey.publicLine)
      for (const secret of [passphrase, 'wrong guess']) expect(await world.log()).not.toContain(secret)

      world.ollama.script({ ...STEPWISE, pieces: ['Half an ', 'answer'] })
      await world.send('more')
      await world.nvim.waitForScreen(/Half an/)
      await sshd().killSessions()
      const cut = await world.ended(before + 1, 'interrupted')
      expect(cut).toMatchObject({ text: 'Half an ', note: { code: 'SSH_DISCONNECTED' } })
      await world.worksAgain()
      expect(world.logins()).toBe(2)

      const pids = descendants(world.nvim.pid)
      expect(pids.some((pid) => /(^|\/)ssh\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')))).toBe(true)
      process.kill(world.nvim.pid, 'SIGKILL')
      await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([])
    })
  })
})
