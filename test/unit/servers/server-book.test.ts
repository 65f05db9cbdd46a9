import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { changeConfigFile, type LoadedConfig, loadConfig } from '../../../src/config/load.ts'
import { PluginError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import type { ServerRow, TestStep } from '../../../src/rpc/shapes.ts'
import { ServerBook, type ServerBookDeps } from '../../../src/servers/server-book.ts'
import { Servers } from '../../../src/tunnel/servers.ts'
import type { LinkStatus } from '../../../src/tunnel/transport.ts'
import { FakeClock, scripted } from '../tunnel/fakes.ts'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ollama-remote-book-'))
  file = join(folder, 'ollama_config.lua')
})

afterEach(() => rm(folder, { recursive: true }))

/** A book over real files and real, idle servers. */
async function openBook(setup: Record<string, unknown>, more: Partial<ServerBookDeps> = {}) {
  const clock = new FakeClock()
  const shown: ServerRow[] = []
  const steps: TestStep[] = []
  const servers = new Servers({ prompts: scripted().prompts, clock, log: silentLog })
  const load = () => loadConfig(setup, file)
  const take = (loaded: LoadedConfig) => servers.configure(loaded.config.servers)
  const book = new ServerBook({
    surface: {
      server: async (row) => void shown.push(row),
      testStep: async (_, step) => void steps.push(step),
    },
    servers: () => servers,
    provider: () => ({ version: async () => '0.12.3', loaded: async () => ['qwen3:32b'] }),
    test: async () => [],
    load,
    change: (changes) => changeConfigFile(file, changes),
    take,
    aliases: async () => ['gate'],
    clock,
    log: silentLog,
    ...more,
  })
  const loaded = await load()
  book.adopt(loaded)
  take(loaded)
  const names = () => servers.names
  return { book, ...book.handlers, servers, names, clock, shown, steps }
}

type Handlers = Awaited<ReturnType<typeof openBook>>

const list = async (of: Handlers) => (await of['servers.list']({})).servers
const text = () => readFile(file, 'utf8')

describe('the list', () => {
  it('has a row for each server, the default first, and tells where it is configured', async () => {
    await writeFile(
      file,
      'return { servers = { lab = { url = "http://ada:secret@lab:1" }, gpu = { ssh = "me@box:2222" } } }',
    )
    const it = await openBook({
      servers: { gpu: { ssh: 'old' }, home: { ssh: { host: 'h', jump: 'gate' } } },
      default_server: 'lab',
    })
    expect(await list(it)).toMatchObject([
      {
        name: 'lab',
        is_default: true,
        state: 'ready',
        transport: 'direct',
        address: 'lab:1',
        origin: 'file',
        url: 'http://ada:***@lab:1',
      },
      {
        name: 'gpu',
        is_default: false,
        state: 'idle',
        transport: 'auto',
        address: 'me@box:2222',
        ssh: 'me@box:2222',
        origin: 'both',
      },
      { name: 'home', state: 'idle', address: 'h via gate', origin: 'setup' },
    ])
  })

  it('has the server that is there by itself', async () => {
    expect(await list(await openBook({}))).toMatchObject([{ name: 'local', origin: 'none', is_default: true }])
  })

  it('tells the editor of a change, and nothing of a server that is gone', async () => {
    const it = await openBook({ servers: { gpu: { ssh: 'a' } } })
    it.book.changed('gpu')
    it.book.changed('old')
    expect(it.shown).toMatchObject([{ name: 'gpu', state: 'idle' }])
  })
})

