// The configured servers as a person manages them: looked at, connected, tested, added, changed, removed.
// Not here: how a connection is made (tunnel/), what an edit means for the file (server-edit.ts), how it looks (Lua).
import type { ConfigChange, LoadedConfig } from '../config/load.ts'
import type { ServerConfig } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import { PluginError, toPluginError, toRecord } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Provider } from '../providers/provider.ts'
import type { Method, Params, Results } from '../rpc/protocol.ts'
import type { ServerDetails, ServerRow, TestStep } from '../rpc/shapes.ts'
import type { TestStep as Step } from '../tunnel/server-test.ts'
import type { Servers } from '../tunnel/servers.ts'
import { changesFor, checkedServer, entryWith, type ServerEntry } from './server-edit.ts'
import { rowOf, stepOf } from './server-rows.ts'

type ServerMethod = Extract<Method, `servers.${string}`>
export type ServerHandlers = { [M in ServerMethod]: (params: Params<M>) => Promise<Results[M]> | Results[M] }

/** What is needed of an editor. */
export interface ServerSurface {
  server(row: ServerRow): Promise<void>
  testStep(walk: number, step: TestStep): Promise<void>
}

export interface ServerBookDeps {
  surface: ServerSurface
  /** The configured ones, configured. */
  servers: () => Pick<Servers, 'names' | 'get'>
  provider: (server: string) => Pick<Provider, 'version' | 'loaded'>
  test: (
    config: ServerConfig,
    options: { signal: AbortSignal; onStep: (step: Step) => void; mayAsk: boolean },
  ) => Promise<Step[]>
  /** Reads the configuration anew. */
  load: () => Promise<LoadedConfig>
  /** Writes to ollama_config.lua. */
  change: (changes: readonly ConfigChange[]) => Promise<void>
  /** Has everybody use the servers that are configured now. */
  take: (loaded: LoadedConfig) => void
  aliases: () => Promise<string[]>
  clock: Clock
  log: Log
}

/** A look at a server may not wait longer: another one comes soon. */
const DETAILS_MS = 5_000

export class ServerBook {
  readonly #deps: ServerBookDeps
  readonly #walks = new Map<number, AbortController>()
  #written: LoadedConfig['written'] = { setup: {}, file: {} }

  constructor(deps: ServerBookDeps) {
    this.#deps = deps
  }

  get handlers(): ServerHandlers {
    const { servers, aliases } = this.#deps
    return {
      'servers.list': () => ({ servers: servers().names.map((name) => this.#row(name)) }),
      'servers.details': ({ server }) => this.#details(server),
      'servers.connect': ({ server }) => servers().get(server).connect().then(empty),
      'servers.disconnect': ({ server }) => empty(servers().get(server).disconnect()),
      'servers.test': (params) => this.#test(params),
      'servers.cancel': ({ walk }) => empty(this.#walks.get(walk)?.abort(new PluginError('CANCELLED', 'Given up'))),
      'servers.save': (params) => this.#save(params),
      'servers.remove': ({ server }) => this.#remove(server),
      'servers.default': ({ server }) => this.#makeDefault(server),
      'servers.aliases': async () => ({ aliases: await aliases() }),
    }
  }

  /** Keeps in mind which server is configured where. */
  adopt({ written }: LoadedConfig): void {
    this.#written = written
  }

  /** Tells the editor how a server stands now. */
  changed(name: string): void {
    if (!this.#deps.servers().names.includes(name)) return
    this.#deps.surface.server(this.#row(name)).catch((error: unknown) => {
      this.#deps.log.warn('a status was not shown', { server: name, error })
    })
  }

  #row(name: string): ServerRow {
    const all = this.#deps.servers()
    const { config, status } = all.get(name)
    return rowOf(config, status(), { isDefault: all.names[0] === name, origin: this.#origin(name) })
  }

  #origin(name: string): ServerRow['origin'] {
    const inSetup = this.#entry('setup', name) !== undefined
    const inFile = this.#entry('file', name) !== undefined
    if (inSetup) return inFile ? 'both' : 'setup'
    return inFile ? 'file' : 'none'
  }

  #entry(part: 'setup' | 'file', name: string): ServerEntry | undefined {
    const entries = this.#written[part].servers as Record<string, ServerEntry> | undefined
    return entries && Object.hasOwn(entries, name) ? entries[name] : undefined
  }

  async #details(name: string): Promise<ServerDetails> {
    const server = this.#deps.servers().get(name)
    if (server.status().state !== 'ready') return {}
    const provider = this.#deps.provider(name)
    const late = new AbortController()
    const done = new AbortController()
    this.#deps.clock.sleep(DETAILS_MS, done.signal).then(
      () => late.abort(new PluginError('API_UNAVAILABLE', `${name} did not answer in ${DETAILS_MS / 1000} s`)),
      () => {},
    )
    try {
      const [version, loaded, ms] = await Promise.all([
        provider.version(late.signal),
        provider.loaded(late.signal),
        server.measure(late.signal),
      ])
      return { version, loaded, round_trip_ms: ms }
    } catch (thrown) {
      return { error: toRecord(toPluginError(thrown)) }
    } finally {
      done.abort()
    }
  }

