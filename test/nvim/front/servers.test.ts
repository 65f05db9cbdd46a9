import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { type Front, startFront } from './front.ts'

const GPU = {
  name: 'gpu',
  is_default: true,
  state: 'ready',
  address: 'me@gpubox:22',
  transport: 'ssh2',
  login: 'agent key SHA256:uNiVztksCsDhcc0u9e8BrABKyrtJrNBiQlzGyZ0HgYk',
  url: 'http://127.0.0.1:11434',
  ssh: 'me@gpubox',
  origin: 'file',
}
const LAB = {
  name: 'lab',
  is_default: false,
  state: 'failed',
  address: 'ada@lab.example:2222 via gate.example,inner',
  transport: 'auto',
  url: 'http://127.0.0.1:11434',
  ssh: 'ada@lab.example:2222',
  origin: 'setup',
  error: {
    code: 'SSH_AUTH_FAILED',
    message: 'lab.example refused every way to log in: agent key, key ~/.ssh/id_ed25519, password',
    hint: 'Add your key to ~/.ssh/authorized_keys there, or name another one: identity_file',
  },
}
const TAIL = {
  name: 'tail',
  is_default: false,
  state: 'ready',
  address: 'ai-server:11434',
  transport: 'direct',
  url: 'http://ai-server:11434',
  origin: 'file',
}
const DETAILS = {
  gpu: { version: '0.12.3', loaded: ['qwen3:32b', 'nomic-embed-text:latest'], round_trip_ms: 12.4 },
  tail: {
    error: { code: 'API_UNAVAILABLE', message: 'Nothing listens on ai-server:11434', hint: 'Is Ollama running?' },
  },
}
const SCRIPT = { servers: [GPU, LAB, TAIL], details: DETAILS, saved: {} }

async function openServers(front: Front): Promise<string> {
  await front.nvim.type(' oS')
  return front.nvim.waitForScreen(/API_UNAVAILABLE/)
}

/** The lines of the list on the screen, from its titles on. */
function listOn(screen: string): string[] {
  const lines = screen.split('\n')
  return lines.slice(lines.findIndex((line) => line.includes('SERVER')))
}

/** In which screen column a word begins in a line. */
const columnOf = (line: string | undefined, word: string) => [...((line ?? '').split(word)[0] ?? '')].length

