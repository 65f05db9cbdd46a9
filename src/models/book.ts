// What is known of each server's models, for whoever looks: lists, memory, verdicts and pulls become rows that are told as they
// change. Servers are asked only while a watch is open, however many there are, and nobody is asked anything for it.
import type { Clock } from '../core/clock.ts'
import type { ErrorRecord } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { LoadedModel, Model } from '../providers/provider.ts'
import type { Method, Params, Results } from '../rpc/protocol.ts'
import type { ModelRow, PullRow, ServerModels, UpdateRow } from '../rpc/shapes.ts'
import { ModelMemory } from './memory.ts'
import { rowsOf, tagged } from './model-rows.ts'
import type { ModelsFile } from './models-file.ts'
import { type ModelSource, ServerWatch } from './server-watch.ts'
import type { VerdictMemory } from './verdict-memory.ts'
import { wellKnownNames } from './well-known.ts'

type BookMethod = Extract<Method, 'models.watch' | 'models.unwatch' | 'models.refresh' | 'models.names'>
export type ModelBookHandlers = { [M in BookMethod]: (params: Params<M>) => Promise<Results[M]> | Results[M] }

/** Where the link to a server stands. */
export interface Way {
  /** Whether there is no SSH on it. */
  isDirect?: boolean
  state: ServerModels['state']
  error?: ErrorRecord
  /** When it is tried again, in milliseconds since the epoch. */
  retryAt?: number
}

export interface ModelBookDeps {
  surface: { modelRows(rows: ServerModels): Promise<void> }
  /** The configured ones, the default server first. */
  servers: () => readonly string[]
  way: (server: string) => Way
  /** Brings its link up if that needs nobody's answer, and keeps it up, until it is not needed any more. */
  need: (server: string, isNeeded: boolean) => void
  /** Brings its link up now; a person is there to be asked. */
  connect: (server: string) => Promise<void>
  source: (server: string) => ModelSource
  file: ModelsFile
  /** Given lately, maybe in an earlier session. */
  verdicts: Pick<VerdictMemory, 'load' | 'find' | 'hasAny'>
  /** Names to offer, besides the well-known ones. */
  names: () => readonly string[]
  /** `server:model`. */
  defaultModel: () => string | undefined
  clock: Clock
  log: Log
}

/** At most about eight times a second. */
const BETWEEN_TELLINGS_MS = 125

export class ModelBook {
  readonly #deps: ModelBookDeps
  readonly #memory: ModelMemory
  /** The servers that each watch is for; `undefined` for all there are. */
  readonly #watches = new Map<number, readonly string[] | undefined>()
  readonly #asked = new Map<string, ServerWatch>()
  /** By server and model. A verdict is of the digest that was compared. */
  readonly #verdicts = new Map<string, Map<string, { digest: string | undefined; row: UpdateRow }>>()
  readonly #pulls = new Map<string, Map<string, PullRow>>()
  /** As it was told by `listed`. */
  readonly #loaded = new Map<string, readonly LoadedModel[]>()
  readonly #due = new Set<string>()
  readonly #telling = new Set<string>()
  /** What was told last, so that a look which found nothing new tells nothing. */
  readonly #told = new Map<string, string>()

  constructor(deps: ModelBookDeps) {
    this.#deps = deps
    this.#memory = new ModelMemory(deps.file, deps.log)
  }

  get handlers(): ModelBookHandlers {
    return {
      'models.watch': (params) => this.#watch(params),
      'models.unwatch': ({ watch }) => {
        this.#watches.delete(watch)
        this.#settle()
        return {}
      },
      'models.refresh': (params) => this.#refresh(params),
      'models.names': () => this.#names(),
    }
  }

  /** The models of a server as they were last seen, this time or in an earlier session. */
  models(server: string): readonly Model[] | undefined {
    return this.#memory.list(server)?.models
  }

