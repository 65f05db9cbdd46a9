// A TCP proxy on loopback that makes the faults of a network, each at the moment a test wants. How bytes are held back and
// handed on is fault-pipe.ts's; faults of the server's own are the server's.
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Direction, FaultPipe, type PipeKeeper, type Weather } from './fault-pipe.ts'

/** What becomes of a connection that comes: joined to the server, accepted and never heard of, ended, or told these words and ended. */
export type Door = 'open' | 'mute' | 'ended' | 'reset' | { says: string | Buffer }

export type CutBy = 'rst' | 'fin'

export interface FaultProxyOptions {
  /** Port of the server on 127.0.0.1. */
  target: number
  /** Address to listen on; 127.0.0.1 by default. */
  host?: string
  /** For stalls; in [0, 1). */
  random?: () => number
}

const FAIR: Weather = { oneWayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, stalls: undefined, dark: 'no' }

/** Listens on a port of its own until `stop`. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(options)
  await proxy.listen()
  return proxy
}

interface Pair {
  near: Socket
  far: Socket | undefined
  pipes: FaultPipe[]
  isAbandoned: boolean
}

interface Appointment {
  direction: Direction
  left: number
  act: () => void
}

export class FaultProxy {
  /** For connections that come from now on; those that are there stay as they are. */
  door: Door = 'open'
  readonly host: string
  readonly #target: number
  readonly #keeper: PipeKeeper
  readonly #pairs = new Set<Pair>()
  readonly #watchers = new Set<() => void>()
  #weather: Weather = { ...FAIR }
  #appointments: Appointment[] = []
  #server: Server | undefined
  #port = 0
  #total = 0
  readonly #carried: Record<Direction, number> = { up: 0, down: 0 }

  /** Use `startFaultProxy`. */
  constructor({ target, host = '127.0.0.1', random = Math.random }: FaultProxyOptions) {
    this.host = host
    this.#target = target
    const weather = () => this.#weather
    this.#keeper = {
      get weather() {
        return weather()
      },
      random,
      allowance: (direction) => Math.min(...this.#of(direction).map(({ left }) => left), Number.POSITIVE_INFINITY),
      carried: (direction, bytes) => this.#count(direction, bytes),
    }
  }

  get port(): number {
    return this.#port
  }

  /** Connections that came since the start, and those whose client is still there. */
  get connections(): { readonly open: number; readonly total: number } {
    const open = [...this.#pairs].filter(({ near }) => !near.destroyed && !near.readableEnded).length
    return { open, total: this.#total }
  }

  /** Bytes handed on since the start. */
  get carried(): Readonly<Record<Direction, number>> {
    return this.#carried
  }

  /** Changes the weather, also for the connections that are there. */
  set(change: Partial<Weather>): void {
    this.#weather = { ...this.#weather, ...change }
    for (const { pipes } of this.#pairs) for (const pipe of pipes) pipe.wake()
  }

  /** Fair weather and an open door; what was held back passes, and what was abandoned ends. */
  async mend(): Promise<void> {
    this.door = 'open'
    this.#appointments = []
    reset([...this.#pairs].filter(({ isAbandoned }) => isAbandoned))
    this.set(FAIR)
    await this.listen()
  }

  /** Ends all connections that are there, in the dark too. */
  cut(by: CutBy = 'rst'): void {
    if (by === 'rst') reset([...this.#pairs])
    for (const { near, far } of [...this.#pairs]) {
      near.destroySoon()
      far?.destroySoon()
    }
  }

  /** Nothing passes any more on the connections that are there: a router has forgotten them. New ones pass. */
  abandon(): void {
    for (const pair of this.#pairs) {
      pair.isAbandoned = true
      for (const pipe of pair.pipes) pipe.stop()
    }
  }

  /** The server's side ends (FIN), and its other half is neither closed nor read any more: a half-open connection. */
  halfClose(): void {
    for (const { near, far } of this.#pairs) {
      far?.pause()
      near.end()
    }
  }

  /** Does something in the very moment when so many more bytes, counted from now, have passed in a direction. */
  after(direction: Direction, bytes: number, act: () => void): void {
    this.#appointments.push({ direction, left: Math.max(1, bytes), act })
  }

  /** Refuses what comes; connections that are there stay. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    // It calls back only when the last connection has ended, but hears no more at once.
    server?.close()
  }

  /** Listens, again after `refuse` on the same port. */
  async listen(): Promise<void> {
    if (this.#server) return
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => this.#came(near))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, this.host, resolve)
    })
    this.#port = (server.address() as { port: number }).port
  }

  /** Waits for a state of the proxy, looked at after each connection's coming and going and after all that passes. */
  waitUntil(condition: () => boolean, signal: AbortSignal = AbortSignal.timeout(10_000)): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition() && !signal.aborted) return
        this.#watchers.delete(look)
        signal.removeEventListener('abort', look)
        if (condition()) resolve()
        else reject(signal.reason)
      }
      this.#watchers.add(look)
      signal.addEventListener('abort', look)
      look()
    })
  }

  async stop(): Promise<void> {
    await this.refuse()
    this.cut()
  }

  #came(near: Socket): void {
    this.#total += 1
    const pair: Pair = { near, far: undefined, pipes: [], isAbandoned: false }
    this.#pairs.add(pair)
    near.on('error', () => near.destroy())
    near.once('end', () => this.#tell())
    near.once('close', () => this.#left(pair))
    const { door } = this
    if (door === 'open') this.#join(pair)
    else if (door === 'reset') near.resetAndDestroy()
    else if (door === 'ended') near.destroySoon()
    else if (door === 'mute') near.resume()
    else near.resume().end(door.says)
    this.#tell()
  }

  #join(pair: Pair): void {
    const { near } = pair
    const far = connect({ port: this.#target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    far.on('error', () => far.destroy())
    far.once('close', () => this.#left(pair))
    pair.far = far
    pair.pipes.push(
      new FaultPipe({ source: near, sink: far }, 'up', this.#keeper),
      new FaultPipe({ source: far, sink: near }, 'down', this.#keeper),
    )
  }

  /** A pair is known as long as one of its sockets lives: in the dark, one end hears nothing of the other's. */
  #left(pair: Pair): void {
    const { near, far } = pair
    if (near.destroyed && (!far || far.destroyed)) this.#pairs.delete(pair)
    this.#tell()
  }

  #of(direction: Direction): Appointment[] {
    return this.#appointments.filter((appointment) => appointment.direction === direction)
  }

  #count(direction: Direction, bytes: number): void {
    this.#carried[direction] += bytes
    for (const appointment of this.#of(direction)) appointment.left -= bytes
    const due = this.#of(direction).filter(({ left }) => left <= 0)
    this.#appointments = this.#appointments.filter((appointment) => !due.includes(appointment))
    for (const { act } of due) act()
    this.#tell()
  }

  #tell(): void {
    for (const look of [...this.#watchers]) look()
  }
}

function reset(pairs: readonly Pair[]): void {
  for (const { near, far } of pairs) {
    near.resetAndDestroy()
    far?.resetAndDestroy()
  }
}