describeWithNeovim('the list of servers', (nvim) => {
  test.each([
    [80, ['SERVER', 'STATE', 'ADDRESS', 'BY', 'TRIP', 'OLLAMA', 'LOADED']],
    [120, ['SERVER', 'STATE', 'ADDRESS', 'BY', 'LOGIN', 'TRIP', 'OLLAMA', 'LOADED']],
    [60, ['SERVER', 'STATE', 'ADDRESS', 'OLLAMA']],
    [40, ['SERVER', 'STATE', 'ADDRESS']],
  ])('stands in aligned columns on %d columns, without what matters least', async (columns, titles) => {
    const front = await startFront(nvim, { script: SCRIPT, columns, rows: 30 })
    const [header, gpu, lab] = listOn(await openServers(front))
    expect(header?.trim().split(/\s+/)).toEqual(titles)
    expect(columnOf(header, 'ADDRESS')).toBe(columnOf(gpu, 'me@'))
    expect(columnOf(header, 'ADDRESS')).toBe(columnOf(lab, 'ada@'))
    expect(lab).toMatch(/ada@\S/)
    if (columns >= 80) expect(columnOf(header, 'OLLAMA')).toBe(columnOf(gpu, '0.12.3'))
  })

  test('tells a failure with its code, its sentence and what to do, without breaking a word', async () => {
    const front = await startFront(nvim, { script: SCRIPT, columns: 80 })
    const list = listOn(await openServers(front)).join('\n')
    expect(list).toMatch(/✗ lab +failed/)
    expect(list).toMatch(/ {4}SSH_AUTH_FAILED: lab\.example refused[\s\S]*\n {4}Add your key to/)
    expect(list).toMatch(/✗ tail +failed +ai-server:11434/)
    expect(list).toMatch(/API_UNAVAILABLE: Nothing listens on ai-server:11434\n {4}Is Ollama running\?/)
  })

  test('is there before the host has answered', async () => {
    const front = await startFront(nvim, { script: { ...SCRIPT, hold: ['handshake'] } })
    await front.nvim.type(' oS')
    await front.nvim.waitForScreen(/asking the host …/)
    expect(await front.nvim.lua('return vim.bo.filetype')).toBe('ollama-servers')
    expect(await front.nvim.lua('return vim.bo.modifiable')).toBe(false)
    await front.nvim.waitForLua(
      `return #vim.tbl_filter(function(channel) return channel.stream == 'job' end, vim.api.nvim_list_chans()) == 1`,
    )
    await front.tellHost('fake.release', { method: 'handshake' })
    await front.nvim.waitForScreen(/● gpu \*/)
  })

  test('follows each change of a server, and the cursor stays on its own', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openServers(front)
    await front.nvim.lua("vim.fn.search('tail')")
    await front.perform([
      'server',
      { ...GPU, state: 'lost', error: { code: 'SSH_DISCONNECTED', message: 'It is gone' } },
    ])
    await front.nvim.waitForScreen(/◌ gpu \* +lost[\s\S]*SSH_DISCONNECTED: It is gone/)
    expect(await front.nvim.lua('return vim.api.nvim_get_current_line()')).toMatch(/✗ tail/)
    await front.perform(['server', { ...GPU, state: 'waiting', retry_at: Date.now() + 60_000 }])
    await front.nvim.waitForScreen(/◌ gpu \* +waiting \d+ s/)
    await front.perform(['server', GPU])
    await front.nvim.waitForScreen(/● gpu \* +ready .* 0\.12\.3/)
  })

  test('asks no server for anything whose link is not up, nor when nobody looks', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openServers(front)
    const asked = await front.requests<{ server: string }>('servers.details')
    expect(asked.map(({ server }) => server).toSorted()).toEqual(['gpu', 'tail'])
    await front.nvim.type('q')
    await front.nvim.waitForScreen((screen) => !screen.includes('SERVER'))
    await front.perform(['server', { ...GPU, state: 'lost' }], ['server', GPU])
    expect(await front.requests('servers.details')).toHaveLength(2)
  })

  test('asks for what its keys say, for the server under the cursor', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openServers(front)
    await front.nvim.lua("vim.fn.search('lab')")
    await front.nvim.type('<CR>x*')
    for (const method of ['servers.connect', 'servers.disconnect', 'servers.default']) {
      expect(await front.waitForRequests(method)).toEqual([{ server: 'lab' }])
    }
    await front.nvim.type('g?')
    expect(await front.nvim.waitForScreen(/In the list of servers/)).toMatch(/dd +remove it/)
  })

  test('says its keys as they are, however the user moved them', async () => {
    const init = "vim.g.ollama_remote = { keymaps = { ['server-test'] = 'T', ['server-edit'] = false } }"
    const front = await startFront(nvim, { script: SCRIPT, init, columns: 120 })
    const screen = await openServers(front)
    expect(screen).toMatch(
      /<CR> connect · x disconnect · T test · a add · dd remove · \* default · r refresh · S service · q close · g\? keys/,
    )
    expect(screen).toMatch(/Is Ollama running\?\n {4}r tries again\./)
    await front.nvim.type('T')
    expect(await front.waitForRequests('servers.test')).toMatchObject([{ server: 'gpu' }])
  })

  test('says when the host has gone, and comes back with a new one', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openServers(front)
    await front.tellHost('fake.do', { steps: [['exit', 3]] })
    await front.nvim.waitForScreen(/The host has ended\. r starts it again\./)
    await front.nvim.type('r')
    await front.nvim.waitForScreen(/● gpu \*/)
  })
})

