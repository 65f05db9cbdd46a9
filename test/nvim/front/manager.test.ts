// The list of models with a person who makes mistakes before it, and the place that it has on the screen.
import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { type Front, startFront } from './front.ts'

const model = (name: string, more: object = {}) => ({
  ...{ ref: `gpu:${name}`, server: 'gpu', name, size: 2_000_000_000, capabilities: ['completion'] },
  ...more,
})
const PULL = { server: 'gpu', model: 'nope:latest', status: 'pulling manifest' }
const FAILED = { ...PULL, state: 'failed', error: { code: 'MODEL_NOT_FOUND', message: 'There is no such model' } }
const QWEN = model('qwen3:8b')
const MINE = model('mine:latest')
const gpu = (...models: object[]) => ({ server: 'gpu', state: 'ready', version: '0.32.15', read: Date.now(), models })

async function openList(front: Front, ...models: object[]): Promise<void> {
  await front.nvim.type(' oM')
  await front.waitForRequests('models.watch')
  await front.perform(['model_rows', gpu(...models)])
  await front.nvim.waitForScreen(/● gpu/)
}

const scriptOf = (...models: object[]) => ({ serverModels: [gpu(...models)], defaultModel: 'gpu:qwen3:8b' })

describeWithNeovim('the list of models', (nvim) => {
  test('takes no model from another one that is copied, unless that is wanted', async () => {
    const front = await startFront(nvim, { script: scriptOf(QWEN, MINE) })
    await openList(front, QWEN, MINE)
    await front.nvim.lua("vim.fn.search('mine')")
    await front.nvim.type('yQwen3:8B<CR>')
    await front.nvim.waitForScreen(/gpu:qwen3:8b is there already/)
    await front.nvim.type('1<CR>')
    await front.nvim.type('ymine<CR>')
    await front.nvim.waitForScreen(/mine is its name already/)
    expect(await front.requests('models.copy')).toEqual([])
    await front.nvim.type('yqwen3:8b<CR>')
    await front.nvim.waitForScreen(/is there already/)
    await front.nvim.type('2<CR>')
    expect(await front.waitForRequests('models.copy')).toMatchObject([{ model: 'mine:latest', to: 'qwen3:8b' }])
  })

  test('does nothing with a model that is not installed but pull it, or take it off', async () => {
    const failed = { ref: 'gpu:nope:latest', server: 'gpu', name: 'nope:latest', pull: FAILED }
    const front = await startFront(nvim, { script: scriptOf(QWEN, failed) })
    await openList(front, QWEN, failed)
    await front.nvim.lua("vim.fn.search('nope')")
    for (const key of ['dd', 'y', 'L', 'X', 'K', '*', 'o', '<CR>']) {
      await front.nvim.type(key)
      await front.nvim.waitForScreen(/gpu:nope:latest is not installed: u pulls it again/)
      await front.nvim.type(':echo<CR>')
      await front.nvim.waitForScreen((screen) => !screen.includes('is not installed'))
    }
    await front.perform(['model_rows', gpu(QWEN, { ...failed, pull: { ...PULL, state: 'pulling' } })])
    await front.nvim.waitForScreen(/pulling manifest/)
    await front.nvim.type('L')
    await front.nvim.waitForScreen(/is not installed yet: x cancels its pull/)
    await front.nvim.type('x')
    expect(await front.waitForRequests('pulls.cancel')).toEqual([{ server: 'gpu', model: 'nope:latest' }])
    for (const method of ['models.load', 'models.show', 'models.default', 'models.unload'])
      expect(await front.requests(method)).toEqual([])
  })

  test('knows the default model, and that of a chat, however they are written', async () => {
    const front = await startFront(nvim, { script: { ...scriptOf(QWEN, MINE), defaultModel: 'gpu:Mine' } })
    await openList(front, QWEN, MINE)
    await front.nvim.waitForScreen(/mine:latest \*/)
    await front.nvim.lua("vim.fn.search('mine')")
    await front.nvim.type('dd')
    await front.nvim.waitForScreen(/It is the default model\. Delete gpu:mine:latest/)
    await front.nvim.type('1<CR>')
    expect(await front.requests('models.delete')).toEqual([])
  })

  test('tells how much there is to fetch at most, and in full why a model has no newer one', async () => {
    const available = { ...QWEN, update: { state: 'available', bytes: 2_100_000_000, at_most: true } }
    const copy = { ...MINE, update: { state: 'local', why: 'it is a copy of qwen3:8b' } }
    const script = { ...scriptOf(available, copy), shown: {} }
    const front = await startFront(nvim, { script, columns: 100 })
    await openList(front, available, copy)
    await front.nvim.waitForScreen(/update ≤ 2\.1 GB/)
    await front.nvim.lua("vim.fn.search('mine')")
    await front.nvim.type('<CR>')
    await front.nvim.waitForScreen(/update +made here: it is a copy of qwen3:8b/)
  })

  test('keeps a model in memory for a time that Ollama knows', async () => {
    const front = await startFront(nvim, { script: scriptOf(QWEN) })
    await openList(front, QWEN)
    await front.nvim.type('K')
    await front.nvim.waitForScreen(/Keep gpu:qwen3:8b/)
    await front.nvim.type('4<CR>two hours<CR>')
    await front.nvim.waitForScreen(/A time is written as 90m, 24h or 1h30m/)
    await front.nvim.type('K')
    await front.nvim.waitForScreen(/Keep gpu:qwen3:8b/)
    await front.nvim.type('4<CR>1h 30m<CR>')
    expect(await front.waitForRequests('models.load')).toMatchObject([{ keep_alive: '1h30m' }])
  })

  test('is asked for only in the tab page that is seen, and while a line of it is', async () => {
    const front = await startFront(nvim, { script: scriptOf(QWEN) })
    await openList(front, QWEN)
    await front.nvim.type(':tabnew<CR>')
    await front.waitForRequests('models.unwatch')
    await front.nvim.type(':tabclose<CR>')
    await front.waitForRequests('models.watch', 2)
    await front.nvim.type(':set winminheight=0<CR><C-w>k:wincmd _<CR>')
    await front.waitForRequests('models.unwatch', 2)
    await front.nvim.type('<C-w>j:resize 8<CR>')
    await front.waitForRequests('models.watch', 3)
    expect(await front.requests('models.unwatch')).toHaveLength(2)
  })

  test('goes to what is pulled when it comes, if the person has not gone elsewhere', async () => {
    const many = Array.from({ length: 60 }, (_, index) => model(`m${index}:1b`))
    const coming = (name: string) => ({
      ...{ ref: `gpu:${name}`, server: 'gpu', name, pull: { ...PULL, model: name, state: 'pulling' } },
    })
    const front = await startFront(nvim, { script: scriptOf(...many) })
    await openList(front, ...many)
    const line = () => front.nvim.lua<string>('return vim.api.nvim_get_current_line()')
    await front.nvim.type('pFresh<CR>')
    await front.waitForRequests('pulls.start')
    await front.perform(['model_rows', gpu(...many, coming('fresh:latest'))])
    await front.nvim.waitForScreen(/fresh:latest\n +pulling manifest/)
    expect(await line()).toContain('fresh:latest')
    await front.nvim.type('pother:1b<CR>gg')
    await front.waitForRequests('pulls.start', 2)
    await front.perform(['model_rows', gpu(...many, coming('other:1b'))])
    await front.nvim.waitForLua("return vim.fn.search('other:1b', 'n') > 0")
    expect(await line()).toMatch(/MODEL/)
  })

  test('leaves the cursor where it is read when a row comes above it', async () => {
    const secret = model('mira/secret:v1', { update: { state: 'unknown', why: 'it is private' } })
    const front = await startFront(nvim, { script: scriptOf(QWEN, secret) })
    await openList(front, QWEN, secret)
    await front.nvim.lua("vim.fn.search('? mira')")
    await front.perform(['model_rows', gpu(MINE, QWEN, secret)])
    await front.nvim.waitForScreen(/mine:latest/)
    expect(await front.nvim.lua('return vim.api.nvim_get_current_line()')).toContain('it is private')
  })

  test('has its height again when what is shown of a model is closed', async () => {
    const front = await startFront(nvim, { script: { ...scriptOf(QWEN), shown: {} }, columns: 100 })
    await openList(front, QWEN)
    const window = await front.nvim.lua<number>('return vim.api.nvim_get_current_win()')
    const before = await front.nvim.lua<number>('return vim.api.nvim_win_get_height(...)', window)
    for (const close of ['q', ':close<CR>']) {
      await front.nvim.type('<CR>')
      await front.nvim.waitForLua("return vim.bo.filetype == 'ollama-model'")
      await front.nvim.type(close)
      await front.nvim.waitForLua("return vim.bo.filetype ~= 'ollama-model'")
      await front.nvim.waitForLua(
        'local window, before = ... return vim.api.nvim_win_get_height(window) == before',
        window,
        before,
      )
    }
  })
})
