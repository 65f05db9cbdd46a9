// The verdicts that were given lately, in this session or an earlier one: which of them are still good, and for how long one
// is. How they lie on the disk is verdicts-file.ts's, how one comes about verdict.ts's.
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Model } from '../providers/provider.ts'
import type { UpdateRow } from '../rpc/shapes.ts'
import { canonicalName } from './names.ts'
import type { KeptVerdicts, VerdictsFile } from './verdicts-file.ts'

type KeptVerdict = KeptVerdicts[string]

/** A verdict is good for so long, in milliseconds, while the model keeps its digest. */
const FRESH_MS = 3_600_000

export interface VerdictMemoryDeps {
  file: VerdictsFile
  clock: Clock
  log: Log
}

export class VerdictMemory {
  readonly #deps: VerdictMemoryDeps
  #kept: KeptVerdicts = {}
  #loading: Promise<void> | undefined

  constructor(deps: VerdictMemoryDeps) {
    this.#deps = deps
  }

  /** Resolves when what earlier sessions found is known. */
  load(): Promise<void> {
    this.#loading ??= this.#deps.file.read().then((kept) => {
      this.#kept = { ...kept, ...this.#kept }
    })
    return this.#loading
  }

  /** What was found out of the model as it is installed; nothing when that is too long ago. */
  find(model: Model): KeptVerdict | undefined {
    const row = model.digest === undefined ? undefined : this.#kept[keyOf(model)]
    return row && this.#isFresh(row) ? row : undefined
  }

  /** Whether it is known, or was lately, how a model of this name stands, whatever its digest. */
  hasAny(name: string): boolean {
    const beginning = `${canonicalName(name)}@`
    return Object.keys(this.#kept).some((key) => key.startsWith(beginning))
  }

  /** That it cannot be told may be otherwise a moment later: it is not kept. */
  keep(model: Model, row: UpdateRow & { checked: number }): void {
    const { state } = row
    if (state === 'current' || state === 'available' || state === 'local') this.#kept[keyOf(model)] = row
  }

  /** Never rejects: what is kept would only save questions. */
  async save(): Promise<void> {
    this.#kept = Object.fromEntries(Object.entries(this.#kept).filter(([, row]) => this.#isFresh(row)))
    const { file, log } = this.#deps
    await file.write(this.#kept).catch((error: unknown) => log.warn('verdicts are not kept', { error }))
  }

  /** A moment in the future was written by a clock that was wrong. */
  #isFresh({ checked }: { checked: number }): boolean {
    const now = this.#deps.clock.now()
    return checked <= now && now - checked < FRESH_MS
  }
}

function keyOf({ name, digest = '' }: Model): string {
  return `${canonicalName(name)}@${digest}`
}
