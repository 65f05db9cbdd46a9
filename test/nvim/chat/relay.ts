// A way between two ends that a test can close, stop up and open again: a network with a mood.
import { connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Relay {
  port: number
  /** How many connections came. */
  readonly connections: number
  /** From now on nothing passes, in either direction, and nothing is closed: a cable that was pulled. */
  freeze(): void
  /** Lets everything pass again, also what was held back. */
  thaw(): void
  /** Refuses new connections and cuts those that are there. */
  close(): Promise<void>
  /** Listens again on the same port. */
  open(): Promise<void>
  /** Resolves when so many connections have come. */
  waitForConnections(count: number): Promise<void>
}

/** Starts a relay on loopback to a port on loopback; it ends with the test. */
export async function startRelay(target: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  const watchers = new Set<() => void>()
  let port = 0
  let connections = 0
  let isFrozen = false
  let server: Server | undefined
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (isFrozen) socket.pause()
  }
  const join = (from: Socket, to: Socket) => {
    from.on('data', (chunk) => {
      to.write(chunk)
    })
    from.on('close', () => to.destroy())
    // A pause is undone by the listener above.
    if (isFrozen) from.pause()
  }
  const relay: Relay = {
    get port() {
      return port
    },
    get connections() {
      return connections
    },
    freeze: () => {
      isFrozen = true
      for (const socket of sockets) socket.pause()
    },
    thaw: () => {
      isFrozen = false
      for (const socket of sockets) socket.resume()
    },
    close: async () => {
      const closing = server
      server = undefined
      if (!closing) return
      const closed = new Promise((resolve) => closing.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    open: async () => {
      server = createServer({ noDelay: true }, (inner) => {
        const outer = connect({ port: target, host: '127.0.0.1', noDelay: true })
        connections++
        for (const socket of [inner, outer]) keep(socket)
        join(inner, outer)
        join(outer, inner)
        for (const look of [...watchers]) look()
      })
      const opening = server
      await new Promise<void>((resolve, reject) => {
        opening.once('error', reject)
        opening.listen(port, '127.0.0.1', resolve)
      })
      port = (opening.address() as { port: number }).port
    },
    waitForConnections: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (connections < count) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),
  }
  await relay.open()
  onTestFinished(() => relay.close())
  return relay
}
