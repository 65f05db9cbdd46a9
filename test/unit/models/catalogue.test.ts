import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import { ModelBook } from '../../../src/models/book.ts'
import { modelCatalogue } from '../../../src/models/catalogue.ts'
import { emptyModels, type KeptModels } from '../../../src/models/models-file.ts'
import { VerdictMemory } from '../../../src/models/verdict-memory.ts'
import type { LoadedModel, Model, ModelKeeper, Provider } from '../../../src/providers/provider.ts'
import { FakeClock, settle } from '../core/fake-clock.ts'
import { memoryFile } from './update-rig.ts'

const QWEN: Model = { name: 'qwen3:4b', size: 1, capabilities: ['completion', 'thinking'] }
const LLAMA: Model = { name: 'llama3.2:latest' }

describe('modelCatalogue', () => {
  it('lists the models by server, in the order of the servers and of their own lists, by full name', async () => {
    const { listing } = listingOf({ near: [QWEN, LLAMA], far: [QWEN] })
    expect(await listing).toEqual({
      models: [
        { ...QWEN, server: 'near', ref: 'near:qwen3:4b', read: expect.any(Number) },
        { ...LLAMA, server: 'near', ref: 'near:llama3.2:latest', read: expect.any(Number) },
        { ...QWEN, server: 'far', ref: 'far:qwen3:4b', read: expect.any(Number) },
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
      models: [{ ...QWEN, server: 'near', ref: 'near:qwen3:4b', read: expect.any(Number) }],
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

  it('tells at once what was seen before, with when that was, and asks nobody', async () => {
    const { list, reached } = world({
      answers: { near: never(), far: never() },
      kept: { near: { read: 7, models: [QWEN] } },
      unreached: { far: new PluginError('SSH_UNREACHABLE', 'far is away') },
    })
    expect(await list({ known: true })).toEqual({
      models: [{ ...QWEN, server: 'near', ref: 'near:qwen3:4b', read: 7 }],
      problems: [{ server: 'far', error: { code: 'SSH_UNREACHABLE', message: 'far is away' } }],
    })
    expect(reached).toEqual([])
  })

  it('puts what is in memory first, and does not forget it until it is due to be unloaded', async () => {
    const { list, clock } = world({
      answers: { near: [QWEN, LLAMA], far: [QWEN] },
      loaded: {
        near: [{ name: 'llama3.2:latest', expires: 60_000 }],
        far: [{ name: 'qwen3:4b', expires: 'never' }],
      },
    })
    const sorted = ['near:llama3.2:latest', 'far:qwen3:4b', 'near:qwen3:4b']
    expect((await list({})).models.map(({ ref }) => ref)).toEqual(sorted)
    expect((await list({ known: true })).models.map((model) => model.is_loaded)).toEqual([true, true, undefined])
    await clock.advance(70_000)
    expect((await list({ known: true })).models[0]?.ref).toBe('far:qwen3:4b')
  })

  it('asks no person while anything is known, and tells whose login does', async () => {
    const unreached = { far: new PluginError('CANCELLED', 'nobody is there to answer') }
    const { list } = world({
      answers: { near: [QWEN], far: [QWEN] },
      kept: { near: { read: 0, models: [] } },
      unreached,
    })
    const { models, problems } = await list({})
    expect(models.map(({ ref }) => ref)).toEqual(['near:qwen3:4b'])
    expect(problems).toMatchObject([{ server: 'far', needs_person: true, error: { code: 'SSH_AUTH_CANCELLED' } }])
    const unknown = world({ answers: { near: [QWEN], far: [QWEN] }, unreached })
    expect((await unknown.list({})).models).toHaveLength(2)
    expect(unknown.reached).toEqual([])
  })

  it('offers no embedding model that is known as one from an earlier session', async () => {
    const embedding: Model = { name: 'embed:latest', digest: 'eee', capabilities: ['embedding'] }
    const kept = { near: { read: 0, models: [embedding, LLAMA] } }
    const { list, book } = world({ answers: { near: [LLAMA] }, kept })
    expect((await list({ known: true })).models.map(({ name }) => name)).toEqual(['llama3.2:latest'])
    expect(book.capabilities('eee')).toEqual(['embedding'])
    expect(book.capabilities('other')).toBeUndefined()
  })

  it('keeps showing what was seen of a server that cannot be asked now', async () => {
    const { list } = world({ answers: { near: new Error('down') }, kept: { near: { read: 3, models: [LLAMA] } } })
    expect(await list({})).toMatchObject({ models: [{ name: 'llama3.2:latest', read: 3 }], problems: [{}] })
  })
})

interface World {
  /** A server's list is a value, a promise of one, or the error that it fails with. */
  answers: Record<string, Model[] | Promise<Model[]> | Error>
  kept?: Record<string, { read: number; models: Model[] }>
  loaded?: Record<string, LoadedModel[]>
  /** Why a link does not come up without a person. */
  unreached?: Record<string, PluginError>
}

function world({ answers, kept = {}, loaded = {}, unreached = {} }: World) {
  const clock = new FakeClock()
  const reached: string[] = []
  const providers = new Map<string, Provider>(
    Object.entries(answers).map(([name, answer]) => [
      name,
      {
        keeper: { loadedModels: async () => loaded[name] ?? [] } as Partial<ModelKeeper> as ModelKeeper,
        loaded: async () => [],
        version: async () => '0',
        models: async () => {
          if (answer instanceof Error) throw answer
          return answer
        },
        async *stream() {},
      },
    ]),
  )
  const file = { read: async () => ({ ...emptyModels(), servers: kept }) as KeptModels, write: async () => {} }
  const book = new ModelBook({
    surface: { modelRows: async () => {} },
    servers: () => [...providers.keys()],
    way: () => ({ state: 'ready' }),
    need: () => {},
    connect: async () => {},
    source: () => ({}) as never,
    names: () => [],
    defaultModel: () => undefined,
    verdicts: new VerdictMemory({ file: memoryFile(), clock, log: silentLog }),
    ...{ file, clock, log: silentLog },
  })
  const catalogue = modelCatalogue({
    servers: () => [...providers.keys()],
    book,
    reach: async (server) => {
      reached.push(server)
      if (unreached[server]) throw unreached[server]
    },
    error: (server) => unreached[server],
    provider: (server) => providers.get(server) as Provider,
    defaultModel: () => undefined,
    clock,
  })
  return { list: catalogue['models.list'], book, clock, reached }
}

/** What servers of which nothing is known answer. */
function listingOf(answers: World['answers']) {
  const { list, clock } = world({ answers })
  let done = false
  const listing = list({}).finally(() => {
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
