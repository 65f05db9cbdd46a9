// HTTP over links that the test holds in its hands; the far end is a real server of Node on loopback.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { PluginError } from '../../../../src/core/errors.ts'
import { DirectLink } from '../../../../src/tunnel/direct.ts'
import { TunnelHttp } from '../../../../src/tunnel/http/http.ts'
import type { Link } from '../../../../src/tunnel/transport.ts'
import { FakeClock, turn } from '../fakes.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function backend(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const sockets: Socket[] = []
  const server: Server = createServer(answer)
  server.on('connection', (socket) => sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), sockets }
}

/** A direct link that counts, and that the test may make fail. */
class TestLink implements Link {
  readonly #direct = new DirectLink()
  opened: Duplex[] = []
  readied = 0
  failWith: unknown
  isHeldBack = false
  /** What the next channels fail with. */
  channelFailures: unknown[] = []
  answers = 0
  async ready(): Promise<void> {
    this.readied++
    if (this.failWith !== undefined) throw this.failWith
  }
  async open(host: string, port: number): Promise<Duplex> {
    if (this.isHeldBack) return new Promise(() => {})
    if (this.channelFailures.length > 0) throw this.channelFailures.shift()
    const stream = await this.#direct.open(host, port)
    this.opened.push(stream)
    return stream
  }
  answered(): void {
    this.answers++
  }
  close(): void {
    this.#direct.close()
  }
}

function client(url: URL) {
  const repeats: string[][] = []
  const link = new TestLink()
  const http = new TunnelHttp({ link, url, onRepeat: (path, why) => repeats.push([path, why]) })
  ends.push(() => {
    http.close()
    link.close()
  })
  return { http, link, repeats }
}

const text = async (body: AsyncIterable<Uint8Array>) => {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error) => error,
  )
const echo = (request: IncomingMessage, response: ServerResponse) => {
  let body = ''
  request.on('data', (chunk) => (body += chunk))
  request.on('end', () => response.end(JSON.stringify({ url: request.url, headers: request.headers, body })))
}