describe('details', () => {
  it('are asked for only while a link is up', async () => {
    const asked: string[] = []
    const provider = (server: string) => {
      asked.push(server)
      return { version: async () => '1', loaded: async () => [] }
    }
    const it = await openBook({ servers: { gpu: { ssh: 'a' } } }, { provider })
    expect(await it['servers.details']({ server: 'gpu' })).toEqual({})
    expect(asked).toEqual([])
  })

  it('tell version, models and round trip; a failure and a silent server are told too', async () => {
    const answering = await openBook({}, { servers: () => withLink(async () => 12) })
    const known = { version: '0.12.3', loaded: ['qwen3:32b'], round_trip_ms: 12 }
    expect(await answering['servers.details']({ server: 'gpu' })).toEqual(known)
    expect(answering.clock.sleepers).toBe(0)

    const down = new PluginError('API_UNAVAILABLE', 'Nothing listens')
    const failing = await openBook({}, { servers: () => withLink(() => Promise.reject(down)) })
    expect(await failing['servers.details']({ server: 'gpu' })).toEqual({
      error: { code: 'API_UNAVAILABLE', message: 'Nothing listens' },
    })

    const never = (signal: AbortSignal) =>
      new Promise<number>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const silent = await openBook({}, { servers: () => withLink(never) })
    const answer = silent['servers.details']({ server: 'gpu' })
    await silent.clock.pass(5_000)
    expect(await answer).toMatchObject({ error: { code: 'API_UNAVAILABLE', message: expect.stringMatching(/5 s/) } })
  })
})

