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

  test('says when the host has gone, and comes back with a new one', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openServers(front)
    await front.tellHost('fake.do', { steps: [['exit', 3]] })
    await front.nvim.waitForScreen(/The host has ended\. r starts it again\./)
    await front.nvim.type('r')
    await front.nvim.waitForScreen(/● gpu \*/)
  })
})
