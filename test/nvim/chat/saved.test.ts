// Chats as files, with the real host: kept by themselves, and written by one Neovim at a time.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { parseChat } from '../../../src/chat/transcript/chat-file.ts'
import type { Method } from '../../../src/rpc/protocol.ts'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { CHAT, gone, STEPWISE, sharedSshd, startWorld, type World } from './world.ts'

/** A chat of which Lua knows nothing: what the host writes for it goes nowhere. */
const OTHER = 900
const PATIENCE = { timeout: 15_000, interval: 20 }

interface Answered {
  failure?: { code: string }
  value?: Record<string, unknown>
}

async function request(world: World, method: Method, params: Record<string, unknown>): Promise<Answered> {
  const code = `local method, params = ...
    _G.answered = nil
    require('ollama-remote.rpc').request(method, params, function(failure, value)
      _G.answered = { failure = failure, value = value }
    end)`
  await world.nvim.lua(code, method, params)
  return await world.nvim.waitForLua('return _G.answered')
}

async function sharedFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-shared-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

const chatsIn = (folder: string) => join(folder, 'data', 'nvim', 'ollama', 'chats')

async function savedIn(folder: string): Promise<string[]> {
  return (await readdir(chatsIn(folder)).catch(() => [])).filter((file) => file.endsWith('.txt'))
}

async function textsIn(folder: string, file: string): Promise<string[]> {
  const { record } = parseChat(await readFile(join(chatsIn(folder), file), 'utf8'))
  return record.history.entries.map(({ turn }) => turn.text)
}

