// The composition root: the only place where things are constructed, and where their life ends. What serves servers is put
// together in app-servers.ts, what serves models in app-models.ts.
import { join } from 'node:path'
import type { NeovimClient } from 'neovim'
import { ModelParts } from './app-models.ts'
import { ServerParts } from './app-servers.ts'
import { Chats } from './chat/chats.ts'
import { Journals } from './chat/journal/journals.ts'
import { type Owner, ownerOf } from './chat/journal/owner.ts'
import { troubleOf } from './chat/journal/trouble.ts'
import { Store } from './chat/store/store.ts'
import { leftOvers } from './chat/take-over/left-over.ts'
import { changeConfigFile, keepInConfigFile, type LoadedConfig, loadConfig } from './config/load.ts'
import { type Config, resolveConfig } from './config/schema.ts'
import { systemClock } from './core/clock.ts'
import { PluginError, toRecord } from './core/errors.ts'
import { type HostEvent, logEvent, publicData } from './core/events.ts'
import { fileLog, type Log, silentLog } from './core/log.ts'
import { Editor } from './nvim/editor.ts'
import { type Params, PROTOCOL_VERSION, type Results } from './rpc/protocol.ts'
import { type Handlers, RpcRouter } from './rpc/router.ts'

/** Looking at ten thousand saved chats would delay what a person has just asked for, in milliseconds. */
const CLEAN_AFTER_MS = 3_000

