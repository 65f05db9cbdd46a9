// What goes wrong on the way. Each time the reader is told, nothing is lost, and it works again without a new Neovim.
import { readFile, writeFile } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { startRelay } from './relay.ts'
import { STEPWISE, sharedSshd, startWorld, type World } from './world.ts'

/** What the screen shows, without the breaks and bars that a narrow window makes, and without what stands beside it. */
function unwrapped(screen: string): string {
  return screen.replace(/^~.*?│/gm, '').replace(/[\s▎│]/g, '')
}

async function waitForWords(world: World, ...words: string[]): Promise<void> {
  const wanted = words.map((word) => word.replace(/\s/g, ''))
  await world.nvim.waitForScreen((screen) => {
    const text = unwrapped(screen)
    return wanted.every((word) => text.includes(word))
  })
}

/** Answers a question of the host by the number of one of its choices. */
async function choose(world: World, choice: string): Promise<void> {
  const row = new RegExp(`(\\d+): +${choice}`)
  await world.nvim.type(`${row.exec(await world.nvim.waitForScreen(row))?.[1]}<CR>`)
}

describeWithSshd('faults of SSH', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('and what follows', (nvim) => {
    test('the session is killed in mid-answer: it is gone on with over a new connection', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      const pieces = ['Half an ', 'answer', ' is none']
      world.ollama.script({ ...STEPWISE, pieces })
      world.ollama.scriptAll({ pieces })
      const before = await world.ends()
      await world.send('what')
      await world.nvim.waitForScreen(/Half an/)
      await sshd().killSessions()
      const turn = await world.ended(before)
      expect(turn).toMatchObject({ text: 'Half an answer is none', end: 'done', seams: [{ method: 'prefill' }] })
      await world.nvim.waitForScreen(/continued after a cut/)
      expect(world.logins()).toBe(2)
    })

    test('an idle connection that was cut costs the next prompt nothing but a new one', async () => {
      const world = await startWorld(nvim, sshd())
      await world.open()
      await world.ask('one')
      await sshd().killSessions()
      await world.waitForLog(/from="ready" to="lost"/)
      await world.worksAgain()
      expect(world.logins()).toBe(2)
      // Nobody waited for it, so nobody need be told.
      expect((await world.nvim.messages()).trim()).toBe('')
    })

    test('sshd is down: that is said, and the prompt is asked when it is up', async () => {
      const relay = await startRelay(sshd().port)
      await relay.close()
      const knownHosts = `[127.0.0.1]:${relay.port} ${sshd().hostKey.publicLine}\n`
      const world = await startWorld(nvim, sshd(), { ssh: { port: relay.port }, knownHosts })
      await world.open()
      const before = await world.ends()
      await world.send('anyone there')
      await waitForWords(world, 'offline: waiting for gpu', 'refuses connections')
      await world.nvim.waitForScreen(/next try in \d+ s/)
      world.ollama.script({ pieces: ['I am.'] })
      await relay.open()
      expect((await world.ended(before)).text).toBe('I am.')
    })

    test('a changed host key is refused with all there is to know; once mended, gr works', async () => {
      const world = await startWorld(nvim, sshd())
      const old = sshd().hostKey.fingerprint
      await sshd().restart({ newHostKey: true })
      await world.open()
      await world.ask('hello', 'failed')
      expect((await world.note()).code).toBe('SSH_HOST_KEY_CHANGED')
      await waitForWords(
        world,
        old,
        sshd().hostKey.fingerprint,
        `${world.knownHosts}:1`,
        `ssh-keygen -R '[127.0.0.1]:${sshd().port}' -f '${world.knownHosts}'`,
      )
      expect(world.logins()).toBe(0)
      await writeFile(world.knownHosts, `${sshd().knownHostsLine(true)}\n`)
      world.ollama.script({ pieces: ['Well met.'] })
      expect((await world.askAgain()).text).toBe('Well met.')
    })

    test('an unknown host key is asked about: refused first, then trusted and remembered', async () => {
      const world = await startWorld(nvim, sshd(), { knownHosts: '' })
      await world.open()
      const before = await world.ends()
      await world.send('hello')
      await waitForWords(world, sshd().hostKey.fingerprint, `[127.0.0.1]:${sshd().port}`)
      await choose(world, 'No, refuse it')
      await world.ended(before, 'failed')
      expect((await world.note()).code).toBe('SSH_HOST_KEY_UNKNOWN')
      expect(await readFile(world.knownHosts, 'utf8')).toBe('')
      expect(world.logins()).toBe(0)

      world.ollama.script({ pieces: ['Well met.'] })
      await world.nvim.type('<C-w>kgr<C-w>j')
      await choose(world, 'Yes, trust it and remember it')
      expect((await world.ended(before + 1)).text).toBe('Well met.')
      expect(await readFile(world.knownHosts, 'utf8')).toContain(sshd().hostKey.publicLine)

      await sshd().killSessions()
      await world.waitForLog(/from="ready" to="lost"/)
      await world.worksAgain()
    })

    test('a passphrase is asked for until it is right, and leaves no trace', async () => {
      const { path, passphrase } = sshd().clientKeyEncrypted
      const world = await startWorld(nvim, sshd(), { ssh: { identity_file: path }, setup: { log: { level: 'debug' } } })
      await world.open()
      const before = await world.ends()
      world.ollama.script({ pieces: ['Come in.'] })
      await world.send('hello')
      await world.nvim.waitForScreen(/[Pp]assphrase[\s\S]*: *$/m)
      await world.nvim.type('wrong guess')
      await world.nvim.waitForScreen(/: \*{11}/)
      await world.nvim.type('<CR>')
      await world.nvim.waitForScreen(/Wrong passphrase; 2 tries left[\s\S]*: *$/m)
      await world.nvim.type(passphrase)
      await world.nvim.waitForScreen(new RegExp(`: \\*{${passphrase.length}}$`, 'm'))
      await world.nvim.type('<CR>')
      expect((await world.ended(before)).text).toBe('Come in.')
      const traces = (await world.nvim.lua<string>(TRACES)) + (await world.log())
      expect(traces).toContain('host started')
      for (const secret of [passphrase, 'wrong guess']) expect(traces).not.toContain(secret)
      // It is kept in memory: a new connection does not ask again.
      await sshd().killSessions()
      await world.waitForLog(/from="ready" to="lost"/)
      await world.worksAgain()
      expect(world.logins()).toBe(2)
    })

    test('a passphrase that is not given ends the prompt, and gr asks again', async () => {
      const { path, passphrase } = sshd().clientKeyEncrypted
      const world = await startWorld(nvim, sshd(), { ssh: { identity_file: path } })
      await world.open()
      const before = await world.ends()
      await world.send('hello')
      await world.nvim.waitForScreen(/assphrase[\s\S]*: *$/m)
      await world.nvim.type('<Esc>')
      await world.ended(before, 'failed')
      world.ollama.script({ pieces: ['Come in.'] })
      await world.nvim.type('<C-w>kgr<C-w>j')
      await world.nvim.waitForScreen(/assphrase[\s\S]*: *$/m)
      await world.nvim.type(`${passphrase}<CR>`)
      expect((await world.ended(before + 1)).text).toBe('Come in.')
    })

    test('sshd forbids forwarding: that is said with the words to look for; once allowed, gr works', async () => {
      await sshd().restart({ config: ['AllowTcpForwarding no'] })
      onTestFinished(() => sshd().restart({ config: [] }))
      const world = await startWorld(nvim, sshd())
      await world.open()
      const before = await world.ends()
      await world.send('hello')
      // The machine of the test has a program that could carry the requests.
      await choose(world, 'No, leave it')
      await world.ended(before, 'failed')
      expect(await world.note()).toMatchObject({ code: 'SSH_FORWARDING_DENIED', text: /AllowTcpForwarding/ })
      await world.nvim.waitForScreen(/failed · SSH_FORWARDING_DENIED/)
      await sshd().restart({ config: [] })
      world.ollama.script({ pieces: ['Through.'] })
      expect((await world.askAgain()).text).toBe('Through.')
    })

    test('a password is asked for where the server wants one', async (context) => {
      const { password } = sshd()
      if (password === undefined) return context.skip()
      await sshd().restart({ config: ['PasswordAuthentication yes', 'PubkeyAuthentication no'] })
      onTestFinished(() => sshd().restart({ config: [] }))
      const world = await startWorld(nvim, sshd())
      await world.open()
      const before = await world.ends()
      world.ollama.script({ pieces: ['Come in.'] })
      await world.send('hello')
      await world.nvim.waitForScreen(/[Pp]assword[\s\S]*: *$/m)
      await world.nvim.type(`${password}<CR>`)
      expect((await world.ended(before)).text).toBe('Come in.')
      const traces = (await world.nvim.lua<string>(TRACES)) + (await world.log())
      expect(traces).not.toContain(password)
    })

    test('<C-c> while a dead network is dialled ends it at once', async () => {
      const relay = await startRelay(sshd().port)
      relay.freeze()
      const knownHosts = `[127.0.0.1]:${relay.port} ${sshd().hostKey.publicLine}\n`
      const world = await startWorld(nvim, sshd(), { ssh: { port: relay.port }, knownHosts })
      await world.open()
      const before = await world.ends()
      await world.send('hello')
      await relay.waitForConnections(1)
      await world.nvim.waitForScreen(/connecting · \d+ s/)
      await world.nvim.type('<C-c>')
      expect(await world.ended(before, 'stopped')).toMatchObject({ text: '', note: { code: 'CHAT_STOPPED' } })
      relay.thaw()
      await world.worksAgain()
    })
  })
})

/** Everything that Neovim keeps of what was typed and told. */
const TRACES = `
  local file = vim.fn.tempname()
  vim.o.shadafile = file
  vim.cmd('wshada!')
  local shada = vim.fn.readblob(file)
  local all = { vim.fn.execute('messages'), vim.fn.execute('history all'), vim.fn.execute('registers') }
  all[#all + 1] = type(shada) == 'string' and shada or table.concat(vim.tbl_map(string.char, shada or {}))
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    vim.list_extend(all, vim.api.nvim_buf_get_lines(buffer, 0, -1, false))
  end
  return table.concat(all, '\\n')`