describe('saving', () => {
  it('adds a server to the file, and the host takes it up at once; the others stay as they are', async () => {
    const it = await openBook({ servers: { gpu: { ssh: 'a' } } })
    const before = it.servers.get('gpu')
    expect(
      await it['servers.save']({ server: 'lab-2', draft: { ssh: 'ada@lab', url: 'http://127.0.0.1:11434' } }),
    ).toEqual({})
    expect(it.names()).toEqual(['gpu', 'lab-2'])
    expect(it.servers.get('gpu')).toBe(before)
    expect(await text()).toMatch(
      / {2}servers = \{\n {4}\["lab-2"\] = \{ ssh = "ada@lab" \},\n {2}\},\n {2}last_updated/,
    )
  })

  it('changes one field of one server, comments and all else untouched', async () => {
    const source =
      'return {\n  servers = {\n    -- the big one\n    gpu = { ssh = { host = "a", jump = "g" --[[slow]] } },\n    b = {},\n  },\n  last_updated = ""\n}'
    await writeFile(file, source)
    const it = await openBook({})
    await it['servers.save']({ server: 'gpu', draft: { ssh: 'c' } })
    expect((await text()).replace(/last_updated = ".*"/, 'last_updated = ""')).toBe(
      source.replace('host = "a"', 'host = "c"'),
    )
    expect(it.servers.get('gpu').config.ssh).toMatchObject({ host: 'c', jump: 'g' })
  })

  it('overrides a server of setup() with all of its settings, and says so', async () => {
    const it = await openBook({ servers: { gpu: { ssh: { host: 'a', jump: 'gate' } } } })
    const { note } = await it['servers.save']({ server: 'gpu', draft: { url: 'http://127.0.0.1:1' } })
    expect(note).toMatch(/gpu stands in setup\(\)/)
    expect(it.servers.get('gpu').config).toMatchObject({ ssh: { host: 'a', jump: 'gate' }, url: { port: '1' } })
    expect(await list(it)).toMatchObject([{ name: 'gpu', origin: 'both' }])
  })

  it('says that the server which was there by itself is there no more', async () => {
    const it = await openBook({})
    expect((await it['servers.save']({ server: 'gpu', draft: { ssh: 'a' } })).note).toMatch(/127\.0\.0\.1:11434/)
  })

  it('refuses what is wrong, and writes nothing', async () => {
    const it = await openBook({})
    const wrong = it['servers.save']({ server: 'gpu', draft: { url: 'gpubox' } }) as Promise<unknown>
    await expect(wrong).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(text()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('removing', () => {
  it('takes a server out of the file, and with it its being the default', async () => {
    await writeFile(
      file,
      'return {\n  servers = {\n    a = {}, -- stays\n    b = {},\n  },\n  default_server = "b",\n}\n',
    )
    const it = await openBook({})
    expect(await it['servers.remove']({ server: 'b' })).toEqual({})
    expect(it.names()).toEqual(['a'])
    expect(await text()).toMatch(
      /^return \{\n {2}servers = \{\n {4}a = \{\}, -- stays\n {2}\},\n {2}last_updated = ".*",\n\}\n$/,
    )
  })

  it('says that setup() still has it for the default', async () => {
    await writeFile(file, 'return { servers = { lab = {} } }')
    const it = await openBook({ servers: { gpu: {} }, default_server: 'lab' })
    expect((await it['servers.remove']({ server: 'lab' })).note).toMatch(/default_server/)
    expect(it.names()).toEqual(['gpu'])
  })

  it('says that one which stands in setup() too is now as it is there', async () => {
    await writeFile(file, 'return { servers = { gpu = { ssh = "new" } } }')
    const it = await openBook({ servers: { gpu: { ssh: 'old' } } })
    expect((await it['servers.remove']({ server: 'gpu' })).note).toMatch(/setup\(\)/)
    expect(it.servers.get('gpu').config.ssh?.host).toBe('old')
  })

  it.each([
    ['gpu', 'CONFIG_UNWRITABLE', /setup\(\)/],
    ['local', 'SERVER_NOT_FOUND', /local/],
  ])('cannot take away %s, and says where it stands', async (server, code, words) => {
    const it = await openBook(server === 'gpu' ? { servers: { gpu: { ssh: 'a' } } } : {})
    const refused = it['servers.remove']({ server }) as Promise<unknown>
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(words) })
    await expect(text()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('the default', () => {
  it('is kept in the file, and is first at once', async () => {
    const it = await openBook({ servers: { a: {}, b: {} } })
    await it['servers.default']({ server: 'b' })
    expect(it.names()).toEqual(['b', 'a'])
    expect(await text()).toMatch(/default_server = "b"/)
    const unknown = it['servers.default']({ server: 'c' }) as Promise<unknown>
    await expect(unknown).rejects.toMatchObject({ code: 'SERVER_NOT_FOUND' })
  })
})

describe('a test', () => {
  it('goes the way of the draft, tells each step, and all of them at the end', async () => {
    const error = new PluginError('SSH_AUTH_FAILED', 'No', { hint: 'Do this' })
    const tested: unknown[] = []
    const it = await openBook(
      { servers: { gpu: { ssh: { host: 'a', jump: 'g' } } } },
      {
        test: async (config, { onStep, mayAsk }) => {
          tested.push([config.ssh?.host, config.ssh?.jump, mayAsk])
          const step = { stage: 'authentication', ms: 3, error } as const
          onStep(step)
          return [step]
        },
      },
    )
    const { steps } = await it['servers.test']({ walk: 1, server: 'gpu', draft: { ssh: 'b' }, may_ask: true })
    expect(tested).toEqual([['b', 'g', true]])
    expect(steps).toEqual([
      { stage: 'authentication', ms: 3, error: { code: 'SSH_AUTH_FAILED', message: 'No', hint: 'Do this' } },
    ])
    expect(it.steps).toEqual(steps)
  })

  it('can be given up', async () => {
    const it = await openBook(
      { servers: { gpu: { ssh: 'a' } } },
      {
        test: (_, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
    )
    const walk = it['servers.test']({ walk: 7, server: 'gpu', may_ask: false }) as Promise<unknown>
    const given = expect(walk).rejects.toMatchObject({ code: 'CANCELLED' })
    await it['servers.cancel']({ walk: 7 })
    await given
  })
})

/** One server whose link is up. */
function withLink(measure: (signal: AbortSignal) => Promise<number>): ReturnType<ServerBookDeps['servers']> {
  const status: LinkStatus = { state: 'ready', since: 0, attempts: 0 }
  const server = { measure, status: () => status }
  return { names: ['gpu'], get: () => server as never }
}
