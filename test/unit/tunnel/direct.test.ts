// What becomes of connections without ssh when the network or the machine was away. The far end is a real server on loopback.
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DirectLink } from '../../../src/tunnel/direct.ts'
import { TunnelHttp } from '../../../src/tunnel/http/http.ts'
import { LinkWatch } from '../../../src/tunnel/link-watch.ts'
import { FakeClock, turn } from './fakes.ts'

const NOWHERE = { host: 'nowhere', port: 9 }

/** From one place nothing ever comes back, as from a machine that is gone. */
class TestLink extends DirectLink {
  override open(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    if (host !== NOWHERE.host) return super.open(host, port, signal)
    return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  }
}

const text = async (body: AsyncIterable<Uint8Array>) => {
  let all = ''
  for await (const chunk of body) all += Buffer.from(chunk).toString()
  return all
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error) => error,
  )

describe('a direct link', () => {
  const clock = { current: new FakeClock() }
  let server: HttpServer
  let connections = 0
  let asked: (string | undefined)[] = []
  /** Connections over which requests came. */
  const carriers = new Set<unknown>()
  let finish = () => {}

  beforeEach(async () => {
    clock.current = new FakeClock()
    connections = 0
    asked = []
    carriers.clear()
    server = createServer((request, response) => {
      carriers.add(request.socket)
      asked.push(request.url)
      if (request.url === '/never') return
      if (request.url === '/slow') {
        response.write('a')
        finish = () => response.end('b')
      } else response.end('ok')
    })
    server.on('connection', () => connections++)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  function start(place?: { host: string; port: number }) {
    const { port } = server.address() as AddressInfo
    const watch = new LinkWatch({ clock: clock.current, addresses: () => '' })
    const life = {
      place: place ?? { host: '127.0.0.1', port },
      clock: clock.current,
      watch,
      onDoubt: () => http.renew(),
    }
    const link = new TestLink({ life })
    const http: TunnelHttp = new TunnelHttp({ link, url: new URL(`http://127.0.0.1:${port}`) })
    const get = async (path = '/') => text((await http.request({ method: 'GET', path })).body)
    const end = async () => {
      http.close()
      link.close()
      await expect.poll(() => clock.current.sleepers).toBe(0)
    }
    return { http, link, get, end }
  }

  it('ends requests when the machine that should answer is not there any more', async () => {
    const { http, end } = start(NOWHERE)
    await text((await http.request({ method: 'GET', path: '/' })).body)
    const prompt = failure(http.request({ method: 'POST', path: '/never', body: {} }))
    await expect.poll(() => asked).toContain('/never')
    await clock.current.pass(500)
    await clock.current.pass(2_500)
    expect(await prompt).toMatchObject({
      code: 'API_UNAVAILABLE',
      message: 'nowhere:9 did not answer within 2.5 s when it was needed',
    })
    await end()
  })

  it('lets them go on when it is, though it is slow to answer', async () => {
    const { http, get, end } = start()
    await get()
    const slow = await http.request({ method: 'POST', path: '/slow', body: {} })
    const never = failure(http.request({ method: 'POST', path: '/never', body: {} }))
    await expect.poll(() => connections).toBe(2)
    await clock.current.pass(500)
    await expect.poll(() => connections).toBe(3)
    await clock.current.pass(2_500)
    finish()
    expect(await text(slow.body)).toBe('ab')
    await end()
    expect(await never).toMatchObject({ code: 'CANCELLED' })
  })

  it('takes no kept connection after the machine has slept, and leaves those that are in use', async () => {
    const { http, get, end } = start()
    const slow = await http.request({ method: 'POST', path: '/slow', body: {} })
    await get()
    await turn()
    await get()
    expect(carriers.size).toBe(2)
    await clock.current.pass(3_600_000)
    await get()
    expect(carriers.size).toBe(3)
    finish()
    expect(await text(slow.body)).toBe('ab')
    await end()
  })

  it('is watched only while it has connections', async () => {
    const { get, end } = start()
    expect(clock.current.sleepers).toBe(0)
    await get()
    expect(clock.current.sleepers).toBeGreaterThan(0)
    await end()
  })
})
