// The models of all servers that a chat can be held with, as one list: at once as they were last seen, or as the servers tell
// them now. What is known of them is book.ts's, how one server is asked its provider's.
import type { Clock } from '../core/clock.ts'
import { PluginError, toPluginError, toRecord } from '../core/errors.ts'
import type { LoadedModel, Model, Provider } from '../providers/provider.ts'
import type { Params, Results } from '../rpc/protocol.ts'
import type { ListedModel, ListProblem, ModelRow } from '../rpc/shapes.ts'

/** Once one server has answered, the others get this long before the list is shown without them. */
const STRAGGLERS_MS = 3_000

export interface CatalogueDeps {
  /** The configured ones, the default server first. */
  servers: () => readonly string[]
  book: {
    load(): Promise<void>
    seen(server: string): { models: ModelRow[]; read: number } | undefined
    listed(server: string, models: readonly Model[], loaded: readonly LoadedModel[]): void
  }
  /** Brings its link up if that needs nobody's answer. @throws PluginError CANCELLED when it would */
  reach: (server: string) => Promise<void>
  /** Why its link is not up, of one that was tried. */
  error: (server: string) => PluginError | undefined
  provider: (server: string) => Provider
  defaultModel: () => string | undefined
  clock: Clock
}

export interface CatalogueHandlers {
  'models.list': (params: Params<'models.list'>) => Promise<Results['models.list']>
}

export function modelCatalogue(deps: CatalogueDeps): CatalogueHandlers {
  return {
    'models.list': async ({ known = false }) => {
      await deps.book.load()
      const problems = known ? linkProblems(deps) : await askAll(deps)
      const defaultModel = deps.defaultModel()
      return {
        models: listed(deps),
        problems,
        ...(defaultModel === undefined ? {} : { default_model: defaultModel }),
      }
    },
  }
}

/** Asks all servers at once; a server that fails or lingers is told of, and never holds the others up. */
async function askAll(deps: CatalogueDeps): Promise<ListProblem[]> {
  const servers = deps.servers()
  // Whoever has nothing to choose from waits for a list, and is there to be asked.
  const mayAsk = !servers.some((server) => deps.book.seen(server))
  const answers = new Map<string, ListProblem | undefined>()
  const asked = servers.map(async (server) => {
    const problem = await ask(deps, server, mayAsk)
    answers.set(server, problem)
    if (problem) throw problem
  })
  const done = new AbortController()
  const stragglersGone = Promise.any(asked)
    .then(() => deps.clock.sleep(STRAGGLERS_MS, done.signal))
    .catch(() => Promise.allSettled(asked))
  await Promise.race([Promise.allSettled(asked), stragglersGone])
  done.abort()
  return servers.flatMap((server) => (answers.has(server) ? (answers.get(server) ?? []) : late(server)))
}

/** Why it could not be asked, if so; one that lingers is still heard, for the next list. */
async function ask(deps: CatalogueDeps, server: string, mayAsk: boolean): Promise<ListProblem | undefined> {
  try {
    if (!mayAsk) await deps.reach(server)
    const provider = deps.provider(server)
    // What is in its memory only sorts the list.
    const [models, loaded] = await Promise.all([
      provider.models(),
      provider.keeper?.loadedModels().catch(() => undefined),
    ])
    deps.book.listed(server, models, loaded ?? [])
    return undefined
  } catch (thrown) {
    const error = toPluginError(thrown)
    return !mayAsk && error.code === 'CANCELLED' ? personNeeded(server) : { server, error: toRecord(error) }
  }
}

/** Those that are in memory first, then by server, each as it sorts its own: the newest first. */
function listed({ servers, book }: CatalogueDeps): ListedModel[] {
  const all = servers().flatMap((server) => {
    const { models, read } = book.seen(server) ?? { models: [], read: 0 }
    return models.filter((model) => isInstalled(model) && canChat(model)).map((model) => choiceOf(model, read))
  })
  return [...all.filter((model) => model.is_loaded), ...all.filter((model) => !model.is_loaded)]
}

function choiceOf(row: ModelRow, read: number): ListedModel {
  const { ref, server, name, size, parameters, quantization, capabilities } = row
  return {
    ...{ ref, server, name, read },
    ...(size === undefined ? {} : { size }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(quantization === undefined ? {} : { quantization }),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(row.loaded ? { is_loaded: true } : {}),
  }
}

/** A model that is being fetched for the first time is known by its pull only. */
function isInstalled({ pull, digest, size }: ModelRow): boolean {
  return pull === undefined || digest !== undefined || size !== undefined
}

/** One of which nothing is known may. An embedding model may not. */
function canChat({ capabilities }: ModelRow): boolean {
  return capabilities === undefined || capabilities.length === 0 || capabilities.includes('completion')
}

function linkProblems({ servers, error }: CatalogueDeps): ListProblem[] {
  return servers().flatMap((server) => {
    const failure = error(server)
    return failure ? { server, error: toRecord(failure) } : []
  })
}

function personNeeded(server: string): ListProblem {
  const error = new PluginError('SSH_AUTH_CANCELLED', `The login at ${server} asks for something`, {
    hint: 'Choose this line to log in.',
  })
  return { server, error: toRecord(error), needs_person: true }
}

function late(server: string): ListProblem {
  const error = new PluginError('API_UNAVAILABLE', `${server} has not answered yet`, {
    hint: 'Choose again in a moment.',
  })
  return { server, error: toRecord(error) }
}
