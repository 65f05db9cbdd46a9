import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../../../src/core/clock.ts'
import { DirectLink } from '../../../../src/tunnel/direct.ts'
import { detourFrom } from '../../../../src/tunnel/http/detour.ts'
import { TunnelWeb, type WebOptions } from '../../../../src/tunnel/http/web.ts'
import type { Link } from '../../../../src/tunnel/transport.ts'
import { contents, manifestOf } from '../../../support/registry-double/published.ts'
import { type RegistryDouble, startRegistryDouble } from '../../../support/registry-double/registry-double.ts'
import { FakeClock } from '../fakes.ts'

const MANIFEST = manifestOf(contents('a'))
const URL_OF = 'https://ollama.com/v2/library/a/manifests/latest'

let registry: RegistryDouble
beforeAll(async () => {
  registry = await startRegistryDouble()
  registry.publish('library/a/latest', { published: MANIFEST, pushed: 1_000 })
  registry.publish('library/silent/latest', { answers: 'silent' })
})
afterAll(() => registry.stop())

function open(options: Partial<WebOptions> = {}) {
  const web = new TunnelWeb({ clock: systemClock, detour: registry.detour, ...options })
  onTestFinished(() => web.close())
  const ask = (url = URL_OF, method: 'GET' | 'HEAD' = 'GET', signal = new AbortController().signal) =>
    web.request({ method, url: new URL(url), signal })
  return { web, ask }
}

/** Asks over TLS that a link carries, as one of a server does. */
function byLink(): { link: Link; opened: string[] } {
  const direct = new DirectLink()
  onTestFinished(() => direct.close())
  const opened: string[] = []
  const link: Link = {
    ready: async () => {},
    open: (host, port, signal) => {
      opened.push(`${host}:${port}`)
      return direct.open(host, port, signal)
    },
    close: () => {},
  }
  return { link, opened }
}

describe.each(['here', 'a server'])('the web from %s', (from) => {
  const options = () => (from === 'here' ? {} : { link: byLink().link })

  it('gives status, headers and the exact bytes', async () => {
    const { ask } = open(options())
    const answer = await ask()
    expect([answer.status, answer.headers['ollama-push-time']]).toEqual([200, '1000'])
    expect(Buffer.from(answer.body)).toEqual(MANIFEST.bytes)
    const head = await ask(URL_OF, 'HEAD')
    expect([head.status, head.headers['ollama-content-digest'], head.body.length]).toEqual([200, MANIFEST.digest, 0])
  })

  it('keeps its connection for the next request', async () => {
    const { ask } = open(options())
    await ask()
    const before = registry.connections
    await ask()
    await ask(URL_OF, 'HEAD')
    expect(registry.connections).toBe(before)
  })

  it('refuses the certificate of another host, and one that nobody vouches for', async () => {
    const wrong = await startRegistryDouble({ certifiedHosts: ['evil.example'] })
    onTestFinished(() => wrong.stop())
    const { ask } = open({ ...options(), detour: wrong.detour })
    await expect(ask()).rejects.toMatchObject({
      ...{ code: 'REGISTRY_UNREACHABLE', message: 'its certificate is that of another host' },
    })
    const unknown = open({ ...options(), detour: { ...registry.detour, authorities: [] } })
    await expect(unknown.ask()).rejects.toThrow('nobody who is trusted vouches for its certificate')
    expect(wrong.requests).toEqual([])
  })

  it('refuses it though the environment would have every certificate trusted', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { ask } = open({ ...options(), detour: { ...registry.detour, authorities: [] } })
    await expect(ask()).rejects.toThrow('nobody who is trusted vouches for its certificate')
  })

  it('gives a silent host up after 5 s, and at once what nobody waits for', async () => {
    const clock = new FakeClock()
    const { ask } = open({ ...options(), clock })
    const outcome = ask('https://ollama.com/v2/library/silent/manifests/latest').catch((error) => error)
    await vi.waitFor(() => expect(registry.requests.at(-1)?.path).toContain('silent'))
    await clock.pass(5_000)
    expect(await outcome).toMatchObject({ code: 'REGISTRY_UNREACHABLE', message: 'it did not answer in 5 s' })
    const leave = new AbortController()
    const left = ask('https://ollama.com/v2/library/silent/manifests/latest', 'GET', leave.signal)
    leave.abort(new Error('Nobody waits'))
    await expect(left).rejects.toThrow('Nobody waits')
    expect(clock.sleepers).toBe(0)
  })

  it('ends what runs when it is closed', async () => {
    const { ask, web } = open(options())
    const outcome = ask('https://ollama.com/v2/library/silent/manifests/latest')
    web.close()
    await expect(outcome).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('says why a host cannot be reached', async () => {
    const places = { 'ollama.com:443': { host: '127.0.0.1', port: 1 } }
    const { ask } = open({ ...options(), detour: { places, authorities: [] } })
    const why = from === 'here' ? 'it refuses connections' : 'Nothing listens on 127.0.0.1:1'
    await expect(ask()).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE', message: why })
  })

  it('reads no answer without end', async () => {
    const endless = createServer((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024)
      const more = () => {
        while (!response.destroyed && response.write(chunk)) {}
      }
      response.on('drain', more)
      more()
    })
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void endless.close())
    const { ask } = open(options())
    await expect(ask(`http://127.0.0.1:${(endless.address() as AddressInfo).port}/`)).rejects.toMatchObject({
      ...{ code: 'API_PROTOCOL', message: expect.stringMatching(/sent more than a sensible answer$/) },
    })
    endless.closeAllConnections()
  })
})

it('from a server goes through its link alone, whatever proxies the environment names', async () => {
  vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1')
  onTestFinished(() => void vi.unstubAllEnvs())
  const { link, opened } = byLink()
  expect((await open({ link }).ask()).status).toBe(200)
  expect(opened).toEqual([`127.0.0.1:${registry.detour.places['ollama.com:443']?.port}`])
})

describe('the proxies of the environment', () => {
  async function startProxy(): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = []
    const { places } = registry.detour
    const proxy = createServer()
    proxy.on('connect', ({ url = '' }, client) => {
      asked.push(url)
      const upstream = connect(places[url] ?? { host: '127.0.0.1', port: 1 }, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        upstream.pipe(client).pipe(upstream)
      })
      upstream.on('error', () => client.destroy())
      client.on('error', () => upstream.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      proxy.close()
      proxy.closeAllConnections()
    })
    return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked }
  }

  it('are gone through from here, with TLS to the registry itself, but for hosts that NO_PROXY names', async () => {
    const { url, asked } = await startProxy()
    vi.stubEnv('HTTPS_PROXY', url)
    vi.stubEnv('NO_PROXY', 'hf.co')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { ask } = open()
    expect((await ask()).status).toBe(200)
    expect((await ask('https://hf.co/v2/library/a/manifests/latest')).status).toBe(200)
    expect(asked).toEqual(['ollama.com:443'])
    const unknown = open({ detour: { ...registry.detour, authorities: [] } })
    await expect(unknown.ask()).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' })
  })

  it('that cannot be understood are said to be the reason', async () => {
    vi.stubEnv('HTTPS_PROXY', 'nonsense')
    onTestFinished(() => void vi.unstubAllEnvs())
    await expect(open().ask()).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' })
  })
})

it('a detour that cannot be understood leads nowhere at all', () => {
  expect(detourFrom(undefined)).toBeUndefined()
  expect(detourFrom(registry.environment.OLLAMA_REMOTE_TEST_WEB)).toEqual(registry.detour)
  expect(() => detourFrom('{"places":')).toThrow()
  expect(() => detourFrom('{"places":{}}')).toThrow()
})
