import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A server that sends everything back, the proxy before it, and a client through it. */
async function setUp(): Promise<{ proxy: FaultProxy; served: Socket[]; client(): Promise<Client> }> {
  const served: Socket[] = []
  const server = createServer((socket) => {
    served.push(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await startFaultProxy({ target: (server.address() as { port: number }).port })
  ends.push(
    () => server.close(),
    () => proxy.stop(),
  )
  return {
    proxy,
    served,
    client: async () => {
      const socket = connect({ port: proxy.port, host: proxy.host, noDelay: true })
      ends.push(() => socket.destroy())
      const client = new Client(socket)
      await once(socket, 'connect')
      return client
    },
  }
}

class Client {
  readonly socket: Socket
  text = ''
  /** How it ended: its error's code, or `end`. */
  readonly ended: Promise<string>

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      this.text += bytes
    })
    this.ended = new Promise((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      socket.once('end', () => resolve('end'))
    })
  }

  async echo(text: string): Promise<void> {
    const wanted = this.text + text
    this.socket.write(text)
    while (this.text !== wanted) await once(this.socket, 'data')
  }
}

describe('the proxy of faults', () => {
  it('carries what passes, and counts it', async () => {
    const { proxy, client } = await setUp()
    const one = await client()
    await one.echo('hello')
    expect(proxy.carried).toEqual({ up: 5, down: 5 })
    expect(proxy.connections).toEqual({ open: 1, total: 1 })
    one.socket.end()
    expect(await one.ended).toBe('end')
    await proxy.waitUntil(() => proxy.connections.open === 0)
  })

  it('cuts after exactly so many bytes', async () => {
    const { proxy, client } = await setUp()
    const one = await client()
    await one.echo('hello')
    proxy.after('down', 3, () => proxy.cut('fin'))
    one.socket.write('world')
    expect(await one.ended).toBe('end')
    expect(one.text).toBe('hellowor')
  })

  it('resets both ends', async () => {
    const { proxy, served, client } = await setUp()
    const one = await client()
    await one.echo('hello')
    const other = once(served[0] as Socket, 'error')
    proxy.cut()
    expect(await one.ended).toBe('ECONNRESET')
    expect(String(await other)).toContain('ECONNRESET')
  })

  it.each(['up', 'down', 'both'] as const)(
    'holds back what goes %s in the dark, and lets it pass after',
    async (dark) => {
      const { proxy, client } = await setUp()
      const one = await client()
      await one.echo('hello')
      proxy.set({ dark })
      one.socket.write('world')
      if (dark === 'down') await proxy.waitUntil(() => proxy.carried.up === 10)
      else await new Promise((resolve) => setTimeout(resolve, 30))
      expect(proxy.carried).toEqual({ up: dark === 'down' ? 10 : 5, down: 5 })
      await proxy.mend()
      await proxy.waitUntil(() => proxy.carried.down === 10)
    },
  )

  it('passes no end in the dark', async () => {
    const { proxy, served, client } = await setUp()
    const one = await client()
    await one.echo('hello')
    proxy.set({ dark: 'both' })
    one.socket.destroy()
    await proxy.waitUntil(() => proxy.connections.open === 0)
    expect(served[0]?.readyState).toBe('open')
    const closed = once(served[0] as Socket, 'close')
    await proxy.mend()
    await closed
  })

  it('puts a distance and a narrow way between the ends', async () => {
    const { proxy, client } = await setUp()
    const one = await client()
    proxy.set({ oneWayMs: 15 })
    const began = performance.now()
    await one.echo('hello')
    expect(performance.now() - began).toBeGreaterThanOrEqual(30)
    await proxy.mend()
    proxy.set({ bytesPerSecond: 10_000 })
    const again = performance.now()
    await one.echo('x'.repeat(500))
    expect(performance.now() - again).toBeGreaterThanOrEqual(100)
  })

  it('refuses, and listens again on the same port', async () => {
    const { proxy, client } = await setUp()
    const one = await client()
    await proxy.refuse()
    await expect(client()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await one.echo('still here')
    await proxy.mend()
    await (await client()).echo('again')
  })

  it('opens no door but what it is told', async () => {
    const { proxy, served, client } = await setUp()
    proxy.door = { says: 'HTTP/1.1 400' }
    const one = await client()
    await once(one.socket, 'data')
    expect(one.text).toBe('HTTP/1.1 400')
    proxy.door = 'ended'
    expect(await (await client()).ended).toBe('end')
    proxy.door = 'mute'
    const quiet = await client()
    await proxy.waitUntil(() => proxy.connections.total === 3)
    expect(served).toEqual([])
    quiet.socket.destroy()
  })

  it('closes one half only', async () => {
    const { proxy, served, client } = await setUp()
    const one = await client()
    await one.echo('hello')
    proxy.halfClose()
    expect(await one.ended).toBe('end')
    expect(served[0]?.destroyed).toBe(false)
  })
})
