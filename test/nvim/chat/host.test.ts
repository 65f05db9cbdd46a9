// The host's life beside Neovim's: it may die at any time, and costs nobody a word; it never outlives its Neovim.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { startNeovim } from '../../support/nvim-driver.ts'
import { descendants } from '../../support/process-tree.ts'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { CHAT, gone, STEPWISE, sharedSshd, startWorld, type World } from './world.ts'

const STOCK_HOST = fileURLToPath(new URL('../../../node_modules/neovim/bin/cli.js', import.meta.url))
const LISTEN = '0A'

/** Whether a process has a TCP socket that listens. */
function listens(pid: number): boolean {
  const inodes = readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1] ?? []
    } catch {
      return [] // closed since
    }
  })
  return ['tcp', 'tcp6'].some((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((row) => row.trim().split(/\s+/))
      .some(([, , , state, , , , , , inode]) => state === LISTEN && inodes.includes(inode ?? '')),
  )
}

/** How often something was asked; what only shows how a prompt is rendered does not count. */
function asks(world: World): number {
  return world.chats().filter((body) => !('_debug_render_only' in body)).length
}

/** How often the person was told of a host's death. */
async function obituaries(world: World): Promise<number> {
  return (await world.nvim.messages()).match(/The host ended/g)?.length ?? 0
}