  /** The link to a server has changed. */
  changed(server: string): void {
    const asked = this.#asked.get(server)
    if (!asked) return
    if (this.#isUp(server)) asked.nudge()
    else asked.lost()
    this.#tell(server)
  }

  /** Other servers are configured now, or the same ones otherwise. */
  reconfigured(): void {
    this.#settle()
    for (const server of this.#asked.keys()) this.changed(server)
  }

  /** Something was done with a server's models: they are looked at now, if anybody looks. */
  operated(server: string): void {
    this.#asked.get(server)?.nudge()
  }

  /** Resolves when what earlier sessions have seen is known. */
  async load(): Promise<void> {
    await Promise.all([this.#memory.load(), this.#deps.verdicts.load()])
  }

  /** What a digest can; it never changes, so it is known wherever it was seen. */
  capabilities(digest: string): readonly string[] | undefined {
    const listed = [...this.#memory.lists.values()].flatMap(({ models }) => models)
    return this.#memory.facts(digest)?.capabilities ?? listed.find((model) => model.digest === digest)?.capabilities
  }

  /** A server's models with all that is known of them, and when they were seen; nothing is asked for. */
  seen(server: string): { models: ModelRow[]; read: number } | undefined {
    const list = this.#memory.list(server)
    return list && { models: this.#modelRows(server), read: list.read }
  }

  /** A list that somebody else has read is a list; `loaded` is what was in the server's memory then. */
  listed(server: string, models: readonly Model[], loaded: readonly LoadedModel[] = []): void {
    this.#memory.keepList(server, { read: this.#deps.clock.now(), models })
    this.#loaded.set(server, loaded)
    this.#tell(server)
    void this.#memory.save()
  }

  /** Whether a newer model is to be had. */
  verdict(server: string, model: string, row: UpdateRow): void {
    const digest = this.models(server)?.find(({ name }) => name === tagged(model))?.digest
    of(this.#verdicts, server).set(tagged(model), { digest, row })
    this.#tell(server)
  }

  /** Whether a verdict was ever given on it, be it of another digest. */
  wasJudged(server: string, model: string): boolean {
    return this.#verdicts.get(server)?.has(tagged(model)) === true || this.#deps.verdicts.hasAny(model)
  }

  /** How a pull stands. Its progress has a verb of its own; that it began or ended changes the rows. */
  pull(row: PullRow): void {
    const pulls = of(this.#pulls, row.server)
    const before = pulls.get(tagged(row.model))
    if (row.state === 'cancelled' || row.state === 'done') pulls.delete(tagged(row.model))
    else pulls.set(tagged(row.model), row)
    if (before?.state === row.state) return
    if (row.state === 'done') this.operated(row.server)
    this.#tell(row.server)
  }

  async #watch({ watch, servers }: Params<'models.watch'>): Promise<Results['models.watch']> {
    for (const server of servers ?? []) this.#deps.way(server) // one that is not configured is refused
    this.#watches.set(watch, servers)
    await this.load()
    this.#settle()
    const meant = servers ?? this.#deps.servers()
    for (const server of meant) {
      this.#told.delete(server)
      this.#tell(server)
    }
    const kept = this.#deps.defaultModel()
    return { servers: [...meant], ...(kept === undefined ? {} : { default_model: kept }) }
  }

  async #refresh({ servers }: Params<'models.refresh'>): Promise<Results['models.refresh']> {
    const asked = (servers ?? this.#deps.servers()).map(async (server) => {
      this.#forgetFailures(server)
      // What comes of it is the link's state, and shown as such.
      if (!this.#isUp(server)) await this.#deps.connect(server).catch(() => {})
      this.operated(server)
    })
    await Promise.all(asked)
    return {}
  }

  /** Pulls that failed were read by now. */
  #forgetFailures(server: string): void {
    const pulls = this.#pulls.get(server) ?? new Map<string, PullRow>()
    for (const [model, { state }] of pulls) if (state === 'failed') pulls.delete(model)
    this.#tell(server)
  }

  async #names(): Promise<Results['models.names']> {
    await this.#memory.load()
    const installed = [...this.#memory.lists.values()].flatMap(({ models }) => models.map(({ name }) => name))
    const wellKnown = [...this.#deps.names(), ...wellKnownNames()]
    return { installed: [...new Set(installed)].sort(), well_known: [...new Set(wellKnown)] }
  }

  /** Has exactly those servers asked that somebody looks at. */
  #settle(): void {
    const configured = this.#deps.servers()
    const wanted = new Set([...this.#watches.values()].flatMap((servers) => servers ?? configured))
    for (const [server, asked] of this.#asked) {
      if (wanted.has(server) && configured.includes(server)) continue
      asked.end()
      this.#asked.delete(server)
      this.#deps.need(server, false)
    }
    for (const server of wanted) {
      if (this.#asked.has(server) || !configured.includes(server)) continue
      this.#asked.set(server, this.#newWatch(server))
      this.#deps.need(server, true)
    }
  }

  #newWatch(server: string): ServerWatch {
    const { source, clock } = this.#deps
    return new ServerWatch({
      server,
      source: () => source(server),
      isUp: () => this.#isUp(server),
      facts: (digest) => this.#memory.facts(digest),
      onChange: () => this.#tell(server),
      onList: (models, read) => this.#memory.keepList(server, { read, models }),
      onFacts: (digest, facts) => this.#memory.keepFacts(digest, facts, clock.now()),
      onComplete: () => void this.#memory.save(),
      clock,
    })
  }

  #isUp(server: string): boolean {
    return this.#deps.servers().includes(server) && this.#deps.way(server).state === 'ready'
  }

  /** Tells how a server's models stand, at once, or when the last telling is long enough ago. */
  #tell(server: string): void {
    if (!this.#asked.has(server)) return
    this.#due.add(server)
    if (!this.#telling.has(server)) void this.#tellDue(server)
  }

  async #tellDue(server: string): Promise<void> {
    this.#telling.add(server)
    try {
      while (this.#due.delete(server) && this.#asked.has(server)) {
        const { read, ...rows } = this.#rows(server)
        const text = JSON.stringify(rows)
        if (text === this.#told.get(server)) continue
        this.#told.set(server, text)
        await this.#deps.surface.modelRows({ ...rows, ...(read === undefined ? {} : { read }) })
        await this.#deps.clock.sleep(BETWEEN_TELLINGS_MS)
      }
    } catch (error) {
      this.#deps.log.warn('models were not shown', { server, error })
    } finally {
      this.#telling.delete(server)
    }
  }

  #rows(server: string): ServerModels {
    const { state, isDirect, error: broken, retryAt } = this.#deps.way(server)
    const asked = this.#asked.get(server)
    const list = this.#memory.list(server)
    const error = broken ?? asked?.error
    return {
      server,
      state,
      models: this.#modelRows(server),
      ...(isDirect === true ? { is_direct: true } : {}),
      ...(list === undefined ? {} : { read: list.read }),
      ...(asked?.version === undefined ? {} : { version: asked.version }),
      ...(retryAt === undefined ? {} : { retry_at: retryAt }),
      ...(error === undefined ? {} : { error }),
    }
  }

  #modelRows(server: string): ModelRow[] {
    return rowsOf(server, {
      models: this.#memory.list(server)?.models ?? [],
      loaded: this.#asked.get(server)?.loaded ?? this.#loadedStill(server),
      facts: (digest) => this.#memory.facts(digest),
      verdict: (model) => this.#verdictOf(server, model),
      pulls: this.#pulls.get(server) ?? new Map(),
    })
  }

  /** What was in its memory when it was last asked, and is not due to leave it yet. */
  #loadedStill(server: string): LoadedModel[] {
    const now = this.#deps.clock.now()
    const isThere = ({ expires = 0 }: LoadedModel) => expires === 'never' || expires > now
    return (this.#loaded.get(server) ?? []).filter(isThere)
  }

  #verdictOf(server: string, model: Model): UpdateRow | undefined {
    const verdict = this.#verdicts.get(server)?.get(model.name)
    const isOfThis = verdict !== undefined && (verdict.digest === undefined || verdict.digest === model.digest)
    return isOfThis ? verdict.row : this.#deps.verdicts.find(model)
  }
}

function of<V>(all: Map<string, Map<string, V>>, server: string): Map<string, V> {
  const known = all.get(server)
  if (known) return known
  const fresh = new Map<string, V>()
  all.set(server, fresh)
  return fresh
}
