import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import { ModelBook, type Way } from '../../../src/models/book.ts'
import { emptyModels, type KeptModels } from '../../../src/models/models-file.ts'
import { VerdictMemory } from '../../../src/models/verdict-memory.ts'
import type { KeptVerdicts } from '../../../src/models/verdicts-file.ts'
import type { LoadedModel, Model, ModelDetails } from '../../../src/providers/provider.ts'
import type { ServerModels } from '../../../src/rpc/shapes.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { memoryFile } from './update-rig.ts'

const QWEN: Model = { name: 'qwen3:4b', digest: 'aaa', size: 7, capabilities: ['completion'] }
const LLAMA: Model = { name: 'llama3.2:latest', digest: 'bbb' }

describe('ModelBook', () => {
  it('tells at once what is known, then what the server says', async () => {
    const { book, told, clock } = world({ kept: listOf('gpu', [LLAMA]) })
    expect(await book.handlers['models.watch']({ watch: 1 })).toEqual({
      servers: ['gpu', 'mac'],
      default_model: 'gpu:qwen3:4b',
    })
    expect(told[0]).toMatchObject({ server: 'gpu', state: 'ready', models: [{ ref: 'gpu:llama3.2:latest' }] })
    await clock.advance(200)
    expect(last(told, 'gpu')).toMatchObject({
      version: '0.32.15',
      models: [{ ref: 'gpu:qwen3:4b', size: 7, loaded: { vram: 3 } }, { name: 'llama3.2:latest' }],
    })
  })

  it('asks for what is loaded every 2 s and for the list every 5, and for nothing when nobody looks', async () => {
    const { book, clock, asked } = world({})
    await clock.advance(20_000)
    expect(asked).toEqual({ models: 0, loaded: 0, show: 0, version: 0 })
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await book.handlers['models.watch']({ watch: 2, servers: ['gpu'] })
    await clock.advance(11_900)
    // Two watches are one look each time: at 0, 2, 4, 6, 8, 10 s.
    expect(asked).toMatchObject({ loaded: 6, models: 2, version: 1 })
    await book.handlers['models.unwatch']({ watch: 1 })
    await clock.advance(2_000)
    expect(asked.loaded).toBe(7)
    await book.handlers['models.unwatch']({ watch: 2 })
    await clock.advance(20_000)
    expect(asked.loaded).toBe(7)
    expect(clock.timers).toBe(0)
  })

  it('tells nothing when a look finds nothing new', async () => {
    const { book, clock, told } = world({})
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await clock.advance(2_500)
    const count = told.length
    await clock.advance(20_000)
    expect(told.length).toBe(count)
  })

  it('waits for a link that is not up, asks nobody, and asks the server as soon as it is', async () => {
    const { book, clock, told, asked, ways, needs } = world({ gpu: { state: 'connecting' } })
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await clock.advance(10_000)
    expect(asked.loaded).toBe(0)
    expect(needs).toEqual([['gpu', true]])
    expect(last(told, 'gpu')).toMatchObject({ state: 'connecting', models: [] })
    ways.gpu = { state: 'ready' }
    book.changed('gpu')
    await clock.advance(200)
    expect(last(told, 'gpu').models).toHaveLength(2)
    await book.handlers['models.unwatch']({ watch: 1 })
    expect(needs.at(-1)).toEqual(['gpu', false])
  })

  it('tells why a server cannot be reached, and keeps showing what it had', async () => {
    const { book, clock, told, ways } = world({})
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await clock.advance(200)
    const error = { code: 'SSH_DISCONNECTED' as const, message: 'gone' }
    ways.gpu = { state: 'waiting', error, retryAt: 9_000 }
    book.changed('gpu')
    await clock.advance(200)
    expect(last(told, 'gpu')).toMatchObject({ state: 'waiting', error, retry_at: 9_000, models: [{}, {}] })
    expect(last(told, 'gpu').models[0]?.loaded).toBeUndefined()
  })

  it('tells what a server answers amiss, and that it is well again', async () => {
    const { book, clock, told, failing } = world({})
    failing.with = new PluginError('API_UNAVAILABLE', 'nobody listens there')
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await clock.advance(200)
    expect(last(told, 'gpu').error).toMatchObject({ code: 'API_UNAVAILABLE' })
    failing.with = undefined
    await clock.advance(8_000)
    expect(last(told, 'gpu').error).toBeUndefined()
    expect(last(told, 'gpu').models).toHaveLength(2)
  })

  it('asks for the details of a digest once, and keeps them', async () => {
    const { book, clock, told, asked, written } = world({})
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await clock.advance(30_000)
    expect(asked.show).toBe(2)
    expect(last(told, 'gpu').models[1]).toMatchObject({
      trained_context: 131_072,
      context: 8192,
      capabilities: ['completion', 'tools'],
    })
    expect(Object.keys(written.at(-1)?.facts ?? {}).sort()).toEqual(['aaa', 'bbb'])
    const next = world({ kept: written.at(-1) })
    await next.book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await next.clock.advance(3_000)
    expect(next.asked.show).toBe(0)
    expect(last(next.told, 'gpu').models[1]).toMatchObject({ trained_context: 131_072 })
  })

  it('shows a verdict as long as it is of the digest that is installed', async () => {
    const { book, clock, told, models } = world({})
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await clock.advance(200)
    book.verdict('gpu', 'llama3.2', { state: 'available', bytes: 5 })
    await clock.advance(200)
    expect(last(told, 'gpu').models[1]?.update).toEqual({ state: 'available', bytes: 5 })
    models.gpu = [QWEN, { ...LLAMA, digest: 'ccc' }]
    book.operated('gpu')
    await clock.advance(200)
    expect(last(told, 'gpu').models[1]).toMatchObject({ digest: 'ccc' })
    expect(last(told, 'gpu').models[1]?.update).toBeUndefined()
  })

  it('shows the verdicts of an earlier session, of the same digest and within the hour', async () => {
    const verdicts: KeptVerdicts = {
      'registry.ollama.ai/library/qwen3:4b@aaa': { state: 'available', bytes: 5, checked: -1_000 },
      'registry.ollama.ai/library/llama3.2:latest@other': { state: 'current', checked: -1_000 },
    }
    const { book, told, clock } = world({ kept: listOf('gpu', [QWEN, LLAMA]), verdicts })
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    const [qwen, llama] = told[0]?.models ?? []
    expect(qwen?.update).toEqual({ state: 'available', bytes: 5, checked: -1_000 })
    expect(llama?.update).toBeUndefined()
    expect([book.wasJudged('gpu', 'qwen3:4b'), book.wasJudged('gpu', 'phi4')]).toEqual([true, false])
    await clock.advance(3_600_000)
    expect(last(told, 'gpu').models[0]?.update).toBeUndefined()
    book.verdict('gpu', 'qwen3:4b', { state: 'current' })
    await clock.advance(200)
    expect(last(told, 'gpu').models[0]?.update).toEqual({ state: 'current' })
  })

  it('shows a pull with its model or as a row of its own, and looks anew when it is done', async () => {
    const { book, clock, told, models } = world({})
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await clock.advance(200)
    book.pull({ server: 'gpu', model: 'phi4', state: 'pulling', status: 'pulling manifest' })
    book.pull({ server: 'gpu', model: 'llama3.2', state: 'queued', status: '' })
    await clock.advance(200)
    expect(last(told, 'gpu').models).toMatchObject([
      { name: 'qwen3:4b' },
      { name: 'llama3.2:latest', pull: { state: 'queued' } },
      { ref: 'gpu:phi4:latest', pull: { state: 'pulling' } },
    ])
    const count = told.length
    book.pull({ server: 'gpu', model: 'phi4', state: 'pulling', status: 'pulling abc', completed: 1 })
    await clock.advance(200)
    expect(told.length).toBe(count)
    models.gpu = [{ name: 'phi4:latest' }, QWEN, LLAMA]
    book.pull({ server: 'gpu', model: 'phi4', state: 'done', status: 'success' })
    await clock.advance(200)
    expect(last(told, 'gpu').models.map(({ name }) => name)).toEqual(['phi4:latest', 'qwen3:4b', 'llama3.2:latest'])
  })

  it('shows why a pull failed until the person asks anew', async () => {
    const { book, clock, told } = world({})
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await clock.advance(200)
    book.pull({ server: 'gpu', model: 'nope', state: 'failed', status: '', error: { code: 'INTERNAL', message: 'no' } })
    await clock.advance(10_000)
    expect(last(told, 'gpu').models).toHaveLength(3)
    await book.handlers['models.refresh']({ servers: ['gpu'] })
    await clock.advance(200)
    expect(last(told, 'gpu').models).toHaveLength(2)
  })

  it('tells at most eight times a second, and the last state always', async () => {
    const { book, clock, told } = world({})
    await book.handlers['models.watch']({ watch: 1, servers: ['gpu'] })
    await clock.advance(1_900)
    const before = told.length
    for (let bytes = 1; bytes <= 100; bytes += 1) {
      book.verdict('gpu', 'qwen3:4b', { state: 'available', bytes })
      await clock.advance(10)
    }
    await clock.advance(200)
    expect(told.length - before).toBeLessThanOrEqual(10)
    expect(last(told, 'gpu').models[0]?.update?.bytes).toBe(100)
  })

  it('brings a link up when a person asks for it', async () => {
    const { book, connected, clock } = world({ gpu: { state: 'failed' } })
    await book.handlers['models.watch']({ watch: 1 })
    await book.handlers['models.refresh']({ servers: undefined })
    expect(connected).toEqual(['gpu'])
    await clock.advance(0)
  })

  it('names what is installed anywhere, what the person added and what is well known', async () => {
    const { book } = world({ kept: listOf('elsewhere', [QWEN]) })
    const { installed, well_known } = await book.handlers['models.names']([])
    expect(installed).toEqual(['qwen3:4b'])
    expect(well_known[0]).toBe('mine:1b')
    expect(well_known).toContain('llama3.2:1b')
  })
})

