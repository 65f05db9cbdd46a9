import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { type Front, startFront } from './front.ts'

const DAY = 24 * 60 * 60 * 1000
const now = Date.now()

const QWEN = {
  ref: 'gpu:qwen3:32b',
  server: 'gpu',
  name: 'qwen3:32b',
  size: 20_201_253_588,
  parameters: '32.8B',
  quantization: 'Q4_K_M',
  family: 'qwen3',
  capabilities: ['completion', 'tools', 'thinking'],
  digest: '030ee887880f7a0f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091',
  modified: now - 5 * DAY,
  trained_context: 40_960,
  loaded: { size: 24_000_000_000, vram: 20_640_000_000, context: 8_192, expires: now + 3_000_000 },
  update: { state: 'available', bytes: 2_100_000_000 },
}
const LLAVA = {
  ref: 'gpu:llava:7b',
  server: 'gpu',
  name: 'llava:7b',
  size: 4_733_363_377,
  parameters: '7B',
  quantization: 'Q4_0',
  family: 'llama',
  capabilities: ['completion', 'vision'],
  digest: '8dd30f6b0cb19f555f2c7a7ebda861449ea2cc76bf1f44e262931f45fc81d081',
  modified: now - 400 * DAY,
  trained_context: 32_768,
  update: { state: 'current' },
}
const MINE = {
  ref: 'gpu:mine:latest',
  server: 'gpu',
  name: 'mine:latest',
  size: 4_000_000_000,
  parameters: '7B',
  quantization: 'Q4_0',
  family: 'llama',
  capabilities: ['completion'],
  digest: 'aad30f6b0cb19f555f2c7a7ebda861449ea2cc76bf1f44e262931f45fc81d081',
  modified: now - 3 * 60 * 60 * 1000,
  context: 16_384,
  trained_context: 131_072,
  update: { state: 'unknown', why: 'the registry refused to tell: it is private' },
}
const GPU = {
  server: 'gpu',
  state: 'ready',
  version: '0.32.15',
  read: now,
  models: [QWEN, LLAVA, MINE],
}
const LAB = {
  server: 'lab',
  state: 'failed',
  models: [],
  error: {
    code: 'SSH_AUTH_FAILED',
    message: 'lab.example refused every way to log in: agent key, key ~/.ssh/id_ed25519, password',
    hint: 'Add your key to ~/.ssh/authorized_keys there.',
  },
}
const PULL = {
  server: 'gpu',
  model: 'llava:7b',
  state: 'pulling',
  status: 'pulling 170370233dd5',
  completed: 2_000_000_000,
  total: 4_733_363_377,
  rate: 45_000_000,
  left_ms: 61_000,
  layers: [
    {
      digest: 'sha256:43070e2d4e532684de521b885f385d0841030efa2b1a20bafb76133a5e1379c1',
      total: 11_356,
      completed: 11_356,
    },
    {
      digest: 'sha256:170370233dd5c5415250a2ecd5c71586352850729062ccef1496385647293868',
      total: 4_733_352_021,
      completed: 1_999_988_644,
    },
  ],
}
const SCRIPT = { serverModels: [GPU, LAB], defaultModel: 'gpu:qwen3:32b' }

async function openModels(front: Front): Promise<string> {
  await front.nvim.type(' oM')
  return front.nvim.waitForScreen(/SSH_AUTH_FAILED/)
}

/** The list on the screen, from its winbar on. */
function listOn(screen: string): string[] {
  const lines = screen.split('\n')
  return lines.slice(lines.findIndex((line) => /MODEL[ ▾]/.test(line)))
}

/** In which screen column a word begins in a line. */
const columnOf = (line: string | undefined, word: string) => [...((line ?? '').split(word)[0] ?? '')].length
const lineWith = (lines: string[], word: string) => lines.find((line) => line.includes(word))

const cursorLine = (front: Front) => front.nvim.lua<string>('return vim.api.nvim_get_current_line()')

