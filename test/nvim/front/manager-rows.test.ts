// How the rows of the list of models fit a width, without a host: the pure part of the manager in a real Neovim.
import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { startFront } from './front.ts'

const NOW = 1_000_000_000_000
const LONG = 'hf.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-1M-GGUF:UD-Q4_K_XL'
const SERVER = 'rechenzentrum-karlsruhe-h100-4.intern.example.org'
const LOST = { code: 'TUNNEL_LOST', message: 'The connection to gpu was lost: the network is unreachable' }

const model = (name: string, more: object = {}) => ({
  ...{ ref: `gpu:${name}`, server: 'gpu', name, size: 5_200_000_000, modified: NOW - 432_000_000 },
  ...{ capabilities: ['completion', 'tools', 'vision', 'thinking'], parameters: '30.5B', quantization: 'Q4_K_M' },
  ...{ family: 'qwen3moe', digest: 'sha256:abcdef0123456789', trained_context: 1_048_576, context: 32_768 },
  ...more,
})
const loaded = { size: 22e9, vram: 15e9, context: 32_768, expires: NOW + 3_600_000 }
const pull = (name: string, more: object) => ({
  ...{ server: 'gpu', model: name, state: 'pulling', status: 'pulling 0123456789ab', completed: 12e9, total: 48e9 },
  ...more,
})
const layers = [1, 2, 3].map((part) => ({ digest: `sha256:${part}23456789abcdef`, total: part * 1e10, completed: 1e9 }))
const MODELS = [
  model(LONG, { loaded, update: { state: 'unknown', why: 'that registry is asked for no digests' } }),
  model('qwen3:8b', { update: { state: 'available', bytes: 48e9, at_most: true } }),
  model('qwen2.5vl:72b-q4_K_M', { pull: pull('qwen2.5vl:72b-q4_K_M', { rate: 118e6, left_ms: 302e3, layers }) }),
  model('nomic-embed-text:latest', { pull: pull('nomic-embed-text:latest', { state: 'waiting', error: LOST }) }),
  { ref: 'gpu:gone', server: 'gpu', name: 'gone', pull: pull('gone', { state: 'failed', error: LOST }) },
]
const SERVERS = [
  { server: 'gpu', state: 'ready', version: '0.32.15', read: NOW, models: MODELS },
  { server: SERVER, state: 'failed', read: NOW, models: [model('llama3.2:3b')], error: LOST },
]

const LINES = `
  local servers, width = ...
  local view = { width = width, now = ${NOW}, default_model = 'gpu:${LONG}', marked = {}, busy = {} }
  return vim.tbl_map(function(line)
    return { line.text, vim.fn.strdisplaywidth(line.text) }
  end, require('ollama-remote.manager.rows').lines(servers, view))`

describeWithNeovim('the rows of the list of models', (nvim) => {
  async function draw(...widths: number[]): Promise<string[]> {
    const front = await startFront(nvim)
    const pictures: string[] = []
    for (const width of widths) {
      const lines = await front.nvim.lua<[string, number][]>(LINES, SERVERS, width)
      expect(lines.filter(([, cells]) => cells > width)).toEqual([])
      pictures.push(lines.map(([text]) => text).join('\n'))
    }
    return pictures
  }

  test('say names whole where they can, and lose other columns for them', async () => {
    const [narrow = '', wide = ''] = await draw(110, 160)
    for (const picture of [narrow, wide])
      for (const { name } of MODELS) expect(picture).toMatch(new RegExp(`^ [ ●] ${name}`, 'm'))
    expect(narrow).toContain(`${LONG} *  5.2 GB`)
    expect(narrow).toMatch(/MODEL +SIZE +CAN +LOADED +UPDATE/)
    expect(wide).toMatch(/MODEL +SIZE +PARAM +QUANT .*CONTEXT .*LOADED +UPDATE/)
  })

  test('cut a name that no width holds in its middle, and no other one', async () => {
    const [least = '', common = ''] = await draw(60, 80)
    expect(least).toMatch(/^ ● hf\.co\/unsl\S*…:UD-Q4_K_XL \* {2}68% 1:00:00/m)
    expect(common).toMatch(/^ ● hf\.co\/unsloth\/Qwen3-\S*…:UD-Q4_K_XL \* {2}5\.2 GB {2}tvr {2}68% 1:00:00/m)
    for (const picture of [least, common])
      for (const { name } of MODELS.slice(1)) expect(picture).toMatch(new RegExp(`^ [ ●] ${name}`, 'm'))
  })

  test('break no word of what stands under them, and leave none of it out', async () => {
    for (const picture of await draw(60, 80, 110, 160)) {
      const text = picture.replace(/\s+/g, ' ')
      expect(text).toContain('waits for the server')
      expect(text.split('The connection to gpu was lost: the network is unreachable')).toHaveLength(4)
      expect(text).toMatch(/\? hf\.co\/unsloth\/Qwen3-Coder\S+:UD-Q4_K_XL: that registry is asked for no digests/)
      expect(picture).toMatch(/^ +layers {2}323456789abc 3 % of 30 GB( · \w{12} \d+ % of \d+ GB)*( · …)?$/m)
    }
  })

  test('say what their signs mean as long as these are shown', async () => {
    const [least = '', wide = ''] = await draw(60, 160)
    expect(least).not.toContain('CAN')
    expect(least).toMatch(/\n {3}\* the default$/)
    expect(wide).toMatch(/CAN: t tools · v vision · r reasons · \* the default$/)
  })
})
