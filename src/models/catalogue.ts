// The models of all servers that a chat can be held with, as one list. How one server is asked is its provider's.
import type { Clock } from '../core/clock.ts'
import { type ErrorRecord, PluginError, toPluginError, toRecord } from '../core/errors.ts'
import type { Model } from '../providers/provider.ts'
import type { ProviderRouter } from '../providers/router.ts'

/** Once one server has answered, the others get this long before the list is shown without them. */
const STRAGGLERS_MS = 3_000

export interface ListedModel extends Model {
  /** `server:model`. */
  ref: string
  server: string
}

export interface Listing {
  models: ListedModel[]
  /** Servers whose models are not in the list, and why. */
  problems: Array<{ server: string; error: ErrorRecord }>
}

/** Asks all servers at once; a server that fails or lingers is told of, and never holds the others up. */
export async function listModels(router: ProviderRouter, clock: Clock): Promise<Listing> {
  const done = new AbortController()
  const answers = new Map<string, Model[] | PluginError>()
  const asked = router.servers.map(async (server) => {
    const answer = await router
      .provider(server)
      .models()
      .catch((thrown: unknown) => toPluginError(thrown))
    answers.set(server, answer)
    if (answer instanceof PluginError) throw answer
  })
  const stragglersGone = Promise.any(asked)
    .then(() => clock.sleep(STRAGGLERS_MS, done.signal))
    .catch(() => Promise.allSettled(asked))
  await Promise.race([Promise.allSettled(asked), stragglersGone])
  done.abort()
  return collect(router.servers, answers)
}

function collect(servers: readonly string[], answers: ReadonlyMap<string, Model[] | PluginError>): Listing {
  const listing: Listing = { models: [], problems: [] }
  for (const server of servers) {
    const answer = answers.get(server) ?? late(server)
    if (answer instanceof PluginError) listing.problems.push({ server, error: toRecord(answer) })
    else listing.models.push(...answer.filter(canChat).map((model) => listed(server, model)))
  }
  return listing
}

/** One of which nothing is known may. An embedding model may not. */
function canChat({ capabilities }: Model): boolean {
  return capabilities === undefined || capabilities.length === 0 || capabilities.includes('completion')
}

function listed(server: string, model: Model): ListedModel {
  return { ...model, server, ref: `${server}:${model.name}` }
}

function late(server: string): PluginError {
  return new PluginError('API_UNAVAILABLE', `${server} has not answered yet`, { hint: 'Choose again in a moment.' })
}
