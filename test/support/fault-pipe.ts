// One direction of a proxied connection: what is read at one end is written at the other as the weather lets it. What
// weather there is, and when it turns, is fault-proxy.ts's.
import type { Socket } from 'node:net'

export type Direction = 'up' | 'down'

/** What the way does to all that passes from now on. `up` leads from the client to the server. */
export interface Weather {
  /** Half a round trip, in milliseconds. */
  oneWayMs: number
  /** In each direction; bytes wait for their place in order. */
  bytesPerSecond: number
  /** With this chance for each chunk, all that follows is held back for so long: what the loss of a packet looks like to TCP. */
  stalls: { chance: number; ms: number } | undefined
  /** Nothing passes there, not even an end, and nothing is lost: it all comes when it is light again. */
  dark: 'no' | Direction | 'both'
}

/** What a pipe asks the proxy while it carries. */
export interface PipeKeeper {
  readonly weather: Weather
  random(): number
  /** How many bytes may pass this way until something is to happen. */
  allowance(direction: Direction): number
  /** Bytes were handed on; whatever was to happen then happens before this returns. */
  carried(direction: Direction, bytes: number): void
}

interface Parcel {
  due: number
  bytes?: Buffer
  /** The end of data, or of everything. */
  act?: () => void
}

/** What a real network would hold on the way before the sender has to wait. */
const HIGH_WATER_BYTES = 1_048_576

export class FaultPipe {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #direction: Direction
  readonly #keeper: PipeKeeper
  readonly #parcels: Parcel[] = []
  #held = 0
  #free = 0
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(ends: { source: Socket; sink: Socket }, direction: Direction, keeper: PipeKeeper) {
    this.#source = ends.source
    this.#sink = ends.sink
    this.#direction = direction
    this.#keeper = keeper
    const { source, sink } = ends
    source.on('data', (bytes: Buffer) => this.#take({ bytes }))
    source.on('end', () => this.#take({ act: () => sink.end() }))
    source.on('close', () => this.#take({ act: () => sink.destroy() }))
    sink.on('close', () => clearTimeout(this.#timer))
  }

  /** Looks again: the weather has changed. */
  wake(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#deliver()
  }

  /** Nothing passes any more, whatever the weather. */
  stop(): void {
    this.#isStopped = true
  }

  #take(parcel: Omit<Parcel, 'due'>): void {
    const { oneWayMs, bytesPerSecond, stalls } = this.#keeper.weather
    const now = performance.now()
    const size = parcel.bytes?.length ?? 0
    const stall = stalls && size > 0 && this.#keeper.random() < stalls.chance ? stalls.ms : 0
    this.#free = Math.max(now, this.#free) + stall + (size * 1000) / bytesPerSecond
    this.#parcels.push({ ...parcel, due: this.#free + oneWayMs })
    this.#held += size
    if (this.#held > HIGH_WATER_BYTES) this.#source.pause()
    this.#deliver()
  }

  #deliver(): void {
    for (let next = this.#parcels[0]; next !== undefined && !this.#isDark(); next = this.#parcels[0]) {
      const early = next.due - performance.now()
      if (early > 0) {
        this.#timer ??= setTimeout(() => this.wake(), early)
        return
      }
      if (next.bytes === undefined) this.#parcels.shift()
      next.act?.()
      if (next.bytes !== undefined) this.#pass(next, next.bytes)
      if (this.#sink.destroyed) return
    }
  }

  /** Passes as much of a chunk as may pass before something happens, and leaves the rest at the head. */
  #pass(parcel: Parcel, bytes: Buffer): void {
    const passing = bytes.subarray(0, this.#keeper.allowance(this.#direction))
    const rest = bytes.subarray(passing.length)
    if (rest.length === 0) this.#parcels.shift()
    else parcel.bytes = rest
    this.#held -= passing.length
    if (this.#sink.writable) this.#sink.write(passing)
    if (this.#held <= HIGH_WATER_BYTES) this.#source.resume()
    this.#keeper.carried(this.#direction, passing.length)
  }

  #isDark(): boolean {
    const { dark } = this.#keeper.weather
    return this.#isStopped || dark === 'both' || dark === this.#direction
  }
}