describeWithNeovim('the models', (nvim) => {
  test.each([
    [80, 'MODEL SIZE PARAM QUANT CAN CONTEXT LOADED UPDATE'],
    [110, 'MODEL SIZE PARAM QUANT FAMILY CAN CONTEXT AGE LOADED UPDATE'],
    [160, 'MODEL SIZE PARAM QUANT FAMILY CAN CONTEXT DIGEST AGE LOADED UPDATE'],
    [50, 'MODEL SIZE LOADED UPDATE'],
  ])('stand in aligned columns on %d columns, without what matters least', async (columns, titles) => {
    const front = await startFront(nvim, { script: SCRIPT, columns, rows: 34 })
    const lines = listOn(await openModels(front))
    expect(lines[0]?.trim().split(/\s+/).join(' ')).toBe(titles)
    const [header, qwen, llava] = [lines[0], lineWith(lines, 'qwen3:32b'), lineWith(lines, 'llava:7b')]
    expect(columnOf(header, 'UPDATE')).toBe(columnOf(qwen, 'update'))
    expect(columnOf(header, 'UPDATE')).toBe(columnOf(llava, 'current'))
    expect(qwen).toMatch(/^ ● qwen3:32b \*.*86%.* \d\d:\d\d /)
    if (columns >= 80) expect(qwen).toMatch(/20 GB.*t-r.* 8k\/40k /)
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns)
  })

  test('tell of each server how it stands, and why what cannot be told cannot', async () => {
    const front = await startFront(nvim, { script: SCRIPT, columns: 80, rows: 30 })
    const list = listOn(await openModels(front)).join('\n')
    expect(list).toMatch(/● gpu {2}Ollama 0\.32\.15 · 3 models · 29 GB · 1 loaded, 21 GB VRAM/)
    expect(list).toMatch(/\? mine:latest: the registry refused to tell: it is private/)
    expect(list).toMatch(
      /✗ lab {2}failed\n {4}SSH_AUTH_FAILED: lab\.example[\s\S]*there\.\n {4}r tries again · :Ollama servers tests the way\./,
    )
    expect(list).toMatch(/CAN: t tools · v vision · r reasons/)
  })

  test.each([
    [110, '● gpu  Ollama 0.32.15 · 1 model · 20 GB · 1 loaded, 21 GB VRAM · checked 2 h ago'],
    [70, '● gpu  1 model · 20 GB · 1 loaded, 21 GB VRAM · checked 2 h ago'],
    [50, '● gpu  1 model · 1 loaded, 21 GB VRAM'],
  ])('say on %d columns how old their verdicts are, where there is room', async (columns, head) => {
    const models = [{ ...QWEN, update: { state: 'current', checked: Date.now() - 130 * 60_000 } }]
    const front = await startFront(nvim, { script: { ...SCRIPT, serverModels: [{ ...GPU, models }, LAB] }, columns })
    expect(lineWith(listOn(await openModels(front)), '● gpu ')?.trimEnd()).toBe(head)
  })

  test('are there before the host has answered, and only of the server that is named', async () => {
    const front = await startFront(nvim, { script: { ...SCRIPT, hold: ['handshake'] } })
    await front.nvim.type(':Ollama models gpu<CR>')
    await front.nvim.waitForScreen(/asking the host …/)
    expect(await front.nvim.lua('return vim.bo.filetype')).toBe('ollama-models')
    await front.nvim.waitForLua(
      `return #vim.tbl_filter(function(channel) return channel.stream == 'job' end, vim.api.nvim_list_chans()) == 1`,
    )
    await front.tellHost('fake.release', { method: 'handshake' })
    expect(await front.nvim.waitForScreen(/llava:7b/)).not.toMatch(/lab/)
    expect(await front.requests('models.watch')).toMatchObject([{ servers: ['gpu'] }])
  })

  test('show how a pull goes, and why it failed', async () => {
    const front = await startFront(nvim, { script: SCRIPT, columns: 110, rows: 34 })
    await openModels(front)
    await front.perform(['model_rows', { ...GPU, models: [QWEN, { ...LLAVA, pull: PULL }, MINE] }])
    await front.nvim.waitForScreen(
      /llava:7b.*\n +█{10}░{14} {2}42 % {2}2\.0 GB of 4\.7 GB {2}45 MB\/s · 1:01 left · pulling/,
    )
    expect(front.nvim.screen()).toMatch(/layers {2}170370233dd5 42 % of 4\.7 GB · 43070e2d4e53 100 % of 11 KB/)
    const error = { code: 'API_ERROR', message: 'no space left on device', hint: 'Delete a model there' }
    await front.perform([
      'model_rows',
      { ...GPU, models: [QWEN, { ...LLAVA, pull: { ...PULL, state: 'failed', error } }, MINE] },
    ])
    await front.nvim.waitForScreen(/✗ API_ERROR: no space left on device\n +Delete a model there/)
  })

  test.each([
    [78, '2.0 GB of 4.7 GB  45 MB/s · 1:01 left'],
    [50, '45 MB/s · 1:01 left'],
  ])('say on %d columns how long a pull will take, and leave out what says less', async (columns, words) => {
    const front = await startFront(nvim, { script: SCRIPT, columns, rows: 34 })
    await openModels(front)
    await front.perform(['model_rows', { ...GPU, models: [QWEN, { ...LLAVA, pull: PULL }, MINE] }])
    const screen = await front.nvim.waitForScreen(/42 %/)
    expect(
      screen
        .split('\n')
        .find((line) => line.includes('42 %'))
        ?.trim(),
    ).toBe(`████░░░░░░  42 %  ${words}`)
  })

  test('are neither made the default nor talked with when they hold no chats', async () => {
    const embed = { ...LLAVA, ref: 'gpu:embed:1b', name: 'embed:1b', capabilities: ['embedding'] }
    const front = await startFront(nvim, { script: SCRIPT })
    await openModels(front)
    await front.perform(['model_rows', { ...GPU, models: [embed] }])
    await front.nvim.waitForScreen(/embed:1b/)
    await front.nvim.lua("vim.fn.search('embed:1b')")
    await front.nvim.type('*')
    await front.nvim.waitForScreen(/gpu:embed:1b holds no chats: its use is embedding/)
    await front.nvim.type('o')
    expect(await front.nvim.lua('return vim.bo.filetype')).toBe('ollama-models')
    expect(await front.requests('models.default')).toEqual([])
  })

  test('keep the cursor on its row, whatever comes above it', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openModels(front)
    expect(await cursorLine(front)).toMatch(/qwen3:32b/)
    await front.nvim.lua("vim.fn.search('mine:latest')")
    const column = await front.nvim.lua('return vim.api.nvim_win_get_cursor(0)[2]')
    const fresh = { ...LLAVA, ref: 'gpu:phi4:14b', name: 'phi4:14b' }
    await front.perform(['model_rows', { ...GPU, models: [fresh, QWEN, { ...LLAVA, pull: PULL }, MINE] }])
    await front.nvim.waitForScreen(/phi4:14b/)
    expect(await cursorLine(front)).toMatch(/mine:latest/)
    expect(await front.nvim.lua('return vim.api.nvim_win_get_cursor(0)[2]')).toBe(column)
    await front.perform(['model_rows', { ...GPU, models: [QWEN, LLAVA] }])
    await front.nvim.waitForScreen(/2 models/)
    expect(await front.nvim.lua('return vim.api.nvim_buf_line_count(0)')).toBeGreaterThan(3)
  })

  test('write only the lines that have changed', async () => {
    const front = await startFront(nvim, { script: SCRIPT, columns: 110, rows: 34 })
    await openModels(front)
    await front.nvim.lua(
      `_G.changed = {}
       vim.api.nvim_buf_attach(0, false, { on_lines = function(_, _, _, first, last) table.insert(_G.changed, last - first) end })`,
    )
    await front.perform([
      'model_rows',
      { ...GPU, models: [{ ...QWEN, loaded: undefined }, LLAVA, { ...MINE, update: { state: 'current' } }] },
    ])
    await front.nvim.waitForScreen(/mine:latest.*current/)
    const before = await front.nvim.lua<number[]>('return _G.changed')
    expect(before.length).toBeGreaterThan(0)
    const rows = {
      ...GPU,
      models: [{ ...QWEN, loaded: undefined }, LLAVA, { ...MINE, update: { state: 'available' } }],
    }
    await front.perform(['model_rows', rows])
    await front.nvim.waitForScreen(/mine:latest.*update/)
    const after = await front.nvim.lua<number[]>('return _G.changed')
    expect(after.slice(before.length)).toEqual([1])
    await front.perform(['model_rows', rows])
    expect(await front.nvim.lua<number[]>('return _G.changed')).toHaveLength(after.length)
  })

  test('count down without a word of the host, and are asked for only while they can be seen', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    const screen = await openModels(front)
    const left = /86% GPU (\d+:\d\d)/.exec(screen)?.[1] ?? ''
    await front.nvim.waitForLua(`return not vim.fn.getline(vim.fn.search('qwen3', 'nw')):find(..., 1, true)`, left)
    await front.nvim.type('q')
    expect(await front.waitForRequests('models.unwatch')).toEqual([{ watch: 1 }])
    await front.nvim.type(' oM')
    const watched = await front.waitForRequests('models.watch', 2)
    expect(watched).toEqual([{ watch: 1 }, { watch: 2 }])
  })

  test('are closed with the cursor where it came from, or on an empty buffer', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await front.nvim.command('vsplit')
    await front.nvim.command('wincmd l')
    const origin = await front.nvim.lua('return vim.api.nvim_get_current_win()')
    await openModels(front)
    await front.nvim.type('q')
    expect(await front.nvim.lua('return vim.api.nvim_get_current_win()')).toBe(origin)
    await openModels(front)
    await front.nvim.command('only')
    await front.nvim.type('q')
    expect(await front.nvim.lua('return vim.api.nvim_buf_get_name(0)')).toBe('')
  })

  test('are pulled by a name that <Tab> completes, on the server of the section', async () => {
    const names = { installed: ['qwen3:32b'], well_known: ['llama3.2', 'llama3.2:1b'] }
    const front = await startFront(nvim, { script: { ...SCRIPT, names } })
    await openModels(front)
    await front.nvim.type('p')
    await front.nvim.waitForScreen(/Pull to gpu:/)
    await front.waitForRequests('models.names', 2)
    await front.nvim.type('llama3.2:<Tab><CR>')
    expect(await front.waitForRequests('pulls.start')).toEqual([{ server: 'gpu', model: 'llama3.2:1b' }])
  })

  test('are pulled by a name with the server before it, as names stand elsewhere', async () => {
    const names = { installed: ['qwen3:32b'], well_known: ['llama3.2:1b'] }
    const front = await startFront(nvim, { script: { ...SCRIPT, names } })
    await openModels(front)
    await front.nvim.type('p')
    await front.nvim.waitForScreen(/Pull to gpu:/)
    await front.waitForRequests('models.names', 2)
    await front.nvim.type('gpu:lla<Tab><CR>')
    expect(await front.waitForRequests('pulls.start')).toEqual([{ server: 'gpu', model: 'llama3.2:1b' }])
  })

  test('are pulled by a name that is typed at once, before the names for <Tab> are known', async () => {
    const front = await startFront(nvim, { script: { ...SCRIPT, hold: ['models.names'] } })
    await openModels(front)
    await front.nvim.type('pdolphin3<CR>')
    expect(await front.waitForRequests('pulls.start')).toEqual([{ server: 'gpu', model: 'dolphin3' }])
  })

  test('are marked and updated, checked, and cancelled', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openModels(front)
    await front.nvim.type('mm')
    await front.nvim.waitForScreen(/^\+● qwen3[\s\S]*^\+ {2}llava/m)
    expect(await cursorLine(front)).toMatch(/mine:latest/)
    await front.nvim.type('u')
    expect(await front.waitForRequests('pulls.start', 2)).toMatchObject([{ model: 'qwen3:32b' }, { model: 'llava:7b' }])
    await front.nvim.type('c')
    expect(await front.waitForRequests('updates.check')).toMatchObject([{ server: 'gpu' }])
    await front.nvim.type('U')
    expect(await front.waitForRequests('pulls.start', 3)).toMatchObject([{}, {}, { model: 'qwen3:32b' }])
    await front.perform(['model_rows', { ...GPU, models: [QWEN, { ...LLAVA, pull: PULL }, MINE] }])
    await front.nvim.waitForScreen(/42 %/)
    await front.nvim.lua("vim.fn.search('42 %')")
    await front.nvim.type('x')
    expect(await front.waitForRequests('pulls.cancel')).toEqual([{ server: 'gpu', model: 'llava:7b' }])
  })

  test('are deleted after a question that says which chat uses them', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await front.open()
    await openModels(front)
    await front.nvim.type('dd')
    await front.nvim.waitForScreen((screen) =>
      screen
        .replace(/\n/g, '')
        .includes(
          'The chat without a title uses it. It is the default model. Delete gpu:qwen3:32b (20 GB) from its server?',
        ),
    )
    await front.nvim.type('1<CR>')
    expect(await front.requests('models.delete')).toEqual([])
    await front.nvim.type('X')
    await front.nvim.waitForScreen(/uses it\. Unload gpu:qwen3:32b\?/)
    await front.nvim.type('2<CR>')
    expect(await front.waitForRequests('models.unload')).toEqual([{ server: 'gpu', model: 'qwen3:32b' }])
    await front.nvim.lua("vim.fn.search('llava')")
    await front.nvim.type('dd2<CR>')
    expect(await front.waitForRequests('models.delete')).toEqual([{ server: 'gpu', model: 'llava:7b' }])
  })

  test('are marked by a selection, and deleted after one question that says all of them', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await front.open()
    await openModels(front)
    await front.nvim.type('Vjm')
    await front.nvim.waitForScreen(/^\+● qwen3[\s\S]*^\+ {2}llava/m)
    expect(await front.nvim.lua('return vim.api.nvim_get_mode().mode')).toBe('n')
    await front.nvim.type('dd')
    await front.nvim.waitForScreen((screen) =>
      screen
        .replace(/\n/g, '')
        .includes(
          'The chat without a title uses gpu:qwen3:32b. gpu:qwen3:32b is the default model. Delete 2 models (25 GB): gpu:qwen3:32b, gpu:llava:7b?',
        ),
    )
    await front.nvim.type('1<CR>')
    expect(await front.requests('models.delete')).toEqual([])
    await front.nvim.type('dd2<CR>')
    expect(await front.waitForRequests('models.delete', 2)).toMatchObject([
      { model: 'qwen3:32b' },
      { model: 'llava:7b' },
    ])
    await front.nvim.waitForLua("return vim.fn.execute('messages'):find('2 models are deleted', 1, true) ~= nil")
    await front.nvim.waitForScreen((screen) => !/^\+/m.test(screen))
  })

  test('are loaded, kept and unloaded together when some are marked', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openModels(front)
    await front.nvim.type('VGm')
    await front.nvim.waitForScreen(/^\+ {2}mine/m)
    await front.nvim.type('K')
    await front.nvim.waitForScreen(/Keep 3 models in memory for/)
    await front.nvim.type('2<CR>')
    expect(await front.waitForRequests('models.load', 3)).toMatchObject(Array(3).fill({ keep_alive: '1h' }))
    await front.nvim.waitForScreen((screen) => !/^\+/m.test(screen))
    await front.nvim.type('ggVGmX')
    expect(await front.waitForRequests('models.unload')).toEqual([{ server: 'gpu', model: 'qwen3:32b' }])
  })

  test('are kept in memory, loaded, copied, made the default, sorted and filtered', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openModels(front)
    await front.nvim.type('K')
    await front.nvim.waitForScreen(/Keep gpu:qwen3:32b in memory for/)
    await front.nvim.type('3<CR>')
    expect(await front.waitForRequests('models.load')).toMatchObject([{ model: 'qwen3:32b', keep_alive: -1 }])
    await front.nvim.type('yqwen-mine<CR>')
    expect(await front.waitForRequests('models.copy')).toMatchObject([{ model: 'qwen3:32b', to: 'qwen-mine' }])
    await front.nvim.lua("vim.fn.search('llava')")
    await front.nvim.type('*')
    await front.nvim.waitForScreen(/llava:7b \*/)
    await front.nvim.type('s')
    const sorted = listOn(await front.nvim.waitForScreen(/MODEL▾/))
    expect(sorted.findIndex((line) => line.includes('llava'))).toBeLessThan(
      sorted.findIndex((line) => line.includes('qwen3')),
    )
    await front.nvim.type('fmine<CR>')
    expect(await front.nvim.waitForScreen(/1 of 3 models/)).not.toMatch(/qwen3:32b {2}/)
  })

  test('begin a chat, and say all that is known of them in folds', async () => {
    const shown = {
      parameters: 'temperature 0.6',
      template: '{{ .Prompt }}\nvim: set ft=lua:',
      license: 'Apache\n2.0',
      capabilities: ['completion', 'tools'],
      trained_context: 40_960,
      info: { 'general.architecture': 'qwen3' },
    }
    const front = await startFront(nvim, { script: { ...SCRIPT, shown }, columns: 110, rows: 40 })
    await openModels(front)
    await front.nvim.type('<CR>')
    const screen = await front.nvim.waitForScreen(/# Weights · 1 lines?/)
    expect(screen).toMatch(/# Model\n {2}size +20 GB/)
    expect(screen).toMatch(/trained for +40960 tokens/)
    expect(screen).toMatch(/temperature 0\.6/)
    expect(screen).toMatch(/# Template · 2 lines[\s\S]*# Licence · 2 lines/)
    expect(await front.nvim.lua('return vim.bo.modifiable')).toBe(false)
    await front.nvim.type('q')
    await front.nvim.lua("vim.fn.search('llava')")
    await front.nvim.type('o')
    await front.nvim.waitForLua(`local chat = require('ollama-remote.chats').current()
       return chat and chat.state.model == 'gpu:llava:7b'`)
    expect(await front.waitForRequests('chat.model')).toMatchObject([{ model: 'gpu:llava:7b' }])
  })

  test('say that the host is gone, and come again with the next one', async () => {
    const front = await startFront(nvim, { script: SCRIPT })
    await openModels(front)
    await front.tellHost('fake.do', { steps: [['exit', 3]] })
    await front.nvim.waitForScreen(/The host has ended/)
    await front.nvim.type('r')
    await front.nvim.waitForScreen(/llava:7b/)
  })
})
