// A link that is lost, an answer that is gone on with, and prompts that wait meanwhile.
import { expect, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { type Relay, startRelay } from './relay.ts'
import { CHAT, STEPWISE, sharedSshd, startWorld, type World, type WorldOptions } from './world.ts'

const PIECES = ['Half an ', 'answer — ', '```lua\nlocal ü', ' = 1\n```\n', 'is none.']
const ANSWER = PIECES.join('')

describeWithSshd('a lost link', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('and what waits for it', (nvim) => {
    /** A world whose way to sshd leads through a relay that the test closes and opens. */
    async function relayed(options: WorldOptions = {}): Promise<{ world: World; relay: Relay }> {
      const relay = await startRelay(sshd().port)
      const knownHosts = `[127.0.0.1]:${relay.port} ${sshd().hostKey.publicLine}\n`
      const world = await startWorld(nvim, sshd(), { ssh: { port: relay.port }, knownHosts, ...options })
      await world.open()
      return { world, relay }
    }

    /** Cuts the way when the answer's first pieces stand there, and has the server answer whole from then on. */
    async function cutInMidAnswer({ world, relay }: { world: World; relay: Relay }): Promise<number> {
      world.ollama.script({ ...STEPWISE, pieces: PIECES })
      world.ollama.scriptAll({ pieces: PIECES })
      const before = await world.ends()
      await world.send('what')
      await world.nvim.waitForScreen(/Half an/)
      world.step(2)
      await world.waitForTranscript('local ü')
      await relay.close()
      return before
    }

    test('an answer is gone on with by itself, where it stopped', async () => {
      const parts = await relayed()
      const { world, relay } = parts
      const before = await cutInMidAnswer(parts)
      await world.nvim.waitForScreen(/interrupted: waiting for gpu[\s\S]*gR tries now · <C-c> leaves it so/)
      await world.waitForTranscript('SSH_DISCONNECTED')
      expect(await world.lastTurn()).toMatchObject({ end: 'interrupted', note: { code: 'SSH_DISCONNECTED' } })
      await world.nvim.waitForLua(`return require('ollama-remote').status().text:find('waiting for gpu') ~= nil`)
      await relay.open()
      expect(await world.ended(before)).toMatchObject({ text: ANSWER, end: 'done', seams: [{ method: 'prefill' }] })
      expect((await world.turns()).map(({ role }) => role)).toEqual(['user', 'assistant'])
      await world.worksAgain()
    })

    test('with resume = ask it is gone on with at a key', async () => {
      const parts = await relayed({ setup: { resume: 'ask' } })
      const { world, relay } = parts
      const before = await cutInMidAnswer(parts)
      await world.ended(before, 'interrupted')
      await world.nvim.waitForScreen(/gR, or :Ollama resume/)
      await relay.open()
      await world.nvim.type('<C-w>kgR<C-w>j')
      expect(await world.ended(before + 1)).toMatchObject({ text: ANSWER, end: 'done' })
    })

    test('<C-c> ends the wait, the answer stays, and :Ollama resume goes on later', async () => {
      const parts = await relayed()
      const { world, relay } = parts
      const before = await cutInMidAnswer(parts)
      await world.nvim.waitForScreen(/interrupted: waiting for gpu/)
      await world.nvim.type('<C-c>')
      expect(await world.ended(before, 'interrupted')).toMatchObject({ end: 'interrupted', note: { text: /gR/ } })
      await relay.open()
      await world.nvim.command('Ollama resume')
      expect(await world.ended(before + 1)).toMatchObject({ text: ANSWER, end: 'done' })
    })

    test('prompts written offline are shown, can be taken back, and go out in order', async () => {
      const { world, relay } = await relayed()
      await relay.close()
      const before = await world.ends()
      world.ollama.scriptAll((ask) => ({ pieces: [`to ${ask.messages.at(-1)?.content}`] }))
      for (const text of ['one', 'two', 'three', 'four']) await world.send(text)
      await world.nvim.waitForScreen(
        /offline: waiting for gpu[\s\S]*queued: two[\s\S]*queued: three[\s\S]*queued: four/,
      )
      await world.nvim.lua(`vim.ui.select = function(items, _, on_choice) on_choice(items[2]) end`)
      await world.nvim.command('Ollama queue')
      await world.nvim.waitForLua(`return #${CHAT}.pending == 2`)
      expect(await world.promptText()).toBe('three')
      await relay.open()
      await world.nvim.waitForLua(
        `return #vim.tbl_filter(function(row) return row[1] == 'Finished' end, _G.told) >= ...`,
        before + 3,
      )
      expect((await world.turns()).map(({ text }) => text)).toEqual([
        'one',
        'to one',
        'two',
        'to two',
        'four',
        'to four',
      ])
    })

    test('when the host dies while prompts wait, none is lost', async () => {
      const { world, relay } = await relayed({ setup: { resume: 'ask' } })
      await relay.close()
      for (const text of ['one', 'two', 'three']) await world.send(text)
      await world.nvim.waitForScreen(/offline: waiting for gpu[\s\S]*queued: three/)
      process.kill(await world.hostPid(), 'SIGKILL')
      await world.nvim.waitForLua(`return #${CHAT}.pending == 0 and ${CHAT}.state.phase == 'idle'`)
      expect(await world.promptText()).toBe('two\n\nthree')
      expect((await world.turns()).map(({ text }) => text)).toEqual(['one'])
      await relay.open()
      world.ollama.script({ pieces: ['to one'] })
      expect((await world.askAgain()).text).toBe('to one')
    })

    test('<C-c> takes the waiting prompt back; the next one goes on waiting; stop! takes all', async () => {
      const { world, relay } = await relayed()
      await relay.close()
      for (const text of ['one', 'two', 'three']) await world.send(text)
      await world.nvim.waitForScreen(/offline: waiting for gpu[\s\S]*queued: two/)
      await world.nvim.type('<C-c>')
      await world.nvim.waitForLua(`return #${CHAT}.pending == 1`)
      expect(await world.promptText()).toBe('one')
      await world.nvim.waitForScreen(/two[\s\S]*offline: waiting for gpu[\s\S]*queued: three/)
      expect((await world.turns()).map(({ text }) => text)).toEqual(['two'])
      await world.nvim.type('ggdG:Ollama stop!<CR>')
      await world.nvim.waitForLua(`return #${CHAT}.pending == 0 and ${CHAT}.state.phase == 'idle'`)
      expect(await world.promptText()).toBe('two\n\nthree')
      expect(world.ollama.requests).toEqual([])
    })
  })
})