function last(told: readonly ServerModels[], server: string): ServerModels {
  const found = told.findLast((rows) => rows.server === server)
  if (!found) throw new Error(`nothing was told of ${server}`)
  return found
}

function listOf(server: string, models: Model[]): KeptModels {
  return { ...emptyModels(), servers: { [server]: { read: 0, models } } } as KeptModels
}

interface World {
  gpu?: Way
  kept?: KeptModels | undefined
  verdicts?: KeptVerdicts
}

function world({ gpu = { state: 'ready' }, kept = emptyModels(), verdicts = {} }: World) {
  const clock = new FakeClock()
  const told: ServerModels[] = []
  const asked = { models: 0, loaded: 0, show: 0, version: 0 }
  const ways: Record<string, Way> = { gpu, mac: { state: 'ready' } }
  const models: Record<string, Model[]> = { gpu: [QWEN, LLAMA], mac: [] }
  const failing: { with: PluginError | undefined } = { with: undefined }
  const needs: Array<[string, boolean]> = []
  const connected: string[] = []
  const written: KeptModels[] = []
  const answer = async <V>(value: V): Promise<V> => {
    if (failing.with) throw failing.with
    return value
  }
  const count = <V>(server: string, what: keyof typeof asked, value: V): Promise<V> => {
    if (server === 'gpu') asked[what] += 1
    return answer(value)
  }
  const loaded: LoadedModel[] = [{ name: 'qwen3:4b', size: 4, vram: 3, expires: 'never' }]
  const details: ModelDetails = {
    capabilities: ['completion', 'tools'],
    trainedContext: 131_072,
    parameters: 'stop    "<|eot|>"\nnum_ctx    8192\n',
  }
  const book = new ModelBook({
    surface: { modelRows: async (rows) => void told.push(structuredClone(rows)) },
    servers: () => Object.keys(ways),
    way: (server) => ways[server] ?? { state: 'idle' },
    need: (server, isNeeded) => void needs.push([server, isNeeded]),
    connect: async (server) => void connected.push(server),
    source: (server) => ({
      version: () => count(server, 'version', '0.32.15'),
      models: () => count(server, 'models', models[server] ?? []),
      loadedModels: () => count(server, 'loaded', server === 'gpu' ? loaded : []),
      show: () => count(server, 'show', details),
    }),
    file: { read: async () => structuredClone(kept), write: async (all) => void written.push(structuredClone(all)) },
    verdicts: new VerdictMemory({ file: memoryFile(verdicts), clock, log: silentLog }),
    names: () => ['mine:1b'],
    defaultModel: () => 'gpu:qwen3:4b',
    clock,
    log: silentLog,
  })
  return { book, clock, told, asked, ways, models, failing, needs, connected, written }
}
