/** What a user of the double may choose, and what the double reads. */

import { DEMONSTRATION_PACE, type Pace } from './behaviour.ts'
import { type Clock, systemClock } from './clock.ts'
import type { EngineOptions, Script } from './engine.ts'
import { DIALECTS, type Era } from './era.ts'
import { DEMONSTRATION_MODELS, type ModelDefinition } from './models.ts'

export interface OllamaDoubleOptions extends Partial<Pace> {
  /** 0 (default): any free port. */
  readonly port?: number
  readonly era?: Era
  readonly version?: string
  readonly models?: readonly ModelDefinition[]
  /** OLLAMA_NUM_PARALLEL, 1 by default. */
  readonly parallel?: number
  /** How requests without a one-shot script are answered; the demonstration by default. */
  readonly behaviour?: Script
  /** Refuse strange Host and Origin headers; on by default. */
  readonly checkHost?: boolean
  /** The server's zone in `modified_at` and `expires_at`. */
  readonly utcOffsetMinutes?: number
  readonly clock?: Clock
}

const DEFAULT_UTC_OFFSET_MINUTES = 120

export function engineOptions(options: OllamaDoubleOptions): EngineOptions {
  const dialect = DIALECTS[options.era ?? 'current']
  const { loadMs, promptMs, tokensPerSecond, splitMode, pullBytesPerSecond } = { ...DEMONSTRATION_PACE, ...options }
  return {
    dialect,
    version: options.version ?? dialect.version,
    models: options.models ?? DEMONSTRATION_MODELS,
    pace: { loadMs, promptMs, tokensPerSecond, splitMode, pullBytesPerSecond },
    parallel: options.parallel ?? 1,
    behaviour: options.behaviour ?? {},
    checkHost: options.checkHost ?? true,
    utcOffsetMinutes: options.utcOffsetMinutes ?? DEFAULT_UTC_OFFSET_MINUTES,
    clock: options.clock ?? systemClock,
  }
}
