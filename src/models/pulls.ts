// The pulls of all servers: whose turn it is, who is told how they go, and what became of them. How one goes is its run's
// (pull-run.ts). They go on whoever looks, until they end or the host does.
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Method, Params, Results } from '../rpc/protocol.ts'
import type { PullRow } from '../rpc/shapes.ts'
import { canonicalName, parseModelName, shortName } from './names.ts'
import { PullRun, type PullServer } from './pull-run.ts'
import { type EndedPull, type PullSummary, pullSummary } from './pull-summary.ts'

type PullMethod = Extract<Method, `pulls.${string}`>
export type PullHandlers = { [M in PullMethod]: (params: Params<M>) => Results[M] }

export interface PullsDeps {
  surface: {
    pull(row: PullRow): Promise<void>
    notify(level: 'info' | 'warn', text: string): Promise<void>
  }
  /** @throws PluginError SERVER_NOT_FOUND */
  server: (name: string) => PullServer
  /** Which server a reference means, and which model there. @throws PluginError CHAT_NO_MODEL */
  locate: (reference: string) => { server: string; model: string }
  /** How many a server pulls at a time. */
  atOnce: () => number
  /** Whether a model was there when its pull was asked for, as far as it is known. */
  isInstalled: (server: string, model: string) => boolean
  /** Told together with the person. */
  onRow: (row: PullRow) => void
  clock: Clock
  log: Log
}

interface Entry {
  run: PullRun
  wasInstalled: boolean
  /** Whether all who asked for it tell of its failure themselves. */
  isQuiet: boolean
  /** Whether it is on its way, or has been. */
  hasBegun: boolean
  /** Whether nothing more comes of it. */
  isOver: boolean
}

/** At most about eight times a second. */
const BETWEEN_TELLINGS_MS = 125

export class Pulls {
  readonly #deps: PullsDeps
  /** By server and name, in the order in which they were asked for; what has ended stays until the next ones begin. */
  readonly #entries = new Map<string, Entry>()
  readonly #due = new Set<PullRun>()
  /** Told after the last state of what they are about, which would be shown over them. */
  readonly #summaries: PullSummary[] = []
  #isTelling = false
  #isClosed = false

  constructor(deps: PullsDeps) {
    this.#deps = deps
  }

  get handlers(): PullHandlers {
    return {
      'pulls.start': ({ server, model, quiet = false }) => {
        const meant = server === undefined ? this.#deps.locate(model) : { server, model }
        return this.#start(meant.server, meant.model, quiet)
      },
      'pulls.cancel': ({ server, model }) => this.#cancel(server, model),
      'pulls.list': () => ({ pulls: this.rows }),
    }
  }

  get rows(): PullRow[] {
    return [...this.#entries.values()].map(({ run }) => run.row)
  }

  /** The host ends: all channels are closed, and nobody is told. */
  close(): void {
    this.#isClosed = true
    for (const { run } of this.#entries.values()) run.cancel()
  }

  /** One that is under way already is the same pull. */
  #start(server: string, model: string, isQuiet: boolean): Record<string, never> {
    const { clock, isInstalled } = this.#deps
    this.#deps.server(server) // one that is not configured is refused
    const key = keyOf(server, model)
    const known = this.#entries.get(key)
    const isLive = known?.run.hasEnded === false
    if (isLive && !isQuiet) known.isQuiet = false
    if (isLive || this.#isClosed) return {}
    if ([...this.#entries.values()].every(({ isOver }) => isOver)) this.#entries.clear()
    this.#entries.delete(key) // it goes to the end of the queue
    const parsed = parseModelName(model)
    const name = parsed ? shortName(parsed) : model
    const run: PullRun = new PullRun(
      { server, model: name },
      { server: () => this.#deps.server(server), clock, onChange: () => this.#tell(run) },
    )
    const wasInstalled = isInstalled(server, name)
    this.#entries.set(key, { run, wasInstalled, isQuiet, hasBegun: false, isOver: false })
    this.#tell(run)
    this.#beginNext(server)
    return {}
  }

  #cancel(server: string, model: string): Record<string, never> {
    const key = keyOf(server, model)
    const entry = this.#entries.get(key)
    entry?.run.cancel()
    if (entry && !entry.hasBegun) this.#over(entry)
    if (!entry || (entry.isOver && entry.run.hasFailed)) this.#forget(key, { server, model })
    return {}
  }

  /** One that failed and was read is shown no more; of it nobody needs to be told that it was cancelled. */
  #forget(key: string, { server, model }: { server: string; model: string }): void {
    this.#entries.delete(key)
    this.#deps.onRow({ server, model, state: 'cancelled', status: '' })
  }

  #beginNext(server: string): void {
    if (this.#isClosed) return
    const live = [...this.#entries.values()].filter(({ run }) => run.server === server && !run.hasEnded)
    const free = this.#deps.atOnce() - live.filter(({ hasBegun }) => hasBegun).length
    for (const entry of live.filter(({ hasBegun }) => !hasBegun).slice(0, Math.max(0, free))) void this.#run(entry)
  }

  async #run(entry: Entry): Promise<void> {
    entry.hasBegun = true
    await entry.run.run()
    this.#beginNext(entry.run.server)
    this.#over(entry)
  }

  /** After the last one, what became of them is told as one line. */
  #over(entry: Entry): void {
    entry.isOver = true
    const entries = [...this.#entries.values()]
    if (this.#isClosed || entries.some(({ isOver }) => !isOver)) return
    const told = entries.filter(({ run, isQuiet }) => !(isQuiet && run.row.state === 'failed'))
    if (told.length > 0) this.#summaries.push(pullSummary(told.map(endedOf)))
    if (!this.#isTelling) void this.#tellDue()
  }

  #tell(run: PullRun): void {
    if (this.#isClosed) return
    this.#due.add(run)
    if (!this.#isTelling) void this.#tellDue()
  }

  /** The first change at once, the others when the last telling is long enough ago; the last state of each is always told. */
  async #tellDue(): Promise<void> {
    const { surface, onRow, clock, log } = this.#deps
    this.#isTelling = true
    while (this.#due.size + this.#summaries.length > 0 && !this.#isClosed) {
      const rows = [...this.#due].map(({ row }) => row)
      this.#due.clear()
      const summaries = this.#summaries.splice(0)
      for (const row of rows) {
        onRow(row)
        await surface.pull(row).catch((error) => log.warn('a pull was not shown', { error }))
      }
      for (const { level, text } of summaries) {
        await surface.notify(level, text).catch((error) => log.warn('a summary was not shown', { error }))
      }
      await clock.sleep(BETWEEN_TELLINGS_MS)
    }
    this.#isTelling = false
  }
}

function keyOf(server: string, model: string): string {
  return `${server}\n${canonicalName(model)}`
}

function endedOf({ run, wasInstalled }: Entry): EndedPull {
  const { server, model, state, error } = run.row
  const { hasFetched, isOldInMemory } = run
  return {
    ...{ server, model, state: state as EndedPull['state'], wasInstalled, hasFetched, isOldInMemory },
    ...(state === 'failed' && error ? { why: error.message } : {}),
  }
}
