/** The state that the routes of one double share. */

import type { Ask, Shape } from './ask.ts'
import type { Behaviour, Pace } from './behaviour.ts'
import { Blobs } from './blobs.ts'
import type { Clock } from './clock.ts'
import { wallTime } from './clock.ts'
import type { Dialect } from './era.ts'
import { rfc3339 } from './go-text.ts'
import type { ReplyContext } from './model-replies.ts'
import type { ModelDefinition } from './models.ts'
import type { PullScript } from './pull-script.ts'
import { Residency } from './residency.ts'
import { Slots } from './slots.ts'

export type Script = Behaviour | ((ask: Ask) => Behaviour)

export interface EngineOptions {
  readonly dialect: Dialect
  readonly version: string
  readonly models: readonly ModelDefinition[]
  readonly pace: Pace
  /** OLLAMA_NUM_PARALLEL: how many generations of one model may run at once. */
  readonly parallel: number
  readonly behaviour: Script
  readonly checkHost: boolean
  readonly utcOffsetMinutes: number
  readonly clock: Clock
}

/** The pulls of one double: how many run, how many were left, and what the next ones do. */
export class Pulls {
  active = 0
  aborted = 0
  readonly #scripts = new Map<string, PullScript[]>()

  script(name: string, script: PullScript): void {
    this.#scripts.set(name, [...(this.#scripts.get(name) ?? []), script])
  }

  next(name: string): PullScript {
    return this.#scripts.get(name)?.shift() ?? {}
  }
}

export class Engine {
  version: string
  models: readonly ModelDefinition[]
  pace: Pace
  /** Used when no one-shot script waits. */
  fallback: Script
  active = 0
  cancelled = 0
  readonly options: EngineOptions
  readonly residency: Residency
  readonly blobs = new Blobs()
  readonly pulls = new Pulls()
  readonly changed: () => void
  readonly context: ReplyContext
  readonly #slots = new Map<string, Slots>()
  readonly #scripts: Record<Shape, Script[]> = { chat: [], generate: [] }

  constructor(options: EngineOptions, changed: () => void) {
    this.options = options
    this.version = options.version
    this.models = options.models
    this.pace = options.pace
    this.fallback = options.behaviour
    this.changed = changed
    this.residency = new Residency(options.clock, changed)
    const { dialect, clock, utcOffsetMinutes } = options
    this.context = { dialect, startedAt: wallTime(clock), utcOffsetMinutes }
  }

  get queued(): number {
    return [...this.#slots.values()].reduce((total, slots) => total + slots.waiting, 0)
  }

  /** Slots belong to a loaded model: different models do not wait for each other. */
  slotsOf(model: ModelDefinition): Slots {
    const slots = this.#slots.get(model.name) ?? new Slots(this.options.parallel)
    this.#slots.set(model.name, slots)
    return slots
  }

  script(script: Script, shape: Shape): void {
    this.#scripts[shape].push(script)
  }

  nextBehaviour(ask: Ask): Behaviour {
    const script = this.#scripts[ask.shape].shift() ?? this.fallback
    return typeof script === 'function' ? script(ask) : script
  }

  /** UTC, as `created_at` is told. */
  timestamp(): string {
    return rfc3339(wallTime(this.options.clock))
  }
}
