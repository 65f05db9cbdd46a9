// The main job: from the key to the answer, by way of a real tunnel.
import { statSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { CHAT, STEPWISE, sharedSshd, startWorld, type World } from './world.ts'

const CONFIG_FILE = `-- mine, and I like it
return {
  split_preference = 'horizontal', -- below
  -- what a later version may know
  of_the_future = { 1, 'two' },
}
`

/** Chooses a model from the list on the screen by its number. */
async function choose(world: World, model: string): Promise<void> {
  const row = new RegExp(`(\\d+): +${model}`)
  const screen = await world.nvim.waitForScreen(row)
  await world.nvim.type(`${row.exec(screen)?.[1]}<CR>`)
}

async function configFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-config-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describeWithSshd('the main job', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('from the key to the answer', (nvim) => {
    test('the first time a model is chosen; it is kept in the file, whose other lines stay, and counts at the next start', async () => {
      const env = { XDG_CONFIG_HOME: await configFolder() }
      const setup = { default_model: undefined }
      const init = "vim.uv.fs_chmod(vim.fn.stdpath('config') .. '/ollama_config.lua', tonumber('600', 8))"
      const world = await startWorld(nvim, sshd(), { env, setup, configFile: CONFIG_FILE, init })
      await world.nvim.type(' oo')
      const screen = await world.nvim.waitForScreen(/gpu:plain:latest/)
      expect(screen).toMatch(/\d: +gpu:thinker:8b +1\.3 GB +1\.2B +Q8_0 +tools thinking/)
      await choose(world, 'gpu:thinker:8b')
      await world.nvim.waitForScreen(/gpu:thinker:8b ●/)
      const file = join(env.XDG_CONFIG_HOME, 'nvim', 'ollama_config.lua')
      await world.nvim.waitForLua("return table.concat(vim.fn.readfile(...)):find('last_updated') ~= nil", file)
      const kept = await readFile(file, 'utf8')
      for (const line of CONFIG_FILE.split('\n')) expect(kept).toContain(line)
      expect(kept).toMatch(/^ {2}default_model = ["']gpu:thinker:8b["'],$/m)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      const turn = await world.ask('hello')
      expect(turn).toMatchObject({ role: 'assistant', model: 'gpu:thinker:8b', end: 'done' })

      const next = await startWorld(nvim, sshd(), { env, setup })
      await next.open()
      await next.nvim.waitForScreen(/gpu:thinker:8b ●/)
      // The key that the plugin does not know is told of, but costs nothing else.
      await next.nvim.waitForLua("return vim.fn.execute('messages'):find('of_the_future', 1, true)")
      expect((await next.ask('and now')).model).toBe('gpu:thinker:8b')
    })

    test('every phase is seen, the thinking folds when it ends, and the receipt stands under the answer', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      world.ollama.script({
        ...STEPWISE,
        loadMs: 5_000,
        promptMs: 5_000,
        thinking: ['A lock ', 'is held.\n'],
        pieces: ['It **', 'waits**', ' for itself.'],
      })
      await world.send('why does it hang')
      await world.nvim.waitForScreen(/loading model · \d+ s · <C-c> stops/)
      expect(await world.nvim.lua("return require('ollama-remote').status()")).toMatchObject({ phase: 'loading' })
      await world.waitForWork()
      world.clock.advance(5_000)
      await world.nvim.waitForScreen(/reading prompt · \d+ s/)
      world.clock.advance(5_000)
      await world.nvim.waitForScreen(/A lock[\s\S]*thinking · \d+ s/)
      world.step()
      await world.nvim.waitForScreen(/A lock is held\./)
      world.step()
      await world.nvim.waitForScreen(
        (screen) => /▸ thought for [\d.]+ s[\s\S]*writing · \d+ s/.test(screen) && !screen.includes('A lock'),
      )
      world.step()
      await world.nvim.waitForScreen(/waits/)
      const before = await world.ends()
      world.step(2)
      const turn = await world.ended(before)
      expect(turn).toMatchObject({ text: 'It **waits** for itself.', thinking: 'A lock is held.\n', end: 'done' })
      await world.nvim.waitForScreen(
        (screen) => /5 tokens · .*first token .*/.test(screen) && !/<C-c> stops|<!--/.test(screen),
      )
      expect(await world.told()).toEqual([
        'Started connecting',
        ...['connecting', 'authenticating', 'loading', 'reading', 'thinking', 'writing'].map(
          (phase) => `Phase ${phase}`,
        ),
        'Finished idle done',
      ])
      expect(await world.nvim.lua("return require('ollama-remote').status()")).toMatchObject({
        text: 'gpu:thinker:8b',
        phase: 'idle',
        ended: 'done',
      })
      await world.nvim.type('<C-w>k?thought for<CR>zo')
      await world.nvim.waitForScreen(/A lock is held\./)
    })

    test('the whole conversation goes along, with the system prompt, the options and how to think', async () => {
      const setup = { system: 'Be brief.', options: { num_ctx: 8192, temperature: 0.5 }, keep_alive: '10m' }
      const world = await startWorld(nvim, sshd(), { setup: { ...setup, think: 'low' } })
      await world.open()
      world.ollama.script({ thinking: ['hm'], pieces: ['One.'] })
      await world.ask('first')
      expect(world.chats()).toEqual([
        {
          model: 'thinker:8b',
          messages: [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: 'first' },
          ],
          stream: true,
          think: 'low',
          options: setup.options,
          keep_alive: '10m',
        },
      ])
      world.ollama.script({ pieces: ['Two.'] })
      await world.ask('second')
      expect(world.chats()[1]?.messages).toEqual([
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'first' },
        { role: 'assistant', content: 'One.' },
        { role: 'user', content: 'second' },
      ])
      await world.nvim.command('Ollama model gpu:plain:latest')
      await world.nvim.waitForScreen(/gpu:plain:latest ●/)
      expect((await world.ask('third')).model).toBe('gpu:plain:latest')
      expect(world.chats()[2]).toMatchObject({ model: 'plain:latest', messages: { length: 6 } })
      expect(world.chats()[2]).not.toHaveProperty('think')
      expect((await world.turns()).map(({ role }) => role)).toEqual([
        'system',
        'user',
        'assistant',
        'user',
        'assistant',
        'user',
        'assistant',
      ])
      // One connection carried it all.
      expect(world.logins()).toBe(1)
    })

    test('it streams on while the user types; what is sent meanwhile waits, and both answers come', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      world.ollama.script({ ...STEPWISE, pieces: ['alpha ', 'beta ', 'gamma ', 'delta'] })
      world.ollama.script({ pieces: ['the second answer'] })
      const before = await world.ends()
      await world.send('one')
      await world.nvim.waitForScreen(/alpha/)
      await world.nvim.type('iand ')
      world.step()
      await world.nvim.waitForScreen(/alpha beta/)
      await world.nvim.type('then ')
      world.step()
      await world.nvim.waitForScreen(/alpha beta gamma/)
      await world.nvim.type('what')
      await world.nvim.waitForScreen(/and then what/)
      expect(await world.promptText()).toBe('and then what')
      expect(await world.nvim.lua('return vim.api.nvim_get_mode().mode')).toBe('i')
      await world.nvim.type('<C-s>')
      await world.nvim.waitForScreen(/● {2}1 queued[\s\S]*queued: and then what/)
      await world.nvim.type('a draft')
      world.step(2)
      await world.ended(before + 1)
      expect((await world.turns()).map(({ text }) => text)).toEqual([
        'one',
        'alpha beta gamma delta',
        'and then what',
        'the second answer',
      ])
      expect(await world.promptText()).toBe('a draft')
      expect(world.chats()[1]?.messages.map(({ content }) => content)).toEqual([
        'one',
        'alpha beta gamma delta',
        'and then what',
      ])
      await world.nvim.waitForScreen((screen) => !screen.includes('queued'))
    })

    test('a long answer comes whole, and the view follows only where the cursor was at the end', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      const lines = Array.from({ length: 3_000 }, (_, index) => `line ${index} of *many*\n`)
      world.ollama.script({ pieces: lines })
      expect((await world.ask('much')).text).toBe(lines.join(''))
      await world.nvim.waitForScreen(/line 2999 of/)
      world.ollama.script({ ...STEPWISE, pieces: ['first\n', 'second\n', 'third\n'] })
      const before = await world.ends()
      await world.send('more')
      await world.nvim.waitForScreen(/▎first/)
      await world.nvim.type('<C-w>kgg')
      await world.nvim.waitForScreen(/line 0 of/)
      world.step()
      await world.waitForTranscript('second\n')
      expect(await world.cursor('transcript')).toEqual([1, 0])
      expect(world.nvim.screen()).toMatch(/line 0 of/)
      await world.nvim.type('G')
      world.step()
      await world.nvim.waitForScreen(/▎third/)
      world.step()
      await world.ended(before)
    })

    test('a paragraph that is taller than the window is seen while it comes', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      const words = Array.from({ length: 600 }, (_, index) => `word${index} `)
      world.ollama.script({ pieces: words, ending: 'stall' })
      await world.send('at length')
      await world.nvim.waitForScreen(/word599[\s\S]*writing · \d+ s/)
      const shown = (await world.transcriptScreen()).split('\n').filter((line) => line.includes('word'))
      expect(shown.length).toBeGreaterThan(20)
    })

    test('opened by the command line at the start, it stands as it does later', async () => {
      const world = await startWorld(nvim, sshd(), { args: ['-c', 'Ollama chat'] })
      await world.nvim.waitForLua(`return ${CHAT} and ${CHAT}.known`)
      expect(await world.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(3)
      expect(await world.nvim.lua('return vim.api.nvim_win_get_height(0)')).toBe(4)
      await world.worksAgain()
    })

    test('without ssh the url is dialled directly', async () => {
      const world = await startWorld(nvim, sshd(), { ssh: false })
      await world.open()
      world.ollama.script({ pieces: ['Straight.'] })
      expect((await world.ask('how')).text).toBe('Straight.')
      expect(world.logins()).toBe(0)
      expect(await world.told()).not.toContain('Phase authenticating')
    })
  })
})
