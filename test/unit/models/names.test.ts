import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canonicalName,
  fullName,
  type ModelName,
  parseModelName,
  shortName,
  type Upstream,
  upstreamOf,
} from '../../../src/models/names.ts'

const part = (further: string) => fc.stringMatching(new RegExp(`^[A-Za-z0-9_][A-Za-z0-9_${further}-]{0,30}$`))
const host = fc.oneof(
  fc.constantFrom('registry.ollama.ai', 'hf.co', 'localhost:5000', 'registry.corp.example:443'),
  part('.').filter((text) => text !== ''),
)
const names: fc.Arbitrary<ModelName> = fc.record({
  host,
  namespace: part(''),
  model: part('.'),
  tag: part('.'),
  isPlain: fc.boolean(),
})

describe('parseModelName', () => {
  it.each([
    ['qwen3', 'registry.ollama.ai/library/qwen3:latest'],
    ['qwen3:4b', 'registry.ollama.ai/library/qwen3:4b'],
    ['Qwen3:4B', 'registry.ollama.ai/library/Qwen3:4B'],
    ['mira/tuned:v1.2', 'registry.ollama.ai/mira/tuned:v1.2'],
    ['hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M', 'hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M'],
    ['huggingface.co/a/b', 'huggingface.co/a/b:latest'],
    ['localhost:5000/library/qwen3', 'localhost:5000/library/qwen3:latest'],
    ['localhost:5000/team/qwen3:4b', 'localhost:5000/team/qwen3:4b'],
    ['http://localhost:5000/team/qwen3:4b', 'http://localhost:5000/team/qwen3:4b'],
    ['https://registry.example/team/qwen3', 'registry.example/team/qwen3:latest'],
    ['_hidden', 'registry.ollama.ai/library/_hidden:latest'],
  ])('%s', (text, full) => {
    expect(fullName(parseModelName(text) as ModelName)).toBe(full)
  })

  it.each([
    '',
    ':',
    'a:',
    ':b',
    '/a',
    'a//b',
    'a/b/c/d',
    '-a',
    'a b',
    'a:b:c',
    'my.team/a',
    "a'b",
    'a$(b)',
    'http://a',
    '../a',
  ])('refuses %j', (text) => {
    expect(parseModelName(text)).toBeUndefined()
    expect(upstreamOf(text)).toBe('none')
  })

  it('reads back every name in full and as it is shown', () => {
    fc.assert(
      fc.property(names, (name) => {
        expect(parseModelName(fullName(name))).toEqual(name)
        expect(canonicalName(shortName(name))).toBe(fullName(name).toLowerCase())
      }),
    )
  })

  it('takes no text for a name that could end a word of a command or leave a folder', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const name = parseModelName(text)
        if (!name) return
        for (const value of [name.host, name.namespace, name.model, name.tag]) {
          expect(value).toMatch(/^[A-Za-z0-9_][\w.:-]*$/)
        }
      }),
    )
  })
})

it('knows one model by all its names', () => {
  const all = ['qwen3', 'QWEN3:latest', 'library/qwen3', 'registry.ollama.ai/library/qwen3:Latest']
  expect(new Set(all.map(canonicalName)).size).toBe(1)
  expect(canonicalName('qwen3:4b')).not.toBe(canonicalName('qwen3'))
})

it('shows a name as Ollama does', () => {
  const shown = (text: string) => shortName(parseModelName(text) as ModelName)
  expect(shown('registry.ollama.ai/library/qwen3')).toBe('qwen3:latest')
  expect(shown('registry.ollama.ai/mira/tuned:v1')).toBe('mira/tuned:v1')
  expect(shown('hf.co/a/b:Q4_K_M')).toBe('hf.co/a/b:Q4_K_M')
})

it.each<[string, Upstream]>([
  ['qwen3:4b', 'library'],
  ['ollama.com/library/qwen3', 'library'],
  ['mira/tuned', 'user'],
  ['hf.co/a/b:Q8_0', 'hf'],
  ['HuggingFace.co/a/b', 'hf'],
  ['localhost:5000/a/b', 'other'],
  ['http://registry.corp/a/b', 'other'],
  ['gpt-oss:120b-cloud', 'cloud'],
  ['kimi-k2:cloud', 'cloud'],
  ['cloud:latest', 'library'],
  ['mycloud:8b', 'library'],
])('%s comes from: %s', (name, upstream) => {
  expect(upstreamOf(name)).toBe(upstream)
})
