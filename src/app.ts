// The composition root: the only place where things are constructed, and where their life ends.
import { join } from 'node:path'
import type { NeovimClient } from 'neovim'
import { ModelParts } from './app-models.ts'
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
import { Ollama } from './providers/ollama.ts'
import { ProviderRouter } from './providers/router.ts'
import { type Params, PROTOCOL_VERSION, type Results } from './rpc/protocol.ts'
import { type Handlers, RpcRouter } from './rpc/router.ts'
import { ServerBook } from './servers/server-book.ts'
import { lookAtService } from './servers/service-look.ts'
import { SecretKeeper } from './tunnel/secrets/keeper.ts'
import type { Server } from './tunnel/server.ts'
import { testServer } from './tunnel/server-test.ts'
import { Servers } from './tunnel/servers.ts'
import { userHostAliases } from './tunnel/ssh-config/aliases.ts'
import { systemSshFiles } from './tunnel/ssh-files.ts'

/** Looking at ten thousand saved chats would delay what a person has just asked for, in milliseconds. */
const CLEAN_AFTER_MS = 3_000

export class App {
  readonly #editor: Editor
  readonly #rpc: RpcRouter
  readonly #chats: Chats
  readonly #servers: Servers
  readonly #secrets: SecretKeeper
  readonly #book: ServerBook
  readonly #models: ModelParts
  readonly #store: Store
  readonly #journals: Journals
  #owner: Promise<Owner> = ownerOf(process.ppid)
  /** By server, so that what is known of a server's models outlives a change of another server. */
  readonly #ollamas = new WeakMap<Server, Ollama>()
  #router: ProviderRouter | undefined
  #requests = 0
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
      owner: () => this.#owner,
      clock: systemClock,
      onTrouble: (error) => this.#warn(troubleOf(error, join(this.#dataFolder, 'journal'))),
    })
    this.#store = new Store({
      surface: this.#editor,
      dataFolder: () => this.#dataFolder,
      owner: () => this.#owner,
      journals: this.#journals,
      clock: systemClock,
      renameLiving: (file, name) => this.#chats.rename(file, name),
    })
    this.#chats = new Chats({
      surface: this.#editor,
      answerer: {
        stream: (...asked) => this.#providers().stream(...asked),
        resume: (...asked) => this.#providers().resume(...asked),
      },
      ways: {
        whenBack: (model, signal) => this.#serverOf(model).whenBack(signal),
        tryNow: (model) =>
          void this.#serverOf(model)
            .connect()
            .catch(() => {}), // what comes of it is the link's state
        nextTry: (model) => this.#serverOf(model).status().retryAt,
      },
      clock: systemClock,
      log: this.#logNow,
      settings: () => this.#config,
      asksForTitles: () => this.#config.autosave && this.#config.title === 'model',
      fullName: (model) => this.#providers().fullName(model),
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
    this.#book = this.#makeBook()
    this.#models = this.#makeModels()
    this.#rpc = new RpcRouter(this.#handlers(), () => this.#log)
    this.#secrets = new SecretKeeper({
      prompts: this.#editor,
      log: this.#logNow,
      file: () => join(this.#dataFolder, 'secrets.json'),
      onNotice: (text) => this.#warn(text),
      onFirstSecret: () => this.#say('info', 'Kept for this session; :Ollama remember keeps it for the next ones'),
    })
    this.#servers = new Servers({
      secrets: this.#secrets,
      prompts: this.#editor,
      clock: systemClock,
      log: this.#logNow,
      onNotice: (text) => this.#warn(text),
      onRepeat: (server, path, why) => this.#tell({ name: 'Retry', server, path, why }),
      onStatus: (server, { state, error }) => {
        this.#book.changed(server)
        this.#models.book.changed(server)
        this.#chats.wayChanged()
        const why = error === undefined ? {} : { code: error.code, message: error.message }
        this.#tell({ name: 'ConnectionChanged', server, state, ...why })
      },
    })
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
      ...this.#book.handlers,
      ...this.#store.handlers,
      'chat.close': (params) => {
        this.#servers.need(params.chat, undefined)
        return this.#chats.handlers['chat.close'](params)
      },
      'left.list': async () => ({ chats: await leftOvers(this.#journals) }),
      'left.drop': async ({ key }) => ({ gone: await this.#store.throwAway(key) }),
      'editor.prompt': ({ chat, model }) => empty(this.#servers.need(chat, this.#providers().locate(model).server)),
      'editor.focus': () => empty(this.#servers.focus()),
      'config.keep': async (choice) => empty(await this.#keep(choice)),
      'models.default': ({ model }) => this.#keepDefault(model),
      'service.look': ({ server }) => lookAtService(this.#configured().get(server), systemClock),
      ...this.#models.handlers,
      'secrets.remember': () => this.#secrets.remember(),
      'secrets.forget': () => this.#secrets.forget(),
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
    this.#book.adopt(loaded)
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

  #makeBook(): ServerBook {
    return new ServerBook({
      surface: this.#editor,
      servers: () => this.#configured(),
      provider: (server) => this.#providers().provider(server),
      test: (config, { mayAsk, ...options }) =>
        testServer(
          config,
          {
            prompts: mayAsk ? this.#editor : { secret: async () => undefined, choose: async () => undefined },
            secrets: mayAsk ? this.#secrets : this.#secrets.ofSession,
            ...{ files: systemSshFiles, log: this.#logNow, clock: systemClock },
            onNotice: (text) => this.#warn(text),
            provider: (http) => new Ollama({ http, clock: systemClock, server: config.name }),
          },
          options,
        ),
      load: () => loadConfig(this.#setup, this.#configFile),
      change: (changes) => changeConfigFile(this.#configFile, changes),
      take: (loaded) => this.#takeServers(loaded),
      aliases: () => userHostAliases(systemSshFiles),
      clock: systemClock,
      log: this.#logNow,
    })
  }

  #makeModels(): ModelParts {
    return new ModelParts({
      editor: this.#editor,
      servers: () => this.#configured(),
      providers: () => this.#providers(),
      ollama: (server) => this.#ollama(server),
      config: () => this.#config,
      dataFolder: () => this.#dataFolder,
      log: this.#logNow,
    })
  }

  /** Chats ask for the router anew with each request, so they go on. */
  #takeServers({ config }: LoadedConfig): void {
    this.#config = { ...this.#config, servers: config.servers }
    this.#router = undefined
    this.#providers()
    this.#models.book.reconfigured()
  }

  #configured(): Servers {
    this.#providers()
    return this.#servers
  }

  async #keepDefault(model: string): Promise<Results['models.default']> {
    const full = this.#providers().fullName(model)
    this.#config = { ...this.#config, defaultModel: full }
    await this.#keep({ default_model: full })
    return { model: full }
  }

  #keep(choice: Record<string, string>): Promise<void> {
    return keepInConfigFile(this.#configFile, { ...choice, last_updated: new Date().toISOString() })
  }

  /** Made on first need, so that a start costs no tunnel. */
  #providers(): ProviderRouter {
    if (this.#router) return this.#router
    this.#servers.configure(this.#config.servers)
    this.#router = new ProviderRouter(new Map(this.#servers.names.map((name) => [name, this.#ollama(name)])), {
      clock: systemClock,
      tell: (event) => this.#tell(event),
      number: () => ++this.#requests,
      withContent: () => this.#config.log.content,
    })
    return this.#router
  }

  #ollama(name: string): Ollama {
    const server = this.#servers.get(name)
    const known = this.#ollamas.get(server)
    const ollama =
      known ??
      new Ollama({
        ...{ http: server.http, clock: systemClock, server: name },
        known: (digest) => this.#models.book.capabilities(digest),
      })
    this.#ollamas.set(server, ollama)
    return ollama
  }

  #tell(event: HostEvent): void {
    logEvent(this.#log, event)
    this.#editor.event(event.name, publicData(event)).catch((error: unknown) => {
      this.#log.warn('an event was not told', { name: event.name, error })
    })
  }

  #serverOf(model: string): Server {
    return this.#servers.get(this.#providers().locate(model).server)
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
