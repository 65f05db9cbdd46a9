// The web by the first of several places from which a host can be reached. How each place reaches it is not known here.
import { PluginError } from '../core/errors.ts'
import type { Web, WebPlace, WebRequest, WebResponse } from './web.ts'

const LOOPBACK = /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/

/** What was learnt of one host since the check began. */
interface Way {
  works: WebPlace | undefined
  /** Why not, by place. */
  failed: Map<WebPlace, PluginError>
}

/** Each host is tried from the places in their order; the first that gives any answer is kept for all that is asked of it. */
export class WebFromPlaces implements Web {
  readonly #places: readonly WebPlace[]
  readonly #ways = new Map<string, Way>()

  constructor(places: readonly WebPlace[]) {
    this.#places = places
  }

  async request(request: WebRequest): Promise<WebResponse> {
    const { url } = request
    const way = this.#wayTo(url.host)
    for (const place of this.#placesFor(url)) {
      if (way.works && way.works !== place) continue
      if (!way.works && way.failed.has(place)) continue
      try {
        const response = await place.web.request(request)
        way.works ??= place
        return response
      } catch (error) {
        if (!(error instanceof PluginError) || error.code !== 'REGISTRY_UNREACHABLE') throw error
        // From here it is reached: only this one request came to nothing.
        if (way.works === place) throw unreachable(url, new Map([[place, error]]))
        way.failed.set(place, error)
      }
    }
    // It may have been reached meanwhile from a place that was passed over here.
    if (way.works && way.failed.has(way.works)) return way.works.web.request(request)
    throw unreachable(url, way.failed)
  }

  close(): void {
    for (const { web } of this.#places) web.close()
  }

  #wayTo(host: string): Way {
    const way = this.#ways.get(host) ?? { works: undefined, failed: new Map() }
    this.#ways.set(host, way)
    return way
  }

  #placesFor({ hostname }: URL): readonly WebPlace[] {
    if (!LOOPBACK.test(hostname)) return this.#places
    return this.#places.filter(({ isTheirs }) => isTheirs)
  }
}

function unreachable({ host }: URL, failed: ReadonlyMap<WebPlace, PluginError>): PluginError {
  const [first] = failed.values()
  const reasons = [...failed].map(([{ name }, { message }]) => `from ${name} (${message})`)
  const from = reasons.length === 0 ? 'from where updates.from allows' : reasons.join(' nor ')
  return new PluginError('REGISTRY_UNREACHABLE', `${host} cannot be reached ${from}`, {
    hint: first?.hint ?? 'See updates.from in :help ollama-remote-configuration.',
    cause: first,
  })
}
