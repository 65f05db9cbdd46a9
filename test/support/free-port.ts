// Finds a port for a server that has to keep it over a restart.
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections: nobody takes one while its server is away. */
const PORTS = { first: 20_000, count: 12_000 }

/** A port of 127.0.0.1 that nobody listens on just now; another process may still be quicker. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!free) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
