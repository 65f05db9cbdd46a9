// Notices that the machine has slept, that its network has changed, or that its person is back: each time a link may have died
// unnoticed. What is done about it is the link's.
import { networkInterfaces } from 'node:os'
import type { Clock } from '../core/clock.ts'

export type Occasion = 'waking' | 'network' | 'focus'

export interface Watched {
  look(occasion: Occasion): void
}

/** Milliseconds. A link that died in the sleep is noticed after a tick and the time for an answer: within 3 s. */
const TICK_MS = 500

/** A tick that comes so much too late has slept with the machine; a busy event loop is never so late. */
const JUMP_MS = 5_000

const TICKS_PER_NETWORK_LOOK = 5

/** Some window managers tell of focus with every move of the mouse. */
const FOCUS_EVERY_MS = 3_000

export interface LinkWatchOptions {
  clock: Clock
  /** The machine's addresses as one text, which changes with them. */
  addresses?: (() => string) | undefined
}

/** Ticks only while something is watched. */
export class LinkWatch {
  readonly #clock: Clock
  readonly #addresses: () => string
  readonly #watched = new Set<Watched>()
  #running: AbortController | undefined
  #focusedAt = Number.NEGATIVE_INFINITY

  constructor({ clock, addresses = systemAddresses }: LinkWatchOptions) {
    this.#clock = clock
    this.#addresses = addresses
  }

  /** @returns ends the watch; idempotent. */
  add(watched: Watched): () => void {
    this.#watched.add(watched)
    if (!this.#running) this.#start()
    return () => {
      this.#watched.delete(watched)
      if (this.#watched.size > 0) return
      this.#running?.abort()
      this.#running = undefined
    }
  }

  /** The editor has got the focus. */
  focus(): void {
    const now = this.#clock.now()
    if (now - this.#focusedAt < FOCUS_EVERY_MS) return
    this.#focusedAt = now
    this.#tell('focus')
  }

  #start(): void {
    const running = new AbortController()
    this.#running = running
    // It ends only by being aborted.
    this.#run(running.signal).catch(() => {})
  }

  async #run(signal: AbortSignal): Promise<void> {
    let addresses = this.#addresses()
    for (let tick = 1; ; tick++) {
      const before = this.#clock.now()
      await this.#clock.sleep(TICK_MS, signal)
      if (this.#clock.now() - before > TICK_MS + JUMP_MS) this.#tell('waking')
      if (tick % TICKS_PER_NETWORK_LOOK !== 0) continue
      const found = this.#addresses()
      if (found !== addresses) this.#tell('network')
      addresses = found
    }
  }

  #tell(occasion: Occasion): void {
    for (const watched of [...this.#watched]) watched.look(occasion)
  }
}

function systemAddresses(): string {
  const all = Object.entries(interfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).map(({ address }) => `${name} ${address}`),
  )
  return all.toSorted().join('\n')
}

/** Some systems (Termux) do not tell. */
function interfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces()
  } catch {
    return {}
  }
}