describeWithNeovim(':checkhealth', (nvim) => {
  const STEPS = [
    { stage: 'configuration', hop: 'me@gpubox:22', ms: 14 },
    { stage: 'tcp', hop: 'me@gpubox:22', ms: 3 },
    {
      stage: 'authentication',
      hop: 'me@gpubox:22',
      ms: 0,
      error: { code: 'SSH_AUTH_CANCELLED', message: 'No answer' },
    },
  ]

  test('is there at once, and tells of each server when its test is over', async () => {
    const front = await startFront(nvim, {
      script: { ...SCRIPT, servers: [GPU], steps: STEPS, hold: ['servers.test'] },
    })
    await front.nvim.command('checkhealth ollama-remote')
    await front.nvim.waitForScreen(/gpu: testing …/)
    expect(await front.waitForRequests('servers.test')).toEqual([{ walk: 1, server: 'gpu', may_ask: false }])
    await front.tellHost('fake.release', { method: 'servers.test' })
    const screen = await front.nvim.waitForScreen(/ERROR gpu: SSH_AUTH_CANCELLED/)
    expect(screen).toMatch(
      /me@gpubox:22\n +✓ configuration +14 ms\n +✓ TCP +3 ms\n +✗ authentication +SSH_AUTH_CANCELLED/,
    )
    expect(screen).toMatch(/Here nobody is asked/)
    expect(screen).not.toMatch(/testing …/)
    expect(await front.nvim.lua('return vim.bo.modified')).toBe(false)
  })
})

describeWithNeovim('the dialogues of the list of servers', (nvim) => {
  const PASSES = [{ stage: 'http', ms: 3, detail: 'status 200' }]
  const FAILS = [
    { stage: 'configuration', hop: 'me@box:22', ms: 14 },
    { stage: 'authentication', hop: 'me@box:22', ms: 30, error: LAB.error },
  ]

  async function begin(script: Record<string, unknown> = {}): Promise<Front> {
    const front = await startFront(nvim, { script: { ...SCRIPT, steps: PASSES, ...script }, columns: 90 })
    await openServers(front)
    return front
  }

  /** Answers an input whose prompt is as given; what is proposed there is replaced. */
  async function fill(front: Front, prompt: RegExp, text: string): Promise<void> {
    await front.nvim.waitForScreen(prompt)
    await front.nvim.type(`<C-u>${text}<CR>`)
  }

  test('add: an alias of ssh_config, the rest as it is proposed, tested and kept', async () => {
    const front = await begin({ aliases: ['box.lab.example', 'other'] })
    await front.nvim.type('a')
    await front.nvim.waitForScreen(/2: box\.lab\.example/)
    await front.nvim.type('2<CR>')
    await front.nvim.waitForScreen(/Ollama as seen from there: http:\/\/127\.0\.0\.1:11434/)
    await front.nvim.type('<CR>')
    await front.nvim.waitForScreen(/Name of the server: box/)
    await front.nvim.type('<CR>')
    const draft = { ssh: 'box.lab.example', url: 'http://127.0.0.1:11434' }
    expect(await front.waitForRequests('servers.save')).toEqual([{ server: 'box', draft }])
    expect(await front.requests('servers.test')).toEqual([{ walk: 1, server: 'box', draft, may_ask: true }])
    await front.nvim.waitForScreen((screen) => !screen.includes('Test of'))
    await front.nvim.waitForLua("return vim.fn.execute('messages'):find('box is kept in ollama_config.lua', 1, true)")
  })

  test('add: a url needs no more than a name, and a name that is taken or none is asked for again', async () => {
    const front = await begin()
    await front.nvim.type('a')
    await fill(front, /or a url:/, 'https://ai.example:8443/ollama')
    await fill(front, /Name of the server: ai/, 'gpu')
    await fill(front, /Name \(there is one of that name\): gpu/, 'a b')
    await fill(front, /Name \(letters, digits, - and _ only\): a b/, 'ai-2')
    const draft = { ssh: false, url: 'https://ai.example:8443/ollama' }
    expect(await front.waitForRequests('servers.save')).toEqual([{ server: 'ai-2', draft }])
  })

  test('a test that fails shows where, and what is entered can be changed, kept all the same, or given up', async () => {
    const front = await begin({ steps: FAILS, saved: { note: 'This is to be known.' } })
    await front.nvim.type('a')
    await fill(front, /or a url:/, 'me@box')
    await front.nvim.waitForScreen(/Ollama as seen/)
    await front.nvim.type('<CR>')
    await fill(front, /Name of/, 'box')
    const screen = await front.nvim.waitForScreen(/box was not reached \(SSH_AUTH_FAILED\)/)
    expect(screen).toMatch(/✗ authentication +SSH_AUTH_FAILED/)
    await front.nvim.type('1<CR>')
    await fill(front, /or a url: me@box/, 'you@box')
    await front.nvim.waitForScreen((text) => /Ollama as seen/.test(text) && !/was not reached/.test(text))
    await front.nvim.type('<CR>')
    // Neovim 0.10 answers nothing while a list is shown.
    await front.nvim.waitForScreen(/box was not reached/)
    await front.nvim.type('2<CR>')
    const draft = { ssh: 'you@box', url: 'http://127.0.0.1:11434' }
    expect(await front.waitForRequests('servers.save')).toEqual([{ server: 'box', draft }])
    await front.nvim.waitForScreen(/This is to be known\./)
  })

  test('edit: only what is changed is spoken of', async () => {
    const front = await begin()
    await front.nvim.type('e')
    await fill(front, /or a url: me@gpubox/, 'me@gpubox:2222')
    await front.nvim.waitForScreen(/Ollama as seen/)
    await front.nvim.type('<CR>')
    expect(await front.waitForRequests('servers.save')).toEqual([{ server: 'gpu', draft: { ssh: 'me@gpubox:2222' } }])
  })

  test('remove: is asked about first; one of setup() is not for the file', async () => {
    const refusal = { code: 'CONFIG_UNWRITABLE', message: 'lab stands in setup()', hint: 'Remove it there.' }
    const front = await begin({ fail: { 'servers.remove': refusal } })
    await front.nvim.type('dd')
    await front.nvim.waitForScreen(/Remove gpu from ollama_config\.lua\?/)
    await front.nvim.type('1<CR>')
    await front.nvim.lua("vim.fn.search('lab')")
    await front.nvim.type('dd')
    await front.nvim.waitForScreen(/lab stands in setup\(\)/)
    expect(await front.requests('servers.remove')).toEqual([{ server: 'lab' }])
  })

  test('a test that is closed is given up', async () => {
    const front = await begin({ hold: ['servers.test'] })
    await front.nvim.type('t')
    await front.nvim.waitForScreen(/testing · q gives up/)
    await front.waitForRequests('servers.test')
    await front.nvim.type('q')
    expect(await front.waitForRequests('servers.cancel')).toEqual([{ walk: 1 }])
    await front.nvim.waitForScreen((screen) => !screen.includes('Test of'))
  })
})