describeWithSshd('saved chats', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('as files', (nvim) => {
    const start = (folder: string) => startWorld(nvim, sshd(), { folder, ssh: false, setup: { title: 'first-line' } })

    test('a chat is saved by itself, for nobody else, and grows in one file', async () => {
      const folder = await sharedFolder()
      const world = await start(folder)
      await world.open()
      world.ollama.script({ pieces: ['Be', 'cause.'] })
      await world.ask('why')
      await vi.waitFor(async () => expect(await savedIn(folder)).toHaveLength(1), PATIENCE)
      const [file = ''] = await savedIn(folder)
      expect(file).toMatch(/^why_thinker-8b_\d{8}-\d{6}\.txt$/)
      await vi.waitFor(async () => expect(await textsIn(folder, file)).toEqual(['why', 'Because.']), PATIENCE)
      expect((await stat(chatsIn(folder))).mode & 0o777).toBe(0o700)
      expect((await stat(join(chatsIn(folder), file))).mode & 0o777).toBe(0o600)
      await world.nvim.waitForLua(`return ${CHAT}.state.unsaved == false`)
      world.ollama.script({ pieces: ['So.'] })
      await world.ask('and')
      await vi.waitFor(async () => expect(await textsIn(folder, file)).toHaveLength(4), PATIENCE)
      const id = await world.nvim.lua<number>(`return ${CHAT}.id`)
      const saved = await request(world, 'chat.save', { chat: id, name: 'reasons' })
      expect(saved.value).toMatchObject({ title: 'reasons', turns: 0 })
      expect(await savedIn(folder)).toEqual([file.replace('why', 'reasons')])
    })

    test('two Neovims never write one file, and the second has it when the first is gone', async () => {
      const folder = await sharedFolder()
      const first = await start(folder)
      await first.open()
      first.ollama.script({ pieces: ['Because.'] })
      await first.ask('why')
      await first.nvim.waitForLua(`return ${CHAT}.state.file ~= nil`)
      const [file = ''] = await savedIn(folder)
      const second = await start(folder)
      await second.open()
      const loaded = await request(second, 'chat.load', { chat: OTHER, file })
      expect(loaded.value).toMatchObject({ read_only: true, file })
      const send = { chat: OTHER, text: 'mine' }
      expect((await request(second, 'chat.send', send)).failure?.code).toBe('CHAT_READ_ONLY')
      expect((await request(second, 'chat.take_up', { chat: OTHER })).failure?.code).toBe('CHAT_IN_USE')
      process.kill(first.nvim.pid, 'SIGKILL')
      await gone(first.nvim.pid)
      await vi.waitFor(async () => {
        expect((await request(second, 'chat.take_up', { chat: OTHER })).value).toMatchObject({ file })
      }, PATIENCE)
      second.ollama.script({ pieces: ['So.'] })
      await request(second, 'chat.send', send)
      await vi.waitFor(async () => expect(await textsIn(folder, file)).toHaveLength(4), PATIENCE)
    })

    test('what was saved and ended is read, taken up and gone on with', async () => {
      const folder = await sharedFolder()
      const world = await start(folder)
      await world.open()
      world.ollama.script({ pieces: ['Because.'] })
      await world.ask('why')
      await world.nvim.type(':Ollama save locks<CR>')
      const file = await world.nvim.waitForLua<string>(`return ${CHAT}.state.named and ${CHAT}.state.file or nil`)
      expect(await savedIn(folder)).toEqual([file])
      expect(file).toMatch(/^locks_/)
      await world.nvim.type(':Ollama close<CR>')
      await world.nvim.waitForLua(`return ${CHAT} == nil`)
      await world.nvim.type(':Ollama load locks<CR>')
      await world.nvim.waitForScreen(/Because\./)
      await world.nvim.type('<CR>')
      await world.nvim.waitForLua(`return ${CHAT} ~= nil and not ${CHAT}.read_only and ${CHAT}.state.file == ...`, file)
      world.ollama.script({ pieces: ['So.'] })
      await world.nvim.type('<C-w>j<Esc>iand<C-s>')
      await vi.waitFor(async () => {
        expect(await textsIn(folder, file)).toEqual(['why', 'Because.', 'and', 'So.'])
      }, PATIENCE)
      expect(await savedIn(folder)).toEqual([file])
    })

    test('what another program wrote is told, and never overwritten', async () => {
      const folder = await sharedFolder()
      const world = await start(folder)
      await world.open()
      world.ollama.script({ pieces: ['Because.'] })
      await world.ask('why')
      // Not while the host itself is about to write.
      await world.nvim.waitForLua(`return ${CHAT}.state.file ~= nil and not ${CHAT}.state.unsaved`)
      const [file = ''] = await savedIn(folder)
      await writeFile(join(chatsIn(folder), file), 'by another program')
      world.ollama.script({ pieces: ['So.'] })
      await world.ask('and')
      await vi.waitFor(async () => expect(await world.nvim.messages()).toMatch(/changed by another program/), PATIENCE)
      expect(await readFile(join(chatsIn(folder), file), 'utf8')).toBe('by another program')
      expect((await world.lastTurn()).text).toBe('So.')
    })

    test('a chat that could not be saved at its end goes on with all that was said and written in it', async () => {
      const folder = await sharedFolder()
      const world = await start(folder)
      await world.open()
      world.ollama.script({ pieces: ['Because.'] })
      await world.ask('why')
      await world.nvim.waitForLua(`return ${CHAT}.state.file ~= nil and not ${CHAT}.state.unsaved`)
      const [file = ''] = await savedIn(folder)
      await writeFile(join(chatsIn(folder), file), 'by another program')
      world.ollama.script({ ...STEPWISE, pieces: ['So ', 'it is.'] })
      await world.send('and')
      await world.waitForTranscript('So ')
      await world.send('then')
      await world.nvim.waitForLua(`return ${CHAT}.state.queued == 1`)
      await world.nvim.type('iunfinished<Esc> oc')
      await world.nvim.waitForLua(`return ${CHAT} and ${CHAT}.stuck`)
      await vi.waitFor(async () => expect(await world.promptText()).toBe('then\n\nunfinished'), PATIENCE)
      await vi.waitFor(async () => expect((await world.lastTurn()).end).toBe('stopped'), PATIENCE)
      await world.nvim.type('<Esc>:%d<CR>')
      await world.worksAgain()
    })

    test('a draft outlives a terminal that is closed, and a Neovim that is told to end', async () => {
      const folder = await sharedFolder()
      const world = await start(folder)
      await world.open()
      world.ollama.script({ pieces: ['Because.'] })
      await world.ask('why')
      await world.nvim.waitForLua(`return ${CHAT}.state.file ~= nil and not ${CHAT}.state.unsaved`)
      await world.nvim.type('iand then?<Esc>')
      const journal = join(folder, 'data', 'nvim', 'ollama', 'journal')
      const written = async () => {
        const names = await readdir(journal)
        return (await Promise.all(names.map((name) => readFile(join(journal, name), 'utf8')))).join('')
      }
      await vi.waitFor(async () => expect(await written()).toContain('and then?'), PATIENCE)
      const host = await world.hostPid()
      process.kill(world.nvim.pid, 'SIGHUP')
      await gone(host)
      const [file = ''] = await savedIn(folder)
      const { record } = parseChat(await readFile(join(chatsIn(folder), file), 'utf8'))
      expect(record.meta.draft).toEqual({ text: 'and then?' })
    })

    test('after a quit all is in the file, and nothing is left over', async () => {
      const folder = await sharedFolder()
      const first = await start(folder)
      await first.open()
      first.ollama.script({ pieces: ['Because.'] })
      await first.ask('why')
      await first.nvim.waitForLua(`return ${CHAT}.state.file ~= nil and not ${CHAT}.state.unsaved`)
      const host = await first.hostPid()
      await first.end()
      await gone(host)
      const second = await start(folder)
      await second.open()
      expect((await request(second, 'left.list', {})).value).toEqual({ chats: [] })
      const [file = ''] = await savedIn(folder)
      expect(await textsIn(folder, file)).toEqual(['why', 'Because.'])
      expect((await request(second, 'saved.summary', {})).value).toMatchObject({ count: 1 })
    })

    test('after a quit beside another Neovim nothing is left over, whatever becomes of the file', async () => {
      const folder = await sharedFolder()
      const [first, second] = [await start(folder), await start(folder)]
      await second.open()
      await first.open()
      first.ollama.script({ pieces: ['Because.'] })
      await first.ask('why')
      await first.nvim.waitForLua(`return ${CHAT}.state.file ~= nil and not ${CHAT}.state.unsaved`)
      const host = await first.hostPid()
      await first.end()
      await gone(host)
      const [file = ''] = await savedIn(folder)
      await writeFile(join(chatsIn(folder), file), 'by hand')
      expect((await request(second, 'saved.rename', { file, name: 'mine' })).failure).toBeUndefined()
      const third = await start(folder)
      await third.open()
      expect((await request(third, 'left.list', {})).value).toEqual({ chats: [] })
      expect(await savedIn(folder)).toHaveLength(1)
    })
  })
})
