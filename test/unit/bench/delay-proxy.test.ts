import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { startDelayProxy } from '../../../bench/delay-proxy.ts'

const ONE_WAY_MS = 15

it('holds each direction back, keeps the order, and counts a distant handshake', async () => {
  const server = createServer((socket) => void socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: targetPort } = server.address() as { port: number }
  const proxy = await startDelayProxy({ targetPort, oneWayMs: ONE_WAY_MS })
  const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true })
  try {
    const began = performance.now()
    const texts = ['one', 'two', 'three']
    const echoed = echo(socket, texts.join(''))
    for (const text of texts) socket.write(text)
    expect(await echoed).toBe(texts.join(''))
    expect(performance.now() - began).toBeGreaterThanOrEqual(4 * ONE_WAY_MS)
    const again = performance.now()
    const second = echo(socket, 'again')
    socket.write('again')
    await second
    expect(performance.now() - again).toBeGreaterThanOrEqual(2 * ONE_WAY_MS)
  } finally {
    socket.destroy()
    proxy.stop()
    server.close()
  }
})

async function echo(socket: ReturnType<typeof connect>, wanted: string): Promise<string> {
  let text = ''
  while (text.length < wanted.length) text += String((await once(socket, 'data'))[0])
  return text
}
