// A TCP proxy that puts a distance between two ends on one machine. It knows nothing of what it carries.
import { createServer, type Server, Socket } from 'node:net'

export interface Distance {
  /** Where the proxy leads to. */
  targetPort: number
  /** Half a round trip, in milliseconds. */
  oneWayMs: number
}

const LOOPBACK = '127.0.0.1'
/** Node's timers are late by up to this; the rest of the time is watched turn by turn. */
const TIMER_SLACK_MS = 2

/**
 * Listens on a port of its own; each chunk arrives `oneWayMs` after it was sent, in order, in both directions.
 * The near end takes itself for connected at once; what it sends counts as sent when a distant handshake would be over.
 */
export async function startDelayProxy({ targetPort, oneWayMs }: Distance): Promise<{ port: number; stop(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (near) => {
    const connectedAt = performance.now() + 2 * oneWayMs
    const far = new Socket().setNoDelay(true)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    const outwards = deliverLate(near, far, { oneWayMs, from: connectedAt })
    outwards(() => far.connect({ host: LOOPBACK, port: targetPort }))
    deliverLate(far, near, { oneWayMs, from: 0 })
  })
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve))
  return { port: portOf(server), stop: () => stop(server, sockets) }
}

/** An event of one end reaches the other later: data, the end of data, or the end of everything. */
function deliverLate(source: Socket, to: Socket, { oneWayMs, from }: { oneWayMs: number; from: number }) {
  const queue: { due: number; act: () => void }[] = []
  let waiting = false
  const run = (): void => {
    waiting = false
    while (queue[0] !== undefined && queue[0].due <= performance.now()) queue.shift()?.act()
    wait()
  }
  const wait = (): void => {
    const [next] = queue
    if (next === undefined || waiting) return
    waiting = true
    const left = next.due - performance.now()
    if (left > TIMER_SLACK_MS) setTimeout(run, left - TIMER_SLACK_MS)
    else setImmediate(run)
  }
  const later = (act: () => void): void => {
    queue.push({ due: Math.max(performance.now(), from) + oneWayMs, act })
    wait()
  }
  source.on('data', (chunk) => later(() => to.writable && to.write(chunk)))
  source.on('end', () => later(() => to.end()))
  source.on('close', () => later(() => to.destroy()))
  return later
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return address.port
}

function stop(server: Server, sockets: Iterable<Socket>): void {
  server.close()
  for (const socket of sockets) socket.destroy()
}