export class App {
  readonly #editor: Editor
  readonly #rpc: RpcRouter
  readonly #chats: Chats
  readonly #servers: ServerParts
  readonly #models: ModelParts
  readonly #store: Store
  readonly #journals: Journals
  #owner: Promise<Owner> = ownerOf(process.ppid)
  #config: Config = resolveConfig({}, 'the defaults')
  #configFile = ''
  #dataFolder = ''
  #setup: Record<string, unknown> = {}
  #log: Log = silentLog
  /** The log of the moment: it is opened only with the handshake. */
  readonly #logNow: Log = {
    debug: (...line) => this.#log.debug(...line),
    info: (...line) => this.#log.info(...line),
    warn: (...line) => this.#log.warn(...line),
    error: (...line) => this.#log.error(...line),
  }

  constructor(client: NeovimClient) {
    this.#editor = new Editor(client)
    this.#journals = new Journals({
      folder: () => join(this.#dataFolder, 'journal'),
      ...{ owner: () => this.#owner, clock: systemClock },
      onDamage: (path) =>
        this.#warn(`Not all of what was written down of a chat can be read. As it was, it is kept in ${path}`),
      onTrouble: (error) => this.#warn(troubleOf(error, join(this.#dataFolder, 'journal'))),
    })
    this.#store = new Store({
      surface: this.#editor,
      dataFolder: () => this.#dataFolder,
      ...{ owner: () => this.#owner, journals: this.#journals, clock: systemClock },
      renameLiving: (file, name) => this.#chats.rename(file, name),
      warn: (text) => this.#warn(text),
    })
    this.#servers = this.#makeServers()
    this.#models = this.#makeModels()
    this.#chats = this.#makeChats()
    this.#rpc = new RpcRouter(this.#handlers(), () => this.#log)
  }

  /** Takes one request as it came: `[id, method, params]`. */
  async receive([id, method, params]: unknown[]): Promise<void> {
    if (typeof id !== 'number') return this.#log.error('a request without an id', { method })
    const envelope = await this.#rpc.answer(method, params)
    await this.#editor.reply(id, envelope).catch((error) => this.#log.error('reply lost', { method, error }))
  }

  /** Neovim is gone, or has the host end: what its chats hold is kept. */
  leave(): Promise<void> {
    this.#models.close()
    return this.#chats.leave()
  }

  logClient(message: string): void {
    this.#log.warn('node-client', { message })
  }

  /** What no one caught. The process ends, so that Lua can tell it and start a sound one. */
  crash(error: unknown): never {
    this.#log.error('crash', { error: error instanceof Error ? error : String(error), stack: (error as Error)?.stack })
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  }

  #handlers(): Handlers {
    return {
      handshake: (params) => this.#shakeHands(params),
      ...this.#chats.handlers,
      ...this.#servers.handlers,
      ...this.#store.handlers,
      'chat.close': (params) => {
        this.#servers.links.need(params.chat, undefined)
        return this.#chats.handlers['chat.close'](params)
      },
      'left.list': async () => ({ chats: await leftOvers(this.#journals) }),
      'left.drop': async ({ key }) => ({ gone: await this.#store.throwAway(key) }),
      'editor.prompt': ({ chat, model }) =>
        empty(this.#servers.links.need(chat, this.#servers.providers().locate(model).server)),
      'editor.focus': () => empty(this.#servers.links.focus()),
      'config.keep': async (choice) => empty(await this.#keep(choice)),
      'models.default': ({ model }) => this.#keepDefault(model),
      ...this.#models.handlers,
      'question.answer': async ({ question, value }) => ({ more: await this.#editor.answer(question, value) }),
    }
  }

  async #shakeHands(params: Params<'handshake'>): Promise<Results['handshake']> {
    if (params.protocol !== PROTOCOL_VERSION) {
      throw new PluginError('RPC_VERSION', `The host speaks protocol ${PROTOCOL_VERSION}, Neovim ${params.protocol}`, {
        hint: 'The plugin was updated while it ran: restart Neovim, and build it anew if that does not help.',
      })
    }
    this.#configFile = params.config_file
    this.#dataFolder = params.data_dir
    if (params.pid !== undefined) this.#owner = ownerOf(params.pid)
    this.#setup = params.config
    const loaded = await loadConfig(params.config, params.config_file)
    const { config, problems } = loaded
    this.#servers.book.adopt(loaded)
    this.#log = fileLog(params.log_file, config.log.level)
    this.#config = config
    for (const problem of problems) this.#log.warn('configuration', { error: problem })
    this.#log.info('host started', {
      version: PLUGIN_VERSION,
      node: process.version,
      servers: config.servers.map(({ name }) => name),
    })
    void this.#cleanUp()
    return {
      protocol: PROTOCOL_VERSION,
      version: PLUGIN_VERSION,
      node: process.versions.node,
      pid: process.pid,
      problems: problems.map(toRecord),
    }
  }

  /** In the background, and not while the first thing that was asked for is being done: nobody waits for it. */
  async #cleanUp(): Promise<void> {
    await systemClock.sleep(CLEAN_AFTER_MS)
    const { keepDays } = this.#config
    try {
      const moved = await this.#store.cleanUp(keepDays)
      if (moved === 0) return
      const chats = moved === 1 ? 'A chat' : `${moved} chats`
      this.#say('info', `${chats} older than ${keepDays} days moved to the trash; :Ollama undo-clear brings back`)
    } catch (error) {
      this.#log.warn('old chats were not removed', { error })
    }
  }

  #makeServers(): ServerParts {
    return new ServerParts({
      editor: this.#editor,
      config: () => this.#config,
      dataFolder: () => this.#dataFolder,
      log: this.#logNow,
      load: () => loadConfig(this.#setup, this.#configFile),
      change: (changes) => changeConfigFile(this.#configFile, changes),
      take: (loaded) => this.#takeServers(loaded),
      onLink: (server) => {
        this.#models.book.changed(server)
        this.#chats.wayChanged()
      },
      capabilities: (digest) => this.#models.book.capabilities(digest),
      tell: (event) => this.#tell(event),
      warn: (text) => this.#warn(text),
      say: (level, text) => this.#say(level, text),
    })
  }

  #makeModels(): ModelParts {
    return new ModelParts({
      editor: this.#editor,
      servers: () => this.#servers.configured(),
      providers: () => this.#servers.providers(),
      ollama: (server) => this.#servers.ollama(server),
      config: () => this.#config,
      dataFolder: () => this.#dataFolder,
      log: this.#logNow,
    })
  }

  #makeChats(): Chats {
    const serverOf = (model: string) => this.#servers.serverOf(model)
    return new Chats({
      surface: this.#editor,
      answerer: {
        stream: (...asked) => this.#servers.providers().stream(...asked),
        resume: (...asked) => this.#servers.providers().resume(...asked),
      },
      ways: {
        whenBack: (model, signal) => serverOf(model).whenBack(signal),
        tryNow: (model) =>
          void serverOf(model)
            .connect()
            .catch(() => {}), // what comes of it is the link's state
        nextTry: (model) => serverOf(model).status().retryAt,
      },
      clock: systemClock,
      log: this.#logNow,
      settings: () => this.#config,
      asksForTitles: () => this.#config.autosave && this.#config.title === 'model',
      fullName: (model) => this.#servers.providers().fullName(model),
      defaultModel: () => this.#config.defaultModel,
      journals: this.#journals,
      saving: {
        folder: () => this.#store.folder(),
        claims: this.#store.claims,
        isAutomatic: () => this.#config.autosave,
        say: (level, text) => this.#say(level, text),
      },
      warn: (text) => this.#warn(text),
    })
  }

  #takeServers({ config }: LoadedConfig): void {
    this.#config = { ...this.#config, servers: config.servers }
    this.#servers.reconfigure()
    this.#models.book.reconfigured()
  }

  async #keepDefault(model: string): Promise<Results['models.default']> {
    const full = this.#servers.providers().fullName(model)
    this.#config = { ...this.#config, defaultModel: full }
    await this.#keep({ default_model: full })
    return { model: full }
  }

  #keep(choice: Record<string, string>): Promise<void> {
    return keepInConfigFile(this.#configFile, { ...choice, last_updated: new Date().toISOString() })
  }

  #tell(event: HostEvent): void {
    logEvent(this.#log, event)
    this.#editor.event(event.name, publicData(event)).catch((error: unknown) => {
      this.#log.warn('an event was not told', { name: event.name, error })
    })
  }

  #warn(text: string): void {
    this.#log.warn(text)
    this.#say('warn', text)
  }

  #say(level: 'info' | 'warn', text: string): void {
    this.#editor.notify(level, text).catch((error: unknown) => this.#log.error('a message was not shown', { error }))
  }
}

function empty(_: unknown): Record<string, never> {
  return {}
}