  async #test({ walk, server, draft, may_ask }: Params<'servers.test'>): Promise<Results['servers.test']> {
    const config = draft ? await this.#drafted(server, draft) : this.#deps.servers().get(server).config
    const controller = new AbortController()
    this.#walks.set(walk, controller)
    const onStep = (step: Step) => {
      this.#deps.log.info('test', { server, ...step, ...(step.error ? { code: step.error.code } : {}) })
      this.#deps.surface.testStep(walk, stepOf(step)).catch(() => {}) // the answer holds all steps
    }
    try {
      const steps = await this.#deps.test(config, { signal: controller.signal, onStep, mayAsk: may_ask })
      return { steps: steps.map(stepOf) }
    } finally {
      this.#walks.delete(walk)
    }
  }

  async #drafted(name: string, draft: Params<'servers.save'>['draft']): Promise<ServerConfig> {
    this.adopt(await this.#deps.load())
    return checkedServer(name, entryWith(this.#entry('file', name) ?? this.#entry('setup', name), draft))
  }

  async #save({ server, draft }: Params<'servers.save'>): Promise<Results['servers.save']> {
    this.adopt(await this.#deps.load())
    const [inFile, inSetup] = [this.#entry('file', server), this.#entry('setup', server)]
    const isFirst = this.#deps.servers().names.every((name) => this.#origin(name) === 'none')
    const entry = entryWith(inFile ?? inSetup, draft)
    checkedServer(server, entry)
    await this.#change(changesFor(server, inFile, entry))
    if (inSetup && !inFile) {
      return {
        note: `${server} stands in setup(), too: the entry that ollama_config.lua now holds goes before it.`,
      }
    }
    return isFirst && server !== 'local'
      ? {
          note: 'Ollama on this machine was there while no server was configured: add http://127.0.0.1:11434 to keep it.',
        }
      : {}
  }

  async #remove(server: string): Promise<Results['servers.remove']> {
    this.adopt(await this.#deps.load())
    const origin = this.#origin(server)
    if (origin === 'none') {
      throw new PluginError('SERVER_NOT_FOUND', `${server} is not configured, so it cannot be removed`, {
        hint: 'It is there as long as no server is configured: add one.',
      })
    }
    if (origin === 'setup') {
      throw new PluginError('CONFIG_UNWRITABLE', `${server} stands in setup(), which is yours to edit`, {
        hint: `Remove servers.${server} where your configuration calls require('ollama-remote').setup().`,
      })
    }
    const isDefault = this.#written.file.default_server === server && origin === 'file'
    await this.#change([
      { path: ['servers', server], value: undefined },
      ...(isDefault ? [{ path: ['default_server'], value: undefined }] : []),
    ])
    if (this.#written.setup.default_server === server && origin === 'file') {
      return { note: `default_server of your setup() still names ${server}: change it there.` }
    }
    return origin === 'both' ? { note: `${server} is now again as setup() has it.` } : {}
  }

  async #makeDefault(server: string): Promise<Results['servers.default']> {
    const all = this.#deps.servers()
    all.get(server)
    if (all.names[0] !== server) await this.#change([{ path: ['default_server'], value: server }])
    return {}
  }

  async #change(changes: readonly ConfigChange[]): Promise<void> {
    if (changes.length === 0) return
    await this.#deps.change([
      ...changes,
      { path: ['last_updated'], value: new Date(this.#deps.clock.now()).toISOString() },
    ])
    const loaded = await this.#deps.load()
    this.adopt(loaded)
    this.#deps.take(loaded)
  }
}

function empty(_: unknown): Record<string, never> {
  return {}
}