describeWithSshd('the host', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('its life', (nvim) => {
    test('killed while idle: that is told once, and the next prompt goes on with the conversation', async () => {
      const world = await startWorld(nvim, sshd(), { setup: { system: 'Be kind.' } })
      await world.open()
      world.ollama.script({ thinking: ['hm '], pieces: ['```lua\nlocal x\n```\n## ◆ You · no'] })
      await world.ask('one')
      const before = await world.transcript()
      const pid = await world.hostPid()
      process.kill(pid, 'SIGKILL')
      await gone(pid)
      await world.nvim.waitForLua(`return not ${CHAT}.known`)
      expect(await world.transcript()).toBe(before)
      await world.worksAgain()
      expect(await world.hostPid()).not.toBe(pid)
      expect(world.chats()[1]?.messages).toEqual([
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'one' },
        { role: 'assistant', content: '```lua\nlocal x\n```\n## ◆ You · no' },
        { role: 'user', content: 'does it work' },
      ])
      expect((await world.transcript()).startsWith(before)).toBe(true)
      expect(await obituaries(world)).toBe(1)
    })

    test('killed in mid-answer: what came stays, what waited comes back, and the next prompt goes on', async () => {
      const world = await startWorld(nvim, sshd(), { setup: { resume: 'ask' } })
      await world.open()
      await world.ask('one')
      world.ollama.script({ ...STEPWISE, thinking: ['pondering '], pieces: ['Half **an ', 'answer'] })
      const before = await world.ends()
      await world.send('two')
      await world.nvim.waitForScreen(/pondering/)
      world.step()
      await world.nvim.waitForScreen(/Half/)
      await world.send('three')
      await world.nvim.waitForScreen(/1 queued/)
      const pid = await world.hostPid()
      process.kill(pid, 'SIGKILL')
      expect(await world.ended(before, 'interrupted')).toMatchObject({ text: 'Half **an ', end: 'interrupted' })
      await world.ollama.waitForDisconnect()
      await world.nvim.waitForLua(`return #${CHAT}.pending == 0`)
      expect(await world.promptText()).toBe('three')
      await world.nvim.type('ggdG')
      await world.worksAgain()
      expect(world.chats()[2]?.messages.map(({ content }) => content)).toEqual([
        'one',
        expect.any(String),
        'two',
        'Half **an ',
        'does it work',
      ])
      expect((await world.turns())[3]).toMatchObject({ thinking: 'pondering ', text: 'Half **an ', end: 'interrupted' })
      expect(await obituaries(world)).toBe(1)
    })

    test('killed in mid-answer, or started anew: the answer is gone on with by itself, and no whole one is', async () => {
      const world = await startWorld(nvim, sshd(), { ssh: false })
      await world.open()
      await world.ask('one')
      for (const end of ['killed', 'started anew']) {
        const pieces = [`Half of ${end} `, 'answer ', 'is none.']
        world.ollama.script({ ...STEPWISE, pieces })
        world.ollama.scriptAll({ pieces })
        const [before, asked] = [await world.ends(), asks(world)]
        await world.send(end)
        await world.waitForTranscript(`Half of ${end}`)
        if (end === 'killed') process.kill(await world.hostPid(), 'SIGKILL')
        else await world.nvim.command('Ollama restart')
        expect(await world.ended(before + 1)).toMatchObject({ text: pieces.join(''), end: 'done' })
        expect(asks(world)).toBe(asked + 2)
      }
      const before = world.chats().length
      await world.nvim.command('Ollama restart')
      await world.nvim.waitForLua(`return ${CHAT}.known`)
      expect(world.chats()).toHaveLength(before)
      expect((await world.turns()).map(({ role }) => role).join()).toBe('user,assistant,'.repeat(3).slice(0, -1))
    })

    test('it never listens, and dies with a Neovim that is killed, in mid-answer too', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      world.ollama.script({ pieces: ['Half an '], ending: 'stall' })
      await world.send('what')
      await world.nvim.waitForScreen(/Half an/)
      const pid = await world.hostPid()
      expect(listens(pid)).toBe(false)
      const family = descendants(world.nvim.pid)
      expect(family).toContain(pid)
      await world.nvim.kill()
      await world.ollama.waitForDisconnect()
      await Promise.all(family.map(gone))
    })

    test(':qa is quick while an answer streams, and leaves no process behind', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      world.ollama.script({
        tokensPerSecond: 'unbounded',
        pieces: Array.from({ length: 20_000 }, () => 'word '),
        ending: 'stall',
      })
      await world.send('what')
      await world.nvim.waitForScreen(/word word/)
      const family = descendants(world.nvim.pid)
      expect(family).toContain(await world.hostPid())
      await world.nvim.type('ia draft that is lost, as with any scratch buffer<Esc>')
      // Neovim kills a host that does not end by itself after 2 s.
      expect(await world.nvim.quit()).toBeLessThan(1_900)
      await Promise.all(family.map(gone))
    })

    test(':Ollama restart starts it anew without a word of death, and the conversation goes on', async () => {
      const world = await startWorld(nvim, sshd(), { setup: { resume: 'ask' } })
      await world.open()
      await world.ask('one')
      const pid = await world.hostPid()
      await world.nvim.command('Ollama restart')
      await gone(pid)
      await world.nvim.waitForLua(`return ${CHAT}.known`)
      await world.worksAgain()
      expect(world.chats()[1]?.messages).toHaveLength(3)
      expect(await obituaries(world)).toBe(0)

      world.ollama.script({ ...STEPWISE, pieces: ['Half an ', 'answer'] })
      const before = await world.ends()
      await world.send('two')
      await world.nvim.waitForScreen(/Half an/)
      await world.nvim.command('Ollama restart')
      expect(await world.ended(before, 'interrupted')).toMatchObject({ text: 'Half an ' })
      await world.worksAgain()
      expect(await obituaries(world)).toBe(0)
    })

    test('beside :UpdateRemotePlugins both hosts answer', async () => {
      const data = await mkdtemp(join(tmpdir(), 'ollama-remote-data-'))
      onTestFinished(() => rm(data, { recursive: true, force: true }))
      const manifest = join(data, 'rplugin.vim')
      const init = `vim.g.node_host_prog = [[${STOCK_HOST}]]`
      const registering = await startNeovim(nvim, { init })
      onTestFinished(async () => void (await registering.quit()))
      // A Neovim that was started with --clean has neither read a manifest nor does it know where one would be.
      await registering.command(`let g:loaded_remote_plugins = '${manifest}' | UpdateRemotePlugins`)
      const world = await startWorld(nvim, sshd(), { init })
      await world.nvim.command(`source ${manifest}`)
      expect(await world.nvim.lua('return vim.fn.OllamaRemoteVersion()')).toMatch(/^\d+\.\d+\.\d+/)
      await world.open()
      await world.worksAgain()
      expect(await world.nvim.lua('return vim.fn.OllamaRemoteVersion()')).toMatch(/^\d+\.\d+\.\d+/)
      const family = descendants(world.nvim.pid)
      await world.nvim.quit()
      await Promise.all(family.map(gone))
    })

    test('where nothing is built, building is offered; declined, the prompt comes back', async () => {
      const world = await startWorld(nvim, sshd(), { host: '/nowhere/index.cjs' })
      await world.nvim.type(' oo')
      await world.nvim.waitForScreen(/Yes, build it now[\s\S]*No, not now/)
      await world.nvim.type('2<CR>')
      await world.nvim.waitForScreen((screen) => /is not built(?! yet)/.test(screen) && !screen.includes('not now'))
      await world.send('hello')
      await world.nvim.waitForScreen(/Yes, build it now[\s\S]*No, not now/)
      await world.nvim.type('2<CR>')
      await world.nvim.waitForLua(`return #${CHAT}.pending == 0`)
      expect(await world.promptText()).toBe('hello')
    })
  })
})
