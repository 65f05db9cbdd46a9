// One server's lists, asked for again and again while somebody looks: what is installed, and what is in its memory. Whether
// its link is up, and who looks, is book.ts's.
import type { Clock } from '../core/clock.ts'
import { type ErrorRecord, PluginError, toPluginError, toRecord } from '../core/errors.ts'
import type { LoadedModel, Model, ModelKeeper, Provider } from '../providers/provider.ts'
import type { Facts } from './model-rows.ts'
import { factsOf } from './model-rows.ts'

/** What is in memory changes by itself, what is installed only by somebody's doing. */
const LOADED_EVERY_MS = 2_000
const LIST_EVERY_MS = 5_000
/** An old server is asked for each model's capabilities, too. */
const LOOK_MS = 30_000
const SHOW_AT_ONCE = 4

export type ModelSource = Pick<Provider, 'version' | 'models'> & Pick<ModelKeeper, 'loadedModels' | 'show'>

export interface ServerWatchDeps {
  server: string
  source: () => ModelSource
  /** Whether it can be asked without bringing its link up. */
  isUp: () => boolean
  facts: (digest: string) => Facts | undefined
  /** Something that is shown may have changed. */
  onChange: () => void
  onList: (models: readonly Model[], read: number) => void
  onFacts: (digest: string, facts: Facts) => void
  /** All that was asked for with a list is known. */
  onComplete: () => void
  clock: Clock
}

export class ServerWatch {
  readonly #deps: ServerWatchDeps
  readonly #life = new AbortController()
  /** Digests that were asked for, however that went: not again in this watch. */
  readonly #asked = new Set<string>()
  #nap: AbortController | undefined
  #listDue = 0
  #loaded: readonly LoadedModel[] = []
  #version: string | undefined
  #error: ErrorRecord | undefined

  constructor(deps: ServerWatchDeps) {
    this.#deps = deps
    void this.#run(this.#life.signal)
  }

  get loaded(): readonly LoadedModel[] {
    return this.#loaded
  }

  get version(): string | undefined {
    return this.#version
  }

  get error(): ErrorRecord | undefined {
    return this.#error
  }

  /** Has it asked now, for its list too; while it is being asked, once more after that. */
  nudge(): void {
    this.#listDue = 0
    this.#nap?.abort()
  }

  /** Its link is lost: what was in its memory is not known any more. */
  lost(): void {
    this.#loaded = []
    this.#version = undefined
    this.#error = undefined
    this.#listDue = 0
  }

  end(): void {
    this.#life.abort(new PluginError('CANCELLED', 'Nobody looks any more'))
  }

  async #run(life: AbortSignal): Promise<void> {
    while (!life.aborted) {
      this.#nap = new AbortController()
      if (this.#deps.isUp()) await this.#look(life)
      // A nudge that came meanwhile has ended this nap before it began.
      await this.#deps.clock.sleep(LOADED_EVERY_MS, AbortSignal.any([life, this.#nap.signal])).catch(() => {})
    }
  }

  async #look(life: AbortSignal): Promise<void> {
    const { clock, server } = this.#deps
    const late = new AbortController()
    const done = new AbortController()
    clock.sleep(LOOK_MS, AbortSignal.any([life, done.signal])).then(
      () => late.abort(new PluginError('API_UNAVAILABLE', `${server} did not answer in ${LOOK_MS / 1000} s`)),
      () => {},
    )
    try {
      await this.#ask(AbortSignal.any([life, late.signal]))
      this.#error = undefined
    } catch (thrown) {
      if (life.aborted) return
      this.#error = toRecord(toPluginError(late.signal.aborted ? late.signal.reason : thrown))
      this.#loaded = []
      this.#listDue = 0
    } finally {
      done.abort()
    }
    if (!life.aborted) this.#deps.onChange()
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { clock, source, onList } = this.#deps
    const isListDue = clock.now() >= this.#listDue
    if (isListDue) this.#listDue = clock.now() + LIST_EVERY_MS
    const from = source()
    const [models, loaded, version] = await Promise.all([
      isListDue ? from.models(signal) : undefined,
      from.loadedModels(signal),
      this.#version ?? from.version(signal),
    ])
    signal.throwIfAborted()
    this.#loaded = loaded
    this.#version = version
    if (!models) return
    onList(models, clock.now())
    void this.#learn(models)
  }

  /** Asks for what the list does not say of each digest; the list is shown meanwhile. */
  async #learn(models: readonly Model[]): Promise<void> {
    const { facts, onFacts, onChange, onComplete, source } = this.#deps
    const signal = this.#life.signal
    const waiting = models.filter(({ digest }) => digest && !facts(digest) && !this.#asked.has(digest))
    for (const { digest } of waiting) this.#asked.add(digest ?? '')
    const work = async () => {
      for (let model = waiting.shift(); model && !signal.aborted; model = waiting.shift()) {
        const details = await source()
          .show(model.name, signal)
          .catch(() => undefined) // the row does without it
        if (!details || signal.aborted) continue
        onFacts(model.digest ?? '', factsOf(details))
        onChange()
      }
    }
    await Promise.all(Array.from({ length: SHOW_AT_ONCE }, work))
    onComplete()
  }
}