describeWithNeovim('a look at the service', (nvim) => {
  test('is made only when it is agreed to, and shows what to do before what was found', async () => {
    const service = {
      lines: ['Active: inactive (dead)'],
      advice: ['Start it on the server: sudo systemctl start ollama'],
    }
    const front = await startFront(nvim, { script: { service } })
    await front.nvim.command('vsplit')
    await front.nvim.command('wincmd l')
    const origin = await front.nvim.lua('return vim.api.nvim_get_current_win()')
    await front.nvim.command('Ollama service')
    await front.nvim.waitForScreen(/Which server\?/)
    await front.nvim.type(':Ollama service gpu<CR>')
    await front.nvim.waitForScreen(/2: No, leave it/)
    await front.nvim.type('2<CR>')
    expect(await front.requests('service.look')).toEqual([])
    await front.nvim.type(':Ollama service mac<CR>')
    await front.nvim.waitForScreen(/service of Ollama on mac\?\s+1: Yes, run `systemctl status ollama`/)
    await front.nvim.type('1<CR>')
    expect(await front.waitForRequests('service.look')).toEqual([{ server: 'mac' }])
    await front.nvim.waitForScreen(/sudo systemctl start ollama[\s\S]*Active: inactive \(dead\)/)
    await front.nvim.type('q')
    expect(await front.nvim.lua('return vim.api.nvim_get_current_win()')).toBe(origin)
  })
})
