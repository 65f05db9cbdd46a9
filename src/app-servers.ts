// The composition root's part for servers: their links and secrets, who answers for each, and the list of them.
import { join } from 'node:path'
import type { ConfigChange, LoadedConfig } from './config/load.ts'
import type { Config } from './config/schema.ts'
import { systemClock } from './core/clock.ts'
import type { HostEvent } from './core/events.ts'
import type { Log } from './core/log.ts'
import type { Editor } from './nvim/editor.ts'
import { Ollama } from './providers/ollama.ts'
import { ProviderRouter } from './providers/router.ts'
import { ServerBook } from './servers/server-book.ts'
import { lookAtService } from './servers/service-look.ts'
import { SecretKeeper } from './tunnel/secrets/keeper.ts'
import type { Server } from './tunnel/server.ts'
import { testServer } from './tunnel/server-test.ts'
import { Servers } from './tunnel/servers.ts'
import { userHostAliases } from './tunnel/ssh-config/aliases.ts'
import { systemSshFiles } from './tunnel/ssh-files.ts'

/** What of the rest is needed, as it is at the moment. */
export interface ServerWorld {
  editor: Editor
  config: () => Config
  dataFolder: () => string
  log: Log
  /** Reads the configuration anew. */
  load: () => Promise<LoadedConfig>
  /** Writes to ollama_config.lua. */
  change: (changes: readonly ConfigChange[]) => Promise<void>
  /** Has everybody use the servers that are configured now. */
  take: (loaded: LoadedConfig) => void
  /** The state of a server's link has changed. */
  onLink: (server: string) => void
  /** What is known of the model with this digest. */
  capabilities: (digest: string) => readonly string[] | undefined
  tell: (event: HostEvent) => void
  warn: (text: string) => void
  say: (level: 'info', text: string) => void
}

export class ServerParts {
  readonly book: ServerBook
  /** As they are now: there are none before somebody needs one (`configured`). */
  readonly links: Servers
  readonly #secrets: SecretKeeper
  readonly #world: ServerWorld
  /** By server, so that what is known of a server's models outlives a change of another server. */
  readonly #ollamas = new WeakMap<Server, Ollama>()
  #router: ProviderRouter | undefined
  #requests = 0

  constructor(world: ServerWorld) {
    this.#world = world
    this.#secrets = this.#makeSecrets()
    this.links = this.#makeLinks()
    this.book = this.#makeBook()
  }

  get handlers() {
    return {
      ...this.book.handlers,
      'service.look': ({ server }: { server: string }) => lookAtService(this.configured().get(server), systemClock),
      'secrets.remember': () => this.#secrets.remember(),
      'secrets.forget': () => this.#secrets.forget(),
    }
  }

  configured(): Servers {
    this.providers()
    return this.links
  }

  /** Made on first need, so that a start costs no tunnel. */
  providers(): ProviderRouter {
    if (this.#router) return this.#router
    const { config, tell } = this.#world
    this.links.configure(config().servers)
    this.#router = new ProviderRouter(new Map(this.links.names.map((name) => [name, this.ollama(name)])), {
      clock: systemClock,
      tell,
      number: () => ++this.#requests,
      withContent: () => config().log.content,
    })
    return this.#router
  }

  /** Chats ask for the router anew with each request, so they go on. */
  reconfigure(): void {
    this.#router = undefined
    this.providers()
  }

  ollama(name: string): Ollama {
    const server = this.links.get(name)
    const known = this.#ollamas.get(server)
    const ollama =
      known ??
      new Ollama({
        ...{ http: server.http, clock: systemClock, server: name },
        known: (digest) => this.#world.capabilities(digest),
      })
    this.#ollamas.set(server, ollama)
    return ollama
  }

  serverOf(model: string): Server {
    const { server } = this.providers().locate(model)
    return this.links.get(server)
  }

  #makeSecrets(): SecretKeeper {
    const { editor, dataFolder, log, warn, say } = this.#world
    return new SecretKeeper({
      prompts: editor,
      log,
      file: () => join(dataFolder(), 'secrets.json'),
      onNotice: (text) => warn(text),
      onFirstSecret: () => say('info', 'Kept for this session; :Ollama remember keeps it for the next ones'),
    })
  }

  #makeLinks(): Servers {
    const { editor, log, onLink, tell, warn } = this.#world
    return new Servers({
      secrets: this.#secrets,
      prompts: editor,
      clock: systemClock,
      log,
      onNotice: (text) => warn(text),
      onRepeat: (server, path, why) => tell({ name: 'Retry', server, path, why }),
      onStatus: (server, { state, error }) => {
        this.book.changed(server)
        onLink(server)
        const why = error === undefined ? {} : { code: error.code, message: error.message }
        tell({ name: 'ConnectionChanged', server, state, ...why })
      },
    })
  }

  #makeBook(): ServerBook {
    const { editor, log, load, change, take, warn } = this.#world
    return new ServerBook({
      surface: editor,
      servers: () => this.configured(),
      provider: (server) => this.providers().provider(server),
      test: (config, { mayAsk, ...options }) =>
        testServer(
          config,
          {
            prompts: mayAsk ? editor : { secret: async () => undefined, choose: async () => undefined },
            secrets: mayAsk ? this.#secrets : this.#secrets.ofSession,
            ...{ files: systemSshFiles, log, clock: systemClock },
            onNotice: (text) => warn(text),
            provider: (http) => new Ollama({ http, clock: systemClock, server: config.name }),
          },
          options,
        ),
      load,
      change,
      take,
      aliases: () => userHostAliases(systemSshFiles),
      clock: systemClock,
      log,
    })
  }
}
