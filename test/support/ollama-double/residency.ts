/** Which models are in memory: loading one at a time, keep_alive, expiry. */

import { type Clock, sleep, wallTime } from './clock.ts'
import type { LoadedModel } from './model-replies.ts'
import type { ModelDefinition } from './models.ts'
import { Slots } from './slots.ts'

/** Go's longest duration: what "forever" shows as in `expires_at` (about 292 years). */
const LONGEST_DURATION_MS = 9_223_372_036_854.775
const LONGEST_TIMER_MS = 2 ** 31 - 1
const DEFAULT_CONTEXT_LENGTH = 4_096

interface Resident {
  readonly model: ModelDefinition
  readonly contextLength: number
  ready: boolean
  expiresAt: number
  users: number
  /** Asked to go while in use: goes after the last use. */
  doomed: boolean
  timer: unknown
}

export interface LoadWish {
  readonly loadMs: number
  /** `options.num_ctx` of the request; a change reloads the model. */
  readonly contextLength: number | undefined
  readonly keepAliveMs: number
}

export class Residency {
  readonly #residents = new Map<string, Resident>()
  /** The scheduler loads one model at a time. */
  readonly #loading = new Slots(1)
  readonly #clock: Clock
  readonly #changed: () => void

  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock
    this.#changed = changed
  }

  /** Models in memory; with `loading`, also the one on its way. */
  list(loading: boolean): LoadedModel[] {
    return [...this.#residents.values()].filter((resident) => resident.ready || loading)
  }

  /**
   * Brings the model into memory, if it is not there with this context, and marks it as used until `leave`.
   * An abort throws the progress away: the next one starts from zero.
   */
  async enter(model: ModelDefinition, wish: LoadWish, signal: AbortSignal): Promise<void> {
    const release = await this.#loading.acquire(signal)
    try {
      const resident = this.#fitting(model, wish) ?? (await this.#load(model, wish, signal))
      resident.users += 1
      this.#clock.clearTimeout(resident.timer)
    } finally {
      release()
    }
  }

  /** Ends one use; after the last one the keep_alive time starts. */
  leave(model: ModelDefinition, keepAliveMs: number): void {
    const resident = this.#residents.get(model.name)
    if (resident === undefined) return
    resident.users = Math.max(0, resident.users - 1)
    resident.expiresAt = this.#expiry(keepAliveMs)
    this.#clock.clearTimeout(resident.timer)
    if (resident.users > 0) return
    if (keepAliveMs <= 0 || resident.doomed) this.unload(model)
    else if (keepAliveMs <= LONGEST_TIMER_MS) {
      resident.timer = this.#clock.setTimeout(() => this.unload(model), keepAliveMs)
    }
  }

  /** Forgets the model at once, or after its last use. */
  unload(model: ModelDefinition): void {
    const resident = this.#residents.get(model.name)
    if (resident === undefined) return
    resident.doomed = true
    if (resident.users > 0) return
    this.#clock.clearTimeout(resident.timer)
    this.#residents.delete(model.name)
    this.#changed()
  }

  close(): void {
    for (const resident of this.#residents.values()) this.#clock.clearTimeout(resident.timer)
    this.#residents.clear()
  }

  #fitting(model: ModelDefinition, wish: LoadWish): Resident | undefined {
    const resident = this.#residents.get(model.name)
    if (resident === undefined || wish.contextLength === undefined) return resident
    return resident.contextLength === Math.min(wish.contextLength, model.contextLength) ? resident : undefined
  }

  async #load(model: ModelDefinition, wish: LoadWish, signal: AbortSignal): Promise<Resident> {
    this.#clock.clearTimeout(this.#residents.get(model.name)?.timer)
    const resident: Resident = {
      model,
      contextLength: Math.min(wish.contextLength ?? DEFAULT_CONTEXT_LENGTH, model.contextLength),
      ready: false,
      expiresAt: this.#expiry(wish.keepAliveMs),
      users: 0,
      doomed: false,
      timer: undefined,
    }
    this.#residents.set(model.name, resident)
    const progress = sleep(this.#clock, wish.loadMs, signal)
    this.#changed()
    try {
      await progress
    } catch (cause) {
      this.#residents.delete(model.name)
      throw cause
    }
    resident.ready = true
    this.#changed()
    return resident
  }

  #expiry(keepAliveMs: number): number {
    return wallTime(this.#clock) + Math.min(keepAliveMs, LONGEST_DURATION_MS)
  }
}
