// Finding out what is out of date and fetching it, before a fake host: what the person sees, and where nobody looks.
import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { type Front, startFront } from './front.ts'

const PULL = { server: 'gpu', model: 'qwen3:4b', status: 'pulling f535f83ec568' }
const FOUND = { checked: 14, available: 2, refs: ['gpu:qwen3:4b', 'lab:llama3:8b'] }
const STATUS = "return require('ollama-remote').status()"

/** Every progress message of Neovim's that was made, as text, status and percent. */
const RECORD_PROGRESS = `
  _G.progress = {}
  local echo = vim.api.nvim_echo
  vim.api.nvim_echo = function(chunks, history, options)
    if (options or {}).kind == 'progress' then
      table.insert(_G.progress, { chunks[1][1], options.status, options.percent or -1 })
    end
    return echo(chunks, history, options)
  end`

async function waitForMessage(front: Front, text: string): Promise<void> {
  await front.nvim.waitForLua('return vim.fn.execute("messages"):find(..., 1, true) ~= nil', text)
}

describeWithNeovim('updates', (nvim, label) => {
  const is012 = label === '0.12'

  test(':OllamaUpdate shows the models, has all of them looked at and says what was found', async () => {
    const front = await startFront(nvim, { script: { found: FOUND } })
    await front.nvim.type(':OllamaUpdate<CR>')
    expect(await front.waitForRequests('updates.check')).toEqual([{ again: true }])
    await waitForMessage(front, '2 of 14 models: a newer one is to be had')
    expect(await front.nvim.lua('return vim.bo.filetype')).toBe('ollama-models')
    expect(await front.requests('pulls.start')).toEqual([])
  })

  test(':OllamaUpdate! pulls what is out of date, and shows nothing that was not asked for', async () => {
    const front = await startFront(nvim, { script: { found: FOUND } })
    await front.nvim.type(':OllamaUpdate!<CR>')
    expect(await front.waitForRequests('pulls.start', 2)).toEqual([
      { model: 'gpu:qwen3:4b' },
      { model: 'lab:llama3:8b' },
    ])
    await waitForMessage(front, 'Updating 2 models')
    expect(await front.nvim.lua('return #vim.api.nvim_list_wins()')).toBe(1)
  })

  test('names the models that are meant, and says when none is out of date', async () => {
    const front = await startFront(nvim, { script: { found: { checked: 1, available: 0, refs: [] } } })
    await front.nvim.type(':Ollama update gpu:qwen3:4b<CR>')
    expect(await front.waitForRequests('updates.check')).toEqual([{ models: ['gpu:qwen3:4b'], again: true }])
    await waitForMessage(front, '1 model looked at: none is out of date')
  })

  test('says why it cannot be known', async () => {
    const error = {
      code: 'REGISTRY_UNREACHABLE',
      message: 'ollama.com cannot be reached from here',
      hint: 'Try later.',
    }
    const front = await startFront(nvim, { script: { fail: { 'updates.check': error } } })
    await front.nvim.type(':OllamaUpdate!<CR>')
    await waitForMessage(front, 'ollama.com cannot be reached from here')
    expect(await front.requests('pulls.start')).toEqual([])
  })

  const DOWN = { code: 'SSH_UNREACHABLE', message: 'Nothing answers at lab.example:22', hint: 'Is it switched on?' }

  test.each([
    ['with a server that is down', ':OllamaUpdate', FOUND, '2 of 14 models: a newer one is to be had'],
    ['with a server that is down, when the others are up to date', ':OllamaUpdate!', {}, '14 models looked at: none'],
    ['while it pulls what the others have', ':OllamaUpdate!', FOUND, 'Updating 2 models'],
    ['when that is the only one', ':OllamaUpdate!', { checked: 0 }, 'No model was looked at'],
  ])('names the server and says why: %s', async (_, command, found, words) => {
    const none = { checked: 14, available: 0, unknown: 0, refs: [] }
    const failures = [{ server: 'lab', error: DOWN }]
    const front = await startFront(nvim, { script: { found: { ...none, ...found, failures } }, columns: 60 })
    await front.nvim.type(`${command}<CR>`)
    await waitForMessage(front, words)
    await waitForMessage(front, 'lab could not be asked: Nothing answers at lab.example:22')
    await front.nvim.waitForScreen(/could not be asked/)
    expect(await front.nvim.lua('return vim.api.nvim_get_mode().mode')).toBe('n')
  })

  test('says of how many it cannot be told, once why no registry can be reached, and that nothing is installed', async () => {
    const error = { code: 'REGISTRY_UNREACHABLE', message: 'ollama.com cannot be reached from here' }
    const failures = ['gpu', 'lab'].map((server) => ({ server, error }))
    const found = { checked: 3, available: 0, unknown: 2, refs: [], failures }
    const front = await startFront(nvim, { script: { found } })
    await front.nvim.type(':OllamaUpdate!<CR>')
    await waitForMessage(
      front,
      '3 models looked at: none is out of date — Of 2 models it cannot be told: :Ollama models says why — ollama.com cannot be reached from here',
    )
    expect(await front.nvim.messages()).not.toMatch(/could not be asked/)
    const empty = await startFront(nvim, { script: { found: { checked: 0, available: 0, refs: [], failures: [] } } })
    await empty.nvim.type(':OllamaUpdate!<CR>')
    await waitForMessage(empty, 'No model is installed')
  })

  test('a host that dies in mid-check takes the check with it, which is said', async () => {
    const front = await startFront(nvim, { script: { die: { 'updates.check': 3 } }, columns: 60 })
    await front.nvim.type(':OllamaUpdate!<CR>')
    await waitForMessage(front, 'The check for updates ended with the host: :OllamaUpdate! begins anew')
    await waitForMessage(front, 'The host ended with exit code 3')
    expect(await front.nvim.lua('return vim.api.nvim_get_mode().mode')).toBe('n')
  })

  test(':OllamaUpdate completes what is installed, before any list was opened', async () => {
    const models = [{ ref: 'gpu:qwen3:4b', server: 'gpu', name: 'qwen3:4b' }]
    const front = await startFront(nvim, { script: { knownModels: models } })
    const complete = (line: string) => `return vim.fn.getcompletion('${line}', 'cmdline')[1] == 'gpu:qwen3:4b'`
    await front.nvim.waitForLua(complete('OllamaUpdate gpu:'))
    await front.nvim.waitForLua(complete('Ollama update gpu:q'))
    await front.nvim.waitForLua(complete('Ollama model gpu:'))
  })

  test(':Ollama pull pulls a model by its name, and says that it does', async () => {
    const front = await startFront(nvim)
    await front.nvim.type(':Ollama pull gpu:qwen3:4b<CR>')
    expect(await front.waitForRequests('pulls.start')).toEqual([{ model: 'gpu:qwen3:4b' }])
    await front.nvim.waitForScreen(/Pulling gpu:qwen3:4b: :Ollama models shows how it goes/)
  })

  test('pulls are told by status() and by progress of Neovim, until they end', async () => {
    const front = await startFront(nvim, { init: RECORD_PROGRESS })
    await front.open()
    await front.perform(
      ['pull', { ...PULL, state: 'pulling', completed: 30, total: 100, left_ms: 72_000 }],
      ['pull', { ...PULL, model: 'llama3:8b', state: 'queued', status: '' }],
    )
    expect(await front.nvim.lua(STATUS)).toMatchObject({
      text: 'gpu:qwen3:32b pulling 2 models 30%',
      pulls: { running: 1, queued: 1, percent: 30 },
    })
    await front.perform(
      ['pull', { ...PULL, state: 'waiting', completed: 30, total: 100 }],
      ['pull', { ...PULL, model: 'llama3:8b', state: 'cancelled' }],
      ['pull', { ...PULL, state: 'done', completed: 100, total: 100 }],
    )
    expect(await front.nvim.lua(STATUS)).toMatchObject({ text: 'gpu:qwen3:32b' })
    const told = await front.nvim.lua<unknown[]>('return _G.progress')
    const expected = [
      ['gpu:qwen3:4b · 1:12 left', 'running', 30],
      ['gpu:qwen3:4b: waiting', 'running', 30],
      ['gpu:llama3:8b: cancelled', 'cancel', -1],
      ['gpu:qwen3:4b: done', 'success', 100],
    ]
    expect(told).toEqual(is012 ? expected : [])
  })

  test('a pull with a long name waits for no Enter, however narrow the screen is', async () => {
    const model = 'hf.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-1M-GGUF:UD-Q4_K_XL'
    const front = await startFront(nvim, { columns: 60 })
    await front.open()
    const pulling = { ...PULL, model, state: 'pulling', completed: 30, total: 100, left_ms: 72_000 }
    await front.perform(['pull', pulling])
    if (is012) await front.nvim.waitForScreen(/^pull: {2}30% gpu:hf\.co\/\S+…:UD-Q4_K_XL · 1:12 left *$/m)
    await front.perform(['pull', { ...pulling, state: 'done', completed: 100 }], ['notify', 'info', `Pulled: ${model}`])
    await waitForMessage(front, 'Pulled: hf.co')
    await front.nvim.command(`Ollama pull gpu:${model}`)
    await front.waitForRequests('pulls.start')
    await front.nvim.waitForScreen(/shows how it goes/)
    expect(await front.nvim.lua('return vim.api.nvim_get_mode()')).toEqual({ mode: 'n', blocking: false })
  })

  test('a host that dies takes its pulls with it, which is said', async () => {
    const front = await startFront(nvim, { script: { die: { 'models.names': 3 } } })
    await front.open()
    await front.perform(['pull', { ...PULL, state: 'pulling' }])
    await front.nvim.lua("require('ollama-remote.rpc').request('models.names', {}, function() end)")
    await waitForMessage(front, 'gpu:qwen3:4b ended with the host; :Ollama pull gpu:qwen3:4b goes on')
    expect(await front.nvim.lua(`${STATUS}.pulls == nil`)).toBe(true)
  })
})
