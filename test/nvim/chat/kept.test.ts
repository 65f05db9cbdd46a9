// What is written down of a chat outlives Neovim, with all that belongs to it.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { gone, STEPWISE, sharedSshd, startWorld } from './world.ts'

const FIRST = 'vim.ui.select = function(items, _, on_choice) on_choice(items[1]) end'

async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-kept-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 }))
  return folder
}

describeWithSshd('a chat', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('whose Neovim is killed', (nvim) => {
    async function journals(folder: string): Promise<string[]> {
      const journal = join(folder, 'data/nvim/ollama/journal')
      const names = await readdir(journal).catch(() => [])
      return Promise.all(names.map((name) => readFile(join(journal, name), 'utf8').catch(() => '')))
    }

    test('comes back with its versions, its answer so far, what waited and what was being written', async () => {
      const folder = await ownFolder()
      const setup = { autosave: false, title: 'first-line' } as const
      const world = await startWorld(nvim, sshd(), { ssh: false, folder, setup })
      await world.open()
      world.ollama.script({ pieces: ['to one'] })
      await world.ask('one')
      world.ollama.script({ pieces: ['to one, again'] })
      await world.askAgain()
      world.ollama.script({ ...STEPWISE, pieces: ['Half an ', 'answer'] })
      await world.send('two')
      await world.nvim.waitForScreen(/Half an/)
      await world.send('three')
      await world.nvim.waitForScreen(/queued: three/)
      await world.nvim.type('ia draft')
      await expect.poll(async () => (await journals(folder)).join('')).toContain('a draft')
      const pid = await world.hostPid()
      await world.nvim.kill()
      await gone(pid)

      const next = await startWorld(nvim, sshd(), { ssh: false, folder, setup, init: FIRST })
      await next.open()
      await next.nvim.waitForScreen(/1 chat was left over by a Neovim that ended/)
      await next.nvim.command('Ollama recover')
      await next.waitForTranscript('Half an')
      await next.waitForTranscript('HOST_EXITED')
      expect(await next.lastTurn()).toMatchObject({
        text: 'Half an ',
        end: 'interrupted',
        note: { code: 'HOST_EXITED' },
      })
      await expect.poll(() => next.promptText()).toBe('three\n\na draft')
      expect(await next.transcript()).toContain('‹2/2›')
      expect(next.chats()).toEqual([])
      await next.nvim.type('<Esc>ggdG')
      await next.worksAgain()
      await next.nvim.command('Ollama recover')
      await next.nvim.waitForScreen(/No chat was left over/)
    })

    test('and of which nothing can be read is kept, and told of', async () => {
      const folder = await ownFolder()
      const journal = join(folder, 'data/nvim/ollama/journal')
      await mkdir(journal, { recursive: true })
      await writeFile(join(journal, 'k.jsonl'), 'nothing of this')
      const world = await startWorld(nvim, sshd(), { ssh: false, folder })
      await world.open()
      await expect.poll(() => world.nvim.messages()).toContain(`is kept in ${join(journal, 'k.jsonl.damaged')}`)
      expect(await readFile(join(journal, 'k.jsonl.damaged'), 'utf8')).toBe('nothing of this')
    })
  })
})
