// Chats that last, with nothing faked: saved under a name, added to, read, taken up, cleared and brought back; two at once.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { CHAT, STEPWISE, sharedSshd, startWorld, type World } from './world.ts'

/** The model is asked for nothing but what a test asks. */
const OPTIONS = { setup: { title: 'first-line' } } as const

async function folderOf(world: World): Promise<string> {
  return join(await world.nvim.lua<string>("return vim.fn.stdpath('data')"), 'ollama', 'chats')
}

async function files(world: World): Promise<string[]> {
  const all = await readdir(await folderOf(world)).catch(() => [])
  return all.filter((file) => /^[^.].*\.txt$/.test(file))
}

async function savedAs(world: World, name: string): Promise<string> {
  await world.nvim.type(' os')
  await world.nvim.waitForScreen(/Save the chat as/)
  await world.nvim.type(`<C-u>${name}<CR>`)
  await world.nvim.waitForLua(`return ${CHAT}.state.named and not ${CHAT}.state.unsaved`)
  await expect.poll(() => files(world)).toHaveLength(1)
  const [file = ''] = await files(world)
  return join(await folderOf(world), file)
}

describeWithSshd('chats that last', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('from their first word', (nvim) => {
    test('one is saved under a name, added to, read beside a living one, and taken up again', async () => {
      const world = await startWorld(nvim, sshd(), OPTIONS)
      await world.open()
      world.ollama.script({ pieces: ['First answer.'] })
      await world.ask('why a deadlock?')
      const path = await savedAs(world, 'locks and keys')
      expect(path).toMatch(/locks.and.keys_thinker-8b_\d{8}-\d{6}\.txt$/)
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      world.ollama.script({ pieces: ['Second answer.'] })
      await world.ask('and then?')
      await expect.poll(() => readFile(path, 'utf8')).toMatch(/First answer\.[\s\S]*Second answer\./)
      expect(await files(world)).toHaveLength(1)

      await world.nvim.type(' oc')
      await world.nvim.waitForLua(`return ${CHAT} == nil`)
      await world.open()
      await world.nvim.type('ia new draft<Esc>:Ollama load locks and keys<CR>')
      await world.nvim.waitForLua(`return ${CHAT}.read_only and ${CHAT}.known`)
      await world.nvim.waitForScreen(/Second answer\./)
      expect(await world.nvim.lua('return vim.bo.modifiable')).toBe(false)
      await world.nvim.type('<CR>')
      await world.nvim.waitForLua(`return not ${CHAT}.read_only and ${CHAT}.id == 3`)
      world.ollama.script({ pieces: ['Third answer.'] })
      await world.ask('go on')
      await expect.poll(() => readFile(path, 'utf8')).toMatch(/Second answer\.[\s\S]*Third answer\./)
      expect(await files(world)).toHaveLength(1)
      const draft =
        "table.concat(vim.api.nvim_buf_get_lines(require('ollama-remote.chats').get(2).buffers.prompt, 0, -1, false))"
      expect(await world.nvim.lua(`return ${draft}`)).toBe('a new draft')
    })

    test('what is found by its text is opened there, and taken up as it stands', async () => {
      const world = await startWorld(nvim, sshd(), OPTIONS)
      await world.open()
      const lines = Array.from({ length: 120 }, (_, index) => `Line ${index} of it.`)
      world.ollama.script({ pieces: [`${lines.join('\n\n')}\n\nThe Größe of a heap.\n\n${lines.join('\n\n')}`] })
      await world.ask('why?')
      await savedAs(world, 'locks')
      await world.nvim.type(' oc')
      await world.nvim.waitForLua(`return ${CHAT} == nil`)
      await world.nvim.type(':Ollama search heap größe<CR>')
      await world.nvim.waitForScreen(/1: locks +\d{4}-\d\d-\d\d +The Größe of a heap\./)
      await world.nvim.type('1<CR>')
      const line = "vim.api.nvim_buf_get_lines(0, vim.fn.line('.') - 1, vim.fn.line('.'), false)[1]"
      await world.nvim.waitForLua(`return ${CHAT} and ${CHAT}.read_only and ${line} == 'The Größe of a heap.'`)
      expect(await world.nvim.lua("return vim.fn.col('.')")).toBe(5)
      const tick = await world.nvim.lua<number>(`return vim.b[${CHAT}.buffers.transcript].changedtick`)
      await world.nvim.type('<CR>')
      await world.nvim.waitForLua(
        `return not ${CHAT}.read_only and ${CHAT}.buffers.prompt and ${CHAT}.windows.transcript`,
      )
      world.ollama.script({ pieces: ['Another answer.'] })
      const standing = `
        local window = ${CHAT}.windows.transcript
        local row = vim.api.nvim_win_get_cursor(window)[1]
        local buffer = vim.api.nvim_win_get_buf(window)
        return { vim.b[buffer].changedtick, vim.api.nvim_buf_get_lines(buffer, row - 1, row, false)[1] }`
      await world.nvim.waitForScreen(/The Größe of a heap\./)
      expect(await world.nvim.lua(standing)).toEqual([tick, 'The Größe of a heap.'])
      await world.ask('and then?')
      await expect
        .poll(() => world.transcript())
        .toMatch(/The Größe of a heap\.[\s\S]*and then\?[\s\S]*Another answer\./)
    })

    test('all are cleared after a question, and brought back', async () => {
      const world = await startWorld(nvim, sshd(), OPTIONS)
      await world.open()
      world.ollama.script({ pieces: ['An answer.'] })
      await world.ask('a question')
      await savedAs(world, 'one')
      await world.nvim.type(' oc')
      await world.nvim.waitForLua(`return ${CHAT} == nil`)
      await world.nvim.type(' ox')
      await world.nvim.waitForScreen(/Move 1 saved chat to the trash\?/)
      await world.nvim.type('2<CR>')
      await world.nvim.waitForScreen(/went to the trash/)
      expect(await files(world)).toEqual([])
      await world.nvim.type(':Ollama undo-clear<CR>')
      await world.nvim.waitForScreen(/1 saved chat came back/)
      expect(await files(world)).toHaveLength(1)
    })

    test('one that is open here is ended and moved to the trash with all of it', async () => {
      const world = await startWorld(nvim, sshd(), OPTIONS)
      await world.open()
      world.ollama.script({ pieces: ['An answer.'] })
      await world.ask('a question')
      await savedAs(world, 'one')
      await world.nvim.type('ia draft<Esc>:Ollama delete one<CR>')
      await world.nvim.waitForScreen(/"one" is open here\. End it and move it to the trash\?/)
      await world.nvim.type('2<CR>')
      await world.nvim.waitForScreen(/is in the trash/)
      expect(await world.nvim.lua(`return ${CHAT} == nil`)).toBe(true)
      expect(await files(world)).toEqual([])
      await world.nvim.type(':Ollama undo-clear<CR>')
      await world.nvim.waitForScreen(/1 saved chat came back/)
      const [file = ''] = await files(world)
      expect(await readFile(join(await folderOf(world), file), 'utf8')).toMatch(/An answer\.[\s\S]*a draft/)
    })

    test(':wqa saves what nobody saves by himself, though Neovim does not wait for it', async () => {
      const world = await startWorld(nvim, sshd(), { setup: { ...OPTIONS.setup, autosave: false } })
      await world.open()
      world.ollama.script({ pieces: ['An answer.'] })
      await world.ask('a question')
      const folder = await folderOf(world)
      await world.nvim.waitForLua(`return vim.bo[${CHAT}.buffers.transcript].modified`)
      await world.nvim.command('Ollama new')
      await world.nvim.waitForLua(`return ${CHAT}.id == 2 and ${CHAT}.known`)
      world.ollama.script({ pieces: ['Another answer.'] })
      await world.ask('something else')
      await world.nvim.waitForLua(`return vim.bo[${CHAT}.buffers.transcript].modified`)
      await world.nvim.type(':wqa<CR>')
      await world.nvim.exited()
      const saved = async () =>
        (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.txt')).toSorted()
      const both = [expect.stringMatching(/^a.question_/), expect.stringMatching(/^something.else_/)]
      await expect.poll(saved).toEqual(both)
    })

    test(':wq in the last windows saves one without a name, and Neovim ends', async () => {
      const world = await startWorld(nvim, sshd(), { setup: { ...OPTIONS.setup, autosave: false } })
      await world.open()
      world.ollama.script({ pieces: ['An answer.'] })
      await world.ask('a question')
      const folder = await folderOf(world)
      await world.nvim.waitForLua(`return vim.bo[${CHAT}.buffers.transcript].modified`)
      await world.nvim.type('<C-w>h<C-w>c')
      await world.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 2')
      await world.nvim.type(':wq<CR>')
      await world.nvim.exited()
      await expect.poll(() => readdir(folder).catch(() => [])).toEqual([expect.stringMatching(/^a.question_/)])
    })

    test('two answer at once, each into its own text', async () => {
      const world = await startWorld(nvim, sshd(), { ...OPTIONS, ollama: { parallel: 2 } })
      await world.open()
      world.ollama.script({ ...STEPWISE, pieces: ['one ', 'two ', 'three.'] })
      await world.send('count')
      await world.waitForWork()
      await world.nvim.command('Ollama new')
      await world.nvim.waitForLua(`return ${CHAT}.id == 2 and ${CHAT}.known`)
      world.ollama.script({ ...STEPWISE, pieces: ['alpha ', 'beta ', 'gamma.'] })
      await world.send('spell')
      await world.nvim.waitForLua(`return ${CHAT}.state.phase ~= 'idle'`)
      const done = `local all = require('ollama-remote.chats').all()
        return all[1].state.ended == 'done' and all[2].state.ended == 'done'`
      await world.ollama.waitUntil(() => world.ollama.activeGenerations === 2)
      while (!(await world.nvim.lua<boolean>(done))) world.step()
      const text = (id: number) =>
        world.nvim.lua<string>(
          "return require('ollama-remote.transcript').text(require('ollama-remote.chats').get(...))",
          id,
        )
      expect(await text(1)).toMatch(/count[\s\S]*one two three\./)
      expect(await text(2)).toMatch(/spell[\s\S]*alpha beta gamma\./)
      expect(await text(1)).not.toMatch(/alpha/)
    })
  })
})
