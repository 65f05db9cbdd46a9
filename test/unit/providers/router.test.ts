import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HostEvent } from '../../../src/core/events.ts'
import type { ChatRequest, Provider } from '../../../src/providers/provider.ts'
import { ProviderRouter } from '../../../src/providers/router.ts'
import { FakeClock } from '../core/fake-clock.ts'

describe('locate', () => {
  it.each([
    ['qwen3', 'first', 'qwen3'],
    ['qwen3:4b', 'first', 'qwen3:4b'],
    ['first:qwen3:4b', 'first', 'qwen3:4b'],
    ['second:qwen3', 'second', 'qwen3'],
    ['second:qwen3:4b', 'second', 'qwen3:4b'],
    ['second:hf.co/a/b:Q4_K_M', 'second', 'hf.co/a/b:Q4_K_M'],
    ['hf.co/a/b:Q4_K_M', 'first', 'hf.co/a/b:Q4_K_M'],
    ['registry:5000/a/b:tag', 'first', 'registry:5000/a/b:tag'],
    ['second', 'first', 'second'],
    ['second:second', 'second', 'second'],
    ['second:second:latest', 'second', 'second:latest'],
    ['second:first:4b', 'second', 'first:4b'],
    ['Second:qwen3', 'first', 'Second:qwen3'],
    ['constructor:x', 'first', 'constructor:x'],
    [':x', 'first', ':x'],
  ])('takes %s for a model of %s called %s', (reference, server, model) => {
    const { router, providers } = routing()
    const found = router.locate(reference)
    expect(found).toMatchObject({ server, model })
    expect(found.provider).toBe(providers.get(server))
  })

  it.each(['', 'first:', 'second:'])('refuses %j, which names no model', (reference) => {
    expect(() => routing().router.locate(reference)).toThrow(
      expect.objectContaining({ code: 'CHAT_NO_MODEL', hint: expect.stringContaining(':Ollama model') }),
    )
  })

  it('finds what a full name was made of, whatever the model is called', () => {
    const { router } = routing()
    const model = fc.string({ minLength: 1, unit: fc.constantFrom(':', 'a', '/', 'first', 'second') })
    fc.assert(
      fc.property(fc.constantFrom('first', 'second'), model, (server, name) => {
        expect(router.locate(`${server}:${name}`)).toMatchObject({ server, model: name })
        expect(router.fullName(router.fullName(`${server}:${name}`))).toBe(`${server}:${name}`)
      }),
    )
  })
})

describe('ProviderRouter', () => {
  it('has the servers in the order given', () => {
    expect(routing().router.servers).toEqual(['first', 'second'])
  })

  it('names the servers there are when one is not', () => {
    expect(() => routing().router.provider('third')).toThrow(
      expect.objectContaining({ code: 'SERVER_NOT_FOUND', hint: 'Configured are: first, second.' }),
    )
  })

  it('asks the server of the reference, by the name of the model there', () => {
    const { router, asked } = routing()
    const { signal } = new AbortController()
    const request = { messages: [], options: { seed: 1 }, think: true }
    router.stream('second:qwen3:4b', request, { signal })
    expect(asked).toEqual([['second', { ...request, model: 'qwen3:4b' }, { signal }]])
  })
})

it('numbers the requests, and tells of each on which server it goes', async () => {
  const told: HostEvent[] = []
  const observer = {
    clock: new FakeClock(),
    tell: (event: HostEvent) => told.push(event),
    number: () => told.length + 1,
    withContent: () => false,
  }
  const router = new ProviderRouter(routing().providers, observer)
  const request = { messages: [{ role: 'user' as const, content: 'my words' }], options: {} }
  for await (const _ of router.stream('second:qwen3:4b', request, { signal: new AbortController().signal }));
  const about = { server: 'second', request: 1, model: 'second:qwen3:4b' }
  expect(told.slice(0, 2)).toEqual([
    { name: 'ServerSelected', ...about },
    { name: 'RequestSent', ...about, messages: 1 },
  ])
  expect(told.every((event) => !('request' in event) || event.request === 1)).toBe(true)
})

it('tells why an answer is asked for once more', async () => {
  const told: HostEvent[] = []
  const { providers } = routing()
  const observer = {
    clock: new FakeClock(),
    tell: (event: HostEvent) => told.push(event),
    number: () => 2,
    withContent: () => false,
  }
  const second = providers.get('second') as Provider
  providers.set('second', { ...second, resume: () => second.stream({} as never, {} as never) })
  const router = new ProviderRouter(providers, observer)
  const { signal } = new AbortController()
  const partial = { text: 'half', thinking: '' }
  for await (const _ of router.resume('second:qwen3:4b', { messages: [], options: {} }, partial, { signal }));
  const about = { server: 'second', request: 2, model: 'second:qwen3:4b' }
  expect(told[1]).toEqual({ name: 'Retry', ...about, why: 'the answer was cut' })
})

function routing() {
  const asked: unknown[] = []
  const provider = (server: string): Provider => ({
    loaded: async () => [],
    version: async () => server,
    models: async () => [],
    stream(request: ChatRequest, options: { signal: AbortSignal }) {
      asked.push([server, request, options])
      return (async function* () {})()
    },
  })
  const providers = new Map(['first', 'second'].map((name) => [name, provider(name)]))
  return { router: new ProviderRouter(providers), providers, asked }
}
