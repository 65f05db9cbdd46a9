// The life of a connection through a real sshd over a network with faults: who notices, when, and what is sent again.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { LinkWatch } from '../../../src/tunnel/link-watch.ts'
import type { LinkStatus } from '../../../src/tunnel/transport.ts'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { leftBehind, resources } from '../../support/resources.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import { FakeClock } from '../../unit/tunnel/fakes.ts'
import { type Backend, failureOf, get, openRig, type RigOptions, startBackend, text } from './tunnel-rig.ts'

const never = new AbortController().signal

describeWithSshd('the life of a connection', (openssh) => {
  let sshd: Sshd
  let backend: Backend
  let folder: string

  beforeAll(async () => {
    sshd = await startSshd({ openssh, config: ['MaxStartups 100'] })
    backend = await startBackend()
    folder = mkdtempSync(join(tmpdir(), 'life-'))
  })
  afterAll(async () => {
    await backend.stop()
    await sshd.stop()
    rmSync(folder, { recursive: true })
  })

  /** A server behind a network of the test's own; all of it ends with the test. */
  async function start(options: Partial<RigOptions> = {}) {
    const proxy = await startFaultProxy({ target: sshd.port })
    const watchers = new Set<() => void>()
    const statuses: LinkStatus[] = []
    const onStatus = (_name: string, status: LinkStatus) => {
      statuses.push(status)
      for (const look of watchers) look()
    }
    const { host, user } = sshd
    const rig = await openRig({
      ...{ folder, host, user, backend, port: proxy.port, identityFile: sshd.clientKey.path },
      knownHosts: `[127.0.0.1]:${proxy.port} ${sshd.hostKey.publicLine}`,
      ...options,
      more: { onStatus, ...options.more },
    })
    onTestFinished(async () => {
      rig.server.close()
      await proxy.stop()
    })
    const reached = (state: LinkStatus['state']) =>
      new Promise<LinkStatus>((resolve) => {
        const look = () => {
          const found = statuses.find((status) => status.state === state)
          if (found) resolve(found)
        }
        watchers.add(look)
        look()
      })
    return { ...rig, proxy, statuses, reached }
  }

  const goDark = (proxy: FaultProxy) => proxy.set({ dark: 'both' })
  const post = (server: { http: Awaited<ReturnType<typeof start>>['server']['http'] }, path = '/echo') =>
    server.http.request({ method: 'POST', path, body: { n: 1 } })

  test('a prompt that is sent into a dead link fails within 3 s, and is not sent again by itself', async () => {
    const { server, proxy } = await start()
    await get(server)
    const before = backend.requests.length
    goDark(proxy)
    const since = performance.now()
    expect(await failureOf(post(server))).toMatchObject({
      code: 'SSH_DISCONNECTED',
      message: expect.stringContaining('did not answer within 2.5 s when it was needed'),
    })
    expect(performance.now() - since).toBeLessThan(5_000)
    // What the network holds back is not to arrive late.
    proxy.cut()
    await proxy.mend()
    expect((await post(server)).status).toBe(200)
    expect(backend.requests.length - before).toBe(1)
  })

  test('a request that only asks is answered though the link died under it', async () => {
    const { server, proxy, reached } = await start()
    await get(server)
    goDark(proxy)
    const asking = get(server)
    const showing = server.http.request({ method: 'POST', path: '/echo', body: {}, isSafe: true })
    await reached('lost')
    await proxy.mend()
    expect(JSON.parse(await asking)).toMatchObject({ path: '/echo' })
    expect((await showing).status).toBe(200)
  })

  test('after an hour of sleep the link is asked first, and a prompt goes over a new one, once', async () => {
    const clock = new FakeClock()
    const { server, proxy, reached } = await start({ more: { watch: new LinkWatch({ clock, addresses: () => '' }) } })
    await get(server)
    const before = backend.requests.length
    goDark(proxy)
    const since = performance.now()
    await clock.pass(3_600_000)
    const prompt = post(server)
    expect((await reached('lost')).error?.message).toContain('did not answer within 2.5 s after waking')
    expect(performance.now() - since).toBeLessThan(5_000)
    await proxy.mend()
    expect((await prompt).status).toBe(200)
    expect(backend.requests.length - before).toBe(1)
  })

  test('a link that survived the sleep goes on, and its round trip is known', async () => {
    const clock = new FakeClock()
    const { server, proxy, statuses } = await start({
      more: { watch: new LinkWatch({ clock, addresses: () => '' }) },
    })
    await get(server)
    proxy.set({ oneWayMs: 20 })
    await clock.pass(3_600_000)
    expect((await post(server)).status).toBe(200)
    expect(statuses.at(-1)?.state).toBe('ready')
    expect(server.status().roundTripMs).toBeGreaterThanOrEqual(40)
    expect(server.status().roundTripMs).toBeLessThan(1_000)
    expect(await server.measure(never)).toBeGreaterThanOrEqual(40)
  })

  test('a healthy idle link is heard often enough never to be suspected', async () => {
    const { server, proxy, log } = await start({ more: { timeouts: { keepaliveInterval: 200 } } })
    await get(server)
    const before = proxy.carried.down
    await proxy.waitUntil(() => proxy.carried.down > before)
    expect((await post(server)).status).toBe(200)
    expect(log()).not.toContain('lost')
  })

  test('a link that goes dark in mid-answer is lost after the keep-alive, and back when the network is', async () => {
    const { server, proxy, reached } = await start({ more: { timeouts: { keepaliveInterval: 200 } } })
    const { body } = await post(server, '/stream')
    const chunks = body[Symbol.asyncIterator]()
    await chunks.next()
    goDark(proxy)
    const since = performance.now()
    const end = await failureOf(
      (async () => {
        while (!(await chunks.next()).done);
      })(),
    )
    expect(end).toMatchObject({ code: 'SSH_DISCONNECTED', message: expect.stringContaining('nothing came back') })
    expect(performance.now() - since).toBeLessThan(5_000)
    expect((await reached('lost')).error?.code).toBe('SSH_DISCONNECTED')
    await proxy.refuse()
    const back = server.whenBack(never)
    await reached('waiting')
    await proxy.mend()
    await back
    expect(server.status().state).toBe('ready')
    await get(server)
  })

  test('a connection that is half open is lost at once', async () => {
    const { server, proxy } = await start()
    const { body } = await post(server, '/stream')
    const reading = failureOf(text(body))
    proxy.halfClose()
    expect(await reading).toMatchObject({ code: 'SSH_DISCONNECTED' })
    await get(server)
  })

  test('a channel that is never confirmed ends with the link that is dead', async () => {
    const { server, proxy, reached } = await start()
    await server.connect()
    const before = backend.requests.length
    goDark(proxy)
    const since = performance.now()
    const prompt = post(server)
    await reached('lost')
    expect(performance.now() - since).toBeLessThan(5_000)
    await proxy.mend()
    // No channel had come for it, so no byte can have left.
    expect((await prompt).status).toBe(200)
    expect(backend.requests.length - before).toBe(1)
  })

  test('nothing is left behind, whatever was going on when it was closed', async () => {
    await get((await start()).server)
    const before = resources()
    const proxies: FaultProxy[] = []
    for (const going of ['idle', 'streaming', 'dark', 'connecting', 'waiting', 'asked'] as const) {
      const { server, proxy, reached } = await start()
      proxies.push(proxy)
      if (going === 'connecting') proxy.door = 'mute'
      if (going === 'waiting') await proxy.refuse()
      const life = new AbortController()
      const over: Promise<unknown>[] = []
      if (going === 'waiting') {
        over.push(server.whenBack(life.signal).catch(() => {}))
        await reached('waiting')
      } else if (going === 'connecting') {
        over.push(get(server).catch(() => {}))
        await proxy.waitUntil(() => proxy.connections.total > 0)
      } else {
        await get(server)
        if (going === 'streaming') over.push(text((await post(server, '/stream')).body).catch(() => {}))
        if (going === 'dark' || going === 'asked') goDark(proxy)
        if (going === 'dark') over.push(get(server).catch(() => {}))
        if (going === 'asked') over.push(server.measure(never).catch(() => {}))
      }
      server.close()
      await Promise.all(over)
      await proxy.stop()
    }
    await expect.poll(() => leftBehind(before), { timeout: 8_000, interval: 50 }).toEqual({})
  })
})
