// Which installed models are out of date: every server's at once, many models at a time, each verdict told as it is given.
// Not here: how a verdict comes about (verdict.ts), from where registries are asked (web-places.ts).
import type { Clock } from '../core/clock.ts'
import { PluginError, toPluginError, toRecord } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Model } from '../providers/provider.ts'
import type { Params, Results } from '../rpc/protocol.ts'
import type { UpdateRow } from '../rpc/shapes.ts'
import { LocalManifests, type Run } from './local-manifests.ts'
import { canonicalName } from './names.ts'
import { Registry } from './registry.ts'
import { type Evidence, judge, type Verdict } from './verdict.ts'
import type { VerdictMemory } from './verdict-memory.ts'
import type { WebPlace } from './web.ts'
import { WebFromPlaces } from './web-places.ts'

export interface UpdateCheckDeps {
  /** The configured ones, the default server first. */
  servers: () => readonly string[]
  /** Which server a reference means, and which model there. @throws PluginError */
  locate: (reference: string) => { server: string; model: string }
  /** What is installed there now. @throws PluginError */
  models: (server: string, signal: AbortSignal) => Promise<Model[]>
  /** From where the registries are asked for this server's models, in this order; closed when that is done. */
  places: (server: string) => readonly WebPlace[]
  run: (server: string) => Run
  /** Told before the first verdict on any of them. */
  onModels: (server: string, models: readonly Model[]) => void
  onVerdict: (server: string, model: string, row: UpdateRow) => void
  verdicts: VerdictMemory
  clock: Clock
  log: Log
}

/** Models that are looked at at once, for each server. */
const AT_ONCE = 16

interface Task {
  server: string
  /** All when absent. */
  models: readonly string[] | undefined
  again: boolean
}

/** What came of one server's models; `refs` are those that are out of date. */
interface Counts {
  checked: number
  unknown: number
  refs: string[]
}

export class UpdateCheck {
  readonly #deps: UpdateCheckDeps
  readonly #life = new AbortController()

  constructor(deps: UpdateCheckDeps) {
    this.#deps = deps
  }

  /**
   * What could not be looked at of all that was meant is part of the outcome.
   * @throws PluginError why nothing came of a question that named what is meant: MODEL_NOT_FOUND for one that is not
   *   installed, REGISTRY_UNREACHABLE when no registry could be asked, else why its server could not
   */
  async check(params: Params<'updates.check'>): Promise<Results['updates.check']> {
    await this.#deps.verdicts.load()
    const outcomes = await Promise.all(this.#tasks(params).map((task) => this.#outcomeOf(task)))
    await this.#deps.verdicts.save()
    const failures = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []))
    const counts = outcomes.flatMap((outcome) => ('error' in outcome ? [] : [outcome]))
    const isNamed = params.server !== undefined || params.models !== undefined
    if (failures[0] && isNamed && counts.length === 0) throw failures[0].error
    for (const { server, error } of failures) this.#deps.log.warn('models were not looked at', { server, error })
    const refs = counts.flatMap((count) => count.refs)
    return {
      checked: sum(counts.map(({ checked }) => checked)),
      available: refs.length,
      unknown: sum(counts.map(({ unknown }) => unknown)),
      refs,
      failures: failures.map(({ server, error }) => ({ server, error: toRecord(error) })),
    }
  }

  /** Ends every check. */
  close(): void {
    this.#life.abort(new PluginError('CANCELLED', 'The host ends'))
  }

  #tasks({ server, models, again = false }: Params<'updates.check'>): Task[] {
    if (server !== undefined) return [{ server, models, again }]
    if (models === undefined) return this.#deps.servers().map((name) => ({ server: name, models: undefined, again }))
    const byServer = new Map<string, string[]>()
    for (const reference of models) {
      const meant = this.#deps.locate(reference)
      byServer.set(meant.server, [...(byServer.get(meant.server) ?? []), meant.model])
    }
    return [...byServer].map(([name, wanted]) => ({ server: name, models: wanted, again }))
  }

  async #outcomeOf(task: Task): Promise<Counts | { server: string; error: PluginError }> {
    try {
      return await this.#checkServer(task)
    } catch (thrown) {
      return { server: task.server, error: toPluginError(thrown) }
    }
  }

  async #checkServer({ server, models, again }: Task): Promise<Counts> {
    const { places, run, clock } = this.#deps
    const installed = await this.#deps.models(server, this.#life.signal)
    const chosen = models ? models.map((wanted) => find(server, wanted, installed)) : installed
    this.#deps.onModels(server, installed)
    const { known, open } = this.#sort(chosen, again)
    for (const [{ name }, row] of known) this.#deps.onVerdict(server, name, row)
    for (const { name } of open) this.#deps.onVerdict(server, name, { state: 'checking' })
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, this.#life.signal])
    const web = new WebFromPlaces(places(server))
    const manifests = new LocalManifests({ run: run(server), signal, clock })
    try {
      const rows = await this.#judgeAll(server, open, {
        ...{ registry: new Registry({ web, clock }), manifests, installed, signal },
      })
      const of = (wanted: UpdateRow['state']) => [...known, ...rows].filter(([, { state }]) => state === wanted)
      const refs = of('available').map(([{ name }]) => `${server}:${name}`)
      return { checked: chosen.length, unknown: of('unknown').length, refs }
    } finally {
      over.abort(new PluginError('CANCELLED', 'The check is over'))
      web.close()
    }
  }

  /** @throws PluginError REGISTRY_UNREACHABLE when that is all that came of it. */
  async #judgeAll(server: string, models: readonly Model[], evidence: Evidence): Promise<[Model, UpdateRow][]> {
    const rows: [Model, UpdateRow][] = []
    const unreachable: PluginError[] = []
    let asked = 0
    const waiting = [...models]
    const work = async () => {
      for (let model = waiting.shift(); model; model = waiting.shift()) {
        const verdict = await judge(model, evidence).catch((thrown: unknown): Verdict => {
          evidence.signal.throwIfAborted()
          const error = toPluginError(thrown)
          if (error.code === 'REGISTRY_UNREACHABLE') unreachable.push(error)
          else this.#deps.log.error('a model could not be judged', { server, model: model?.name, error })
          return { state: 'unknown', why: error.message }
        })
        if (verdict.state !== 'cloud') asked++
        rows.push([model, this.#tell(server, model, verdict)])
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    const [first] = unreachable
    if (first && unreachable.length === asked) throw first
    return rows
  }

  #tell(server: string, model: Model, verdict: Verdict): UpdateRow {
    const row = { ...verdict, checked: this.#deps.clock.now() }
    this.#deps.verdicts.keep(model, row)
    this.#deps.onVerdict(server, model.name, row)
    return row
  }

  /** Which have a verdict that is still good, and which do not. */
  #sort(models: readonly Model[], again: boolean): { known: [Model, UpdateRow][]; open: Model[] } {
    const known: [Model, UpdateRow][] = []
    const open: Model[] = []
    for (const model of models) {
      const row = again ? undefined : this.#deps.verdicts.find(model)
      if (row) known.push([model, row])
      else open.push(model)
    }
    return { known, open }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function find(server: string, wanted: string, installed: readonly Model[]): Model {
  const found = installed.find(({ name }) => canonicalName(name) === canonicalName(wanted))
  if (found) return found
  throw new PluginError('MODEL_NOT_FOUND', `${server} has no model ${wanted}`, {
    hint: ':Ollama models shows what is installed there.',
  })
}
