// The composition root's part for what is done with models: the book and the list of them, update checks, pulls, operations.
import { join } from 'node:path'
import type { Config } from './config/schema.ts'
import { systemClock } from './core/clock.ts'
import { PluginError, toRecord } from './core/errors.ts'
import type { Log } from './core/log.ts'
import { ModelBook } from './models/book.ts'
import { type CatalogueHandlers, modelCatalogue } from './models/catalogue.ts'
import { modelsFile } from './models/models-file.ts'
import { modelOperations } from './models/operations.ts'
import type { PullServer } from './models/pull-run.ts'
import { Pulls } from './models/pulls.ts'
import type { ModelSource } from './models/server-watch.ts'
import { UpdateCheck } from './models/update-check.ts'
import { VerdictMemory } from './models/verdict-memory.ts'
import { verdictsFile } from './models/verdicts-file.ts'
import type { Editor } from './nvim/editor.ts'
import type { Ollama } from './providers/ollama.ts'
import type { ModelKeeper } from './providers/provider.ts'
import type { ProviderRouter } from './providers/router.ts'
import { detourFrom } from './tunnel/http/detour.ts'
import type { Servers } from './tunnel/servers.ts'
import { webPlaces } from './tunnel/web-places.ts'

/** What of the rest is needed, as it is at the moment. */
export interface ModelWorld {
  editor: Editor
  servers: () => Servers
  providers: () => ProviderRouter
  ollama: (server: string) => Ollama
  config: () => Config
  dataFolder: () => string
  log: Log
}

export class ModelParts {
  readonly book: ModelBook
  readonly #verdicts: VerdictMemory
  readonly #updates: UpdateCheck
  readonly #pulls: Pulls
  readonly #world: ModelWorld

  constructor(world: ModelWorld) {
    this.#world = world
    const { dataFolder, log } = world
    const file = verdictsFile(() => join(dataFolder(), 'verdicts.json'))
    this.#verdicts = new VerdictMemory({ file, clock: systemClock, log })
    this.book = this.#makeBook()
    this.#updates = this.#makeUpdateCheck()
    this.#pulls = this.#makePulls()
  }

  get handlers() {
    return {
      ...this.#choices(),
      ...this.book.handlers,
      ...this.#pulls.handlers,
      ...modelOperations({
        keeper: (server) => this.#keeper(server),
        onDone: (server) => this.book.operated(server),
      }),
      'updates.check': (params: Parameters<UpdateCheck['check']>[0]) => this.#updates.check(params),
    }
  }

  /** Ends what goes on whoever looks. */
  close(): void {
    this.#pulls.close()
  }

  #makeBook(): ModelBook {
    const { editor, servers, ollama, config, dataFolder, log } = this.#world
    const placeOf = (server: string) => `models of ${server}`
    return new ModelBook({
      surface: editor,
      servers: () => servers().names,
      way: (server) => {
        const { config, status } = servers().get(server)
        const { state, error, retryAt } = status()
        return {
          state,
          isDirect: config.ssh === undefined,
          ...(error ? { error: toRecord(error) } : {}),
          ...(retryAt === undefined ? {} : { retryAt }),
        }
      },
      need: (server, isNeeded) => servers().need(placeOf(server), isNeeded ? server : undefined),
      connect: (server) => servers().get(server).connect(),
      source: (server) => looksOf(ollama(server)),
      file: modelsFile(() => join(dataFolder(), 'models.json')),
      verdicts: this.#verdicts,
      names: () => config().updates.names,
      defaultModel: () => this.#defaultModel(),
      clock: systemClock,
      log,
    })
  }

  #choices(): CatalogueHandlers {
    const { servers, providers } = this.#world
    return modelCatalogue({
      servers: () => servers().names,
      book: this.book,
      reach: (server) => servers().get(server).reach(),
      error: (server) => servers().get(server).status().error,
      provider: (server) => providers().provider(server),
      defaultModel: () => this.#defaultModel(),
      clock: systemClock,
    })
  }

  #defaultModel(): string | undefined {
    const kept = this.#world.config().defaultModel
    return kept === undefined ? undefined : this.#world.providers().fullName(kept)
  }

  #makeUpdateCheck(): UpdateCheck {
    const { servers, providers, ollama, config, log } = this.#world
    const detour = detourFrom(process.env.OLLAMA_REMOTE_TEST_WEB)
    const serverOf = (name: string) => servers().get(name)
    return new UpdateCheck({
      servers: () => servers().names,
      locate: (reference) => providers().locate(reference),
      models: (server, signal) => ollama(serverOf(server).config.name).installed(signal),
      places: (server) => webPlaces(serverOf(server), config().updates.from, { clock: systemClock, detour }),
      run: (server) => async (command, signal) => (await serverOf(server).run(command, signal)).output,
      onModels: (server, models) => this.book.listed(server, models),
      onVerdict: (server, model, row) => this.book.verdict(server, model, row),
      verdicts: this.#verdicts,
      clock: systemClock,
      log,
    })
  }

  #makePulls(): Pulls {
    const { editor, config, providers, log } = this.#world
    return new Pulls({
      surface: editor,
      server: (name) => this.#pullServer(name),
      locate: (reference) => providers().locate(reference),
      atOnce: () => config().updates.pulls,
      isInstalled: (server, model) => this.book.models(server)?.some(({ name }) => name === model) ?? false,
      onRow: (row) => {
        this.book.pull(row)
        if (row.state === 'done') this.#judgeAnew(row.server, row.model)
      },
      clock: systemClock,
      log,
    })
  }

  /** The verdict was on what is there no more. Who never asked for one gets none. */
  #judgeAnew(server: string, model: string): void {
    if (!this.book.wasJudged(server, model)) return
    this.#updates.check({ server, models: [model], again: true }).catch((error: unknown) => {
      this.#world.log.info('no new verdict after a pull', { server, model, error })
    })
  }

  #pullServer(name: string): PullServer {
    const { servers, ollama } = this.#world
    const keeper = this.#keeper(name)
    return {
      keeper,
      digestOf: async (model, signal) =>
        (await ollama(name).installed(signal)).find((one) => one.name === model)?.digest,
      whenBack: (signal) => servers().get(name).whenBack(signal),
    }
  }

  #keeper(server: string): ModelKeeper {
    const { keeper } = this.#world.providers().provider(server)
    if (keeper) return keeper
    throw new PluginError('API_MODEL_UNFIT', `The models of ${server} cannot be looked after`)
  }
}

function looksOf(ollama: Ollama): ModelSource {
  return {
    version: (signal) => ollama.version(signal),
    models: (signal) => ollama.models(signal),
    loadedModels: (signal) => ollama.keeper.loadedModels(signal),
    show: (model, signal) => ollama.keeper.show(model, signal),
  }
}