describe('http over a link', () => {
  it('sends JSON, with the host of the url', async () => {
    const { url } = await backend(echo)
    const { http } = client(url)
    const response = await http.request({ method: 'POST', path: '/api/chat', body: { a: 1 } })
    expect(response.status).toBe(200)
    expect(JSON.parse(await text(response.body))).toMatchObject({
      url: '/api/chat',
      body: '{"a":1}',
      headers: { host: url.host, 'content-type': 'application/json' },
    })
  })

  it('puts the path of the url before every path, and its name and password into a header', async () => {
    const { url } = await backend(echo)
    const { http } = client(new URL(`http://me:p%40ss@${url.host}/ollama/`))
    const answer = JSON.parse(await text((await http.request({ method: 'GET', path: '/api/tags?x=1' })).body))
    expect(answer.url).toBe('/ollama/api/tags?x=1')
    expect(answer.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`)
  })

  it('never heeds proxy variables', async () => {
    const { url } = await backend(echo)
    const before = process.env.http_proxy
    process.env.http_proxy = 'http://127.0.0.1:9'
    try {
      const { http } = client(url)
      expect((await http.request({ method: 'GET', path: '/' })).status).toBe(200)
    } finally {
      if (before === undefined) delete process.env.http_proxy
      else process.env.http_proxy = before
    }
  })

  it('passes on why the link is not to be had', async () => {
    const { http, link } = client(new URL('http://127.0.0.1:9'))
    link.failWith = new PluginError('SSH_AUTH_FAILED', 'no')
    expect(await failure(http.request({ method: 'GET', path: '/' }))).toBe(link.failWith)
    expect(link.readied).toBe(1)
  })

  it('asks again, once, when a kept channel was dead; but sends nothing twice that acts', async () => {
    let isDying = false
    let requests = 0
    const { url } = await backend((request, response) => {
      requests++
      if (isDying) request.socket.destroy()
      else response.end('ok')
    })
    const { http, repeats } = client(url)
    await text((await http.request({ method: 'GET', path: '/' })).body)
    await turn()
    isDying = true
    expect(await failure(http.request({ method: 'GET', path: '/' }))).toMatchObject({ code: 'API_INCOMPLETE' })
    expect(requests).toBe(3)
    expect(repeats).toEqual([['/', expect.stringMatching(/\S/)]])
    expect(await failure(http.request({ method: 'POST', path: '/' }))).toMatchObject({ code: 'API_INCOMPLETE' })
    expect(requests).toBe(4)
    isDying = false
    expect(await text((await http.request({ method: 'POST', path: '/' })).body)).toBe('ok')
  })

  it('sends again what acts when no channel came for it, over a link that is made ready anew, once', async () => {
    const bodies: string[] = []
    const { url } = await backend((request, response) => {
      request.on('data', (chunk) => bodies.push(String(chunk)))
      request.on('end', () => response.end('ok'))
    })
    const { http, link } = client(url)
    const lost = new PluginError('SSH_DISCONNECTED', 'gone')
    link.channelFailures = [lost]
    expect(await text((await http.request({ method: 'POST', path: '/api/chat', body: 1 })).body)).toBe('ok')
    expect([bodies, link.readied, link.answers]).toEqual([['1'], 2, 1])
    await turn()
    link.opened[0]?.destroy()
    link.channelFailures = [lost, lost]
    expect(await failure(http.request({ method: 'POST', path: '/api/chat', body: 2 }))).toBe(lost)
    expect([bodies, link.readied]).toEqual([['1'], 4])
    link.channelFailures = [new PluginError('SSH_FORWARDING_DENIED', 'no')]
    expect(await failure(http.request({ method: 'GET', path: '/' }))).toMatchObject({ code: 'SSH_FORWARDING_DENIED' })
    expect([link.readied, link.answers]).toEqual([5, 1])
  })

  it.each([
    ['what only asks', true, 2],
    ['never what acts', undefined, 1],
  ] as const)('sends again when the link dies under a request: %s', async (_, isSafe, times) => {
    let requests = 0
    const { url } = await backend((request, response) => {
      if (++requests === 1) link.opened[0]?.destroy(new PluginError('SSH_DISCONNECTED', 'gone'))
      else request.resume().on('end', () => response.end('ok'))
    })
    const { http, link } = client(url)
    const answer = http.request({ method: 'POST', path: '/api/show', body: {}, ...(isSafe ? { isSafe } : {}) })
    if (isSafe) expect((await answer).status).toBe(200)
    else expect(await failure(answer)).toMatchObject({ code: 'SSH_DISCONNECTED' })
    expect(requests).toBe(times)
  })

  it('rejects with the reason when it is aborted while a channel is awaited', async () => {
    const { http, link } = client(new URL('http://127.0.0.1:9'))
    link.isHeldBack = true
    const controller = new AbortController()
    const failing = failure(http.request({ method: 'POST', path: '/', signal: controller.signal }))
    await turn()
    const reason = new PluginError('CHAT_STOPPED', 'stopped')
    controller.abort(reason)
    expect(await failing).toBe(reason)
  })

  it('rejects with the reason when it is aborted before and while the answer comes', async () => {
    const { url } = await backend((_, response) => response.write('a'))
    const { http, link } = client(url)
    const reason = new Error('enough')
    expect(await failure(http.request({ method: 'GET', path: '/', signal: AbortSignal.abort(reason) }))).toBe(reason)
    const controller = new AbortController()
    const { body } = await http.request({ method: 'GET', path: '/', signal: controller.signal })
    const reading = failure(text(body))
    controller.abort(reason)
    expect(await reading).toBe(reason)
    await expect.poll(() => link.opened.at(-1)?.destroyed).toBe(true)
  })

  it('closes the channel when the reader leaves', async () => {
    const { url } = await backend((_, response) => response.write('a'))
    const { http, link } = client(url)
    const { body } = await http.request({ method: 'GET', path: '/' })
    for await (const _ of body) break
    await expect.poll(() => link.opened[0]?.destroyed).toBe(true)
  })

  it('tells SSH_DISCONNECTED from a server that broke off', async () => {
    const { url, sockets } = await backend((_, response) => response.write('a'))
    const { http, link } = client(url)
    const first = await http.request({ method: 'POST', path: '/' })
    const lost = new PluginError('SSH_DISCONNECTED', 'gone')
    const reading = failure(text(first.body))
    link.opened[0]?.destroy(lost)
    expect(await reading).toBe(lost)
    const second = await http.request({ method: 'POST', path: '/' })
    for (const socket of sockets) socket.destroy()
    expect(await failure(text(second.body))).toMatchObject({ code: 'API_INCOMPLETE' })
  })

  it('survives that nobody reads an answer that is cut', async () => {
    const { url } = await backend((_, response) => response.write('a'))
    const { http, link } = client(url)
    const { body } = await http.request({ method: 'GET', path: '/' })
    link.opened[0]?.destroy(new PluginError('SSH_DISCONNECTED', 'gone'))
    await turn()
    await turn()
    expect(await failure(text(body))).toMatchObject({ code: 'SSH_DISCONNECTED' })
  })

  it('knows what is no HTTP', async () => {
    const { url } = await backend((request) => request.socket.end('SSH-2.0-OpenSSH\r\n'))
    const { http } = client(url)
    expect(await failure(http.request({ method: 'GET', path: '/' }))).toMatchObject({ code: 'API_PROTOCOL' })
  })

  it('says so when https meets http', async () => {
    const { url } = await backend(echo)
    const { http } = client(new URL(`https://${url.host}`))
    expect(await failure(http.request({ method: 'POST', path: '/' }))).toMatchObject({ code: 'API_UNAVAILABLE' })
  })

  it('ends all requests when it is closed, twice if need be', async () => {
    const { url } = await backend((request, response) => {
      if (request.url === '/stream') response.write('a')
    })
    const { http } = client(url)
    const { body } = await http.request({ method: 'POST', path: '/stream' })
    const waiting = failure(http.request({ method: 'POST', path: '/never' }))
    const reading = failure(text(body))
    await turn()
    http.close()
    http.close()
    expect(await waiting).toMatchObject({ code: 'CANCELLED' })
    expect(await reading).toMatchObject({ code: 'CANCELLED' })
    expect(await failure(http.request({ method: 'GET', path: '/' }))).toMatchObject({ code: 'CANCELLED' })
  })
})

describe('a direct link', () => {
  it('is back when the server accepts connections, which is tried at growing intervals while somebody waits', async () => {
    const { url } = await backend(echo)
    const link = new DirectLink()
    const clock = new FakeClock()
    const random = () => 0.5
    const signal = new AbortController().signal
    await link.whenBack({ host: '127.0.0.1', port: Number(url.port) }, { clock, random }, signal)
    const reason = new Error('enough')
    const leaving = new AbortController()
    const waiting = failure(link.whenBack({ host: '127.0.0.1', port: 9 }, { clock, random }, leaving.signal))
    await expect.poll(() => clock.sleepers).toBe(1)
    await clock.pass(250)
    await expect.poll(() => clock.sleepers).toBe(1)
    leaving.abort(reason)
    expect([await waiting, clock.sleepers]).toEqual([reason, 0])
    link.close()
    expect(await failure(link.whenBack({ host: '127.0.0.1', port: 9 }, { clock, random }, signal))).toMatchObject({
      code: 'CANCELLED',
    })
  })

  it('says so when nothing listens', async () => {
    const link = new DirectLink()
    expect(await failure(link.open('127.0.0.1', 9))).toMatchObject({
      code: 'API_UNAVAILABLE',
      hint: expect.stringContaining('Ollama'),
    })
    expect(await failure(link.open('no-such-host.invalid', 9))).toMatchObject({ code: 'API_UNAVAILABLE' })
  })

  it('can be aborted and closed', async () => {
    const { url } = await backend(echo)
    const link = new DirectLink()
    const reason = new Error('enough')
    const port = Number(url.port)
    expect(await failure(link.open('127.0.0.1', port, AbortSignal.abort(reason)))).toBe(reason)
    const controller = new AbortController()
    const opening = failure(link.open('127.0.0.1', port, controller.signal))
    controller.abort(reason)
    expect(await opening).toBe(reason)
    const stream = await link.open('127.0.0.1', port)
    link.close()
    link.close()
    expect(stream.destroyed).toBe(true)
    expect(await failure(link.open('127.0.0.1', port))).toMatchObject({ code: 'CANCELLED' })
  })
})
