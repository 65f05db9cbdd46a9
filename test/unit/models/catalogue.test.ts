import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import { type Listing, listModels } from '../../../src/models/catalogue.ts'
import type { Model, Provider } from '../../../src/providers/provider.ts'
import { ProviderRouter } from '../../../src/providers/router.ts'
import { FakeClock, settle } from '../core/fake-clock.ts'

const QWEN: Model = { name: 'qwen3:4b', size: 1, capabilities: ['completion', 'thinking'] }
const LLAMA: Model = { name: 'llama3.2:latest' }

describe('listModels', () => {
  it('lists the models by server, in the order of the servers and of their own lists, by full name', async () => {
    const { listing } = listingOf({ near: [QWEN, LLAMA], far: [QWEN] })
    expect(await listing).toEqual({
      models: [
        { ...QWEN, server: 'near', ref: 'near:qwen3:4b' },
        { ...LLAMA, server: 'near', ref: 'near:llama3.2:latest' },
        { ...QWEN, server: 'far', ref: 'far:qwen3:4b' },
      ],
      problems: [],
    })
  })

  it('leaves out what is known not to chat, and keeps what is not known', async () => {
    const embedding: Model = { name: 'embed:latest', capabilities: ['embedding'] }
    const { listing } = listingOf({ near: [embedding, LLAMA, { name: 'old:1b', capabilities: [] }, QWEN] })
    expect((await listing).models.map(({ name }) => name)).toEqual(['llama3.2:latest', 'old:1b', 'qwen3:4b'])
  })

  it('keeps the order of the servers when they answer the other way round', async () => {
    const late = deferred<Model[]>()
    const { listing } = listingOf({ slow: late.promise, fast: [QWEN] })
    await settle()
    late.resolve([LLAMA])
    expect((await listing).models.map(({ ref }) => ref)).toEqual(['slow:llama3.2:latest', 'fast:qwen3:4b'])
  })

  it('tells of a server that fails, without its cause, and lists the others', async () => {
    const failure = new PluginError('SSH_UNREACHABLE', 'far cannot be reached', {
      hint: 'Is it on?',
      cause: new Error('secret'),
    })
    const { listing, clock } = listingOf({ far: failure, odd: new TypeError('oops'), near: [QWEN] })
    const { models, problems } = await listing
    expect(models.map(({ ref }) => ref)).toEqual(['near:qwen3:4b'])
    expect(problems).toEqual([
      { server: 'far', error: { code: 'SSH_UNREACHABLE', message: 'far cannot be reached', hint: 'Is it on?' } },
      { server: 'odd', error: expect.objectContaining({ code: 'INTERNAL', message: 'oops' }) },
    ])
    expect(clock.timers).toBe(0)
  })

  it('waits three seconds for stragglers once one server has answered, and then tells of them', async () => {
    const { listing, clock, settled } = listingOf({ silent: never(), near: [QWEN] })
    await clock.advance(2_999)
    expect(settled()).toBe(false)
    await clock.advance(1)
    expect(await listing).toEqual({
      models: [{ ...QWEN, server: 'near', ref: 'near:qwen3:4b' }],
      problems: [
        { server: 'silent', error: expect.objectContaining({ code: 'API_UNAVAILABLE', hint: expect.any(String) }) },
      ],
    })
    expect(clock.timers).toBe(0)
  })

  it('does not begin to count while no server has answered, for a first connection may take long', async () => {
    const first = deferred<Model[]>()
    const { listing, clock, settled } = listingOf({ silent: never(), dialling: first.promise, down: new Error('down') })
    await clock.advance(60_000)
    expect({ settled: settled(), timers: clock.timers }).toEqual({ settled: false, timers: 0 })
    first.resolve([QWEN])
    await clock.advance(3_000)
    expect((await listing).models).toHaveLength(1)
    expect((await listing).problems.map(({ server }) => server)).toEqual(['silent', 'down'])
  })

  it('ends as soon as all have answered, and leaves no timer behind', async () => {
    const { listing, clock } = listingOf({ near: [QWEN], far: [], down: new Error('down') })
    expect((await listing).models).toHaveLength(1)
    await settle()
    expect(clock.timers).toBe(0)
  })

  it('tells all failures where every server fails', async () => {
    const { listing } = listingOf({ one: new Error('1'), two: new Error('2') })
    expect(await listing).toMatchObject({ models: [], problems: [{ server: 'one' }, { server: 'two' }] })
  })
})

/** Asks servers whose list is a value, a promise of one, or the error that they fail with. */
function listingOf(servers: Record<string, Model[] | Promise<Model[]> | Error>) {
  const clock = new FakeClock()
  const providers = Object.entries(servers).map(([name, answer]): [string, Provider] => [
    name,
    {
      loaded: async () => [],
      version: async () => '0',
      models: async () => {
        if (answer instanceof Error) throw answer
        return answer
      },
      async *stream() {},
    },
  ])
  let done = false
  const listing: Promise<Listing> = listModels(new ProviderRouter(new Map(providers)), clock).finally(() => {
    done = true
  })
  return { listing, clock, settled: () => done }
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve: (value: T) => resolve(value) }
}

function never(): Promise<never> {
  return new Promise(() => {})
}
