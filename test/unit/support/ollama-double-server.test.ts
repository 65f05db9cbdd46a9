// The double of Ollama as a server: slots, queues, loading, routes, refusals, its life. Answers are in ollama-double.test.ts.
import { describe, expect, test } from 'vitest'
import { paced } from '../../support/ollama-double/clock.ts'
import { manualClock } from '../../support/ollama-double/manual-clock.ts'
import type { OllamaDouble } from '../../support/ollama-double/ollama-double.ts'
import { exchangeRaw, type RawRequest, readAll, sendRaw } from '../../support/ollama-double/raw-client.ts'
import { contextExceeded, RUNNER_STOPPED, SERVER_BUSY } from '../../support/ollama-double/refusals.ts'
import { chat, contentOf, JSON_TYPE, lines, start } from './ollama-double-rig.ts'

describe('cancel, queue and load', () => {
  test('one slot: the second waits in silence and runs when the first is cancelled', async () => {
    const double = await start()
    double.script({ pieces: ['first'], ending: 'stall' })
    double.script({ pieces: ['second'] })
    const first = sendRaw(double.port, chat())
    await new Promise((resolve) => first.once('data', resolve))
    const second = exchangeRaw(double.port, chat())
    await double.waitUntil(() => double.queuedGenerations === 1)
    expect([double.activeGenerations, double.requests.length]).toEqual([1, 2])
    first.destroy()
    expect(contentOf(await second)).toBe('second')
    await double.waitForIdle()
    expect(double.cancelled).toBe(1)
  })

  test('a client that leaves the queue does not disturb it; half-closing counts as leaving', async () => {
    const double = await start()
    double.script({ pieces: ['first'], ending: 'stall' })
    const first = sendRaw(double.port, chat())
    await double.waitUntil(() => double.activeGenerations === 1)
    const second = sendRaw(double.port, chat())
    await double.waitUntil(() => double.queuedGenerations === 1)
    second.destroy()
    await double.waitForDisconnect(1)
    expect([double.activeGenerations, double.queuedGenerations]).toEqual([1, 0])
    first.resume().end()
    await double.waitForDisconnect(2)
    expect(double.activeGenerations).toBe(0)
  })

  test('two slots run two at once', async () => {
    const double = await start({ parallel: 2, behaviour: { pieces: ['x'], ending: 'stall' } })
    const sockets = [sendRaw(double.port, chat()), sendRaw(double.port, chat())]
    await double.waitUntil(() => double.activeGenerations === 2)
    for (const socket of sockets) socket.destroy()
    await double.waitForDisconnect(2)
  })

  test('a disconnect during the load throws it away; the next attempt loads from zero', async () => {
    const clock = manualClock()
    const double = await start({ loadMs: 1_000, clock, behaviour: { pieces: ['x'] } })
    const ps = async (): Promise<number> =>
      JSON.parse((await exchangeRaw(double.port, { path: '/api/ps' })).body).models.length
    const first = sendRaw(double.port, chat())
    await double.waitUntil(() => clock.timers === 1)
    clock.advance(900)
    expect(await ps()).toBe(0)
    first.destroy()
    await double.waitForDisconnect()
    expect(clock.timers).toBe(0)
    const second = exchangeRaw(double.port, chat())
    await double.waitUntil(() => clock.timers === 1)
    clock.advance(999)
    expect([clock.timers, await ps()]).toEqual([1, 0])
    clock.advance(1)
    expect(lines(await second).at(-1)).toMatchObject({ done: true, load_duration: 1e9 })
    expect(await ps()).toBe(1)
  })

  test('the old era lists a model that still loads', async () => {
    const double = await start({ era: 'old', loadMs: 60_000 })
    const socket = sendRaw(double.port, chat())
    await double.waitUntil(() => double.activeGenerations === 1)
    const reply = await exchangeRaw(double.port, { path: '/api/ps' })
    expect(Object.keys(JSON.parse(reply.body).models[0])).not.toContain('context_length')
    socket.destroy()
    await double.waitForDisconnect()
  })

  test('keep_alive: forever shows a year 23xx; a duration expires; 0 unloads after the reply', async () => {
    const clock = manualClock()
    const double = await start({ clock, behaviour: { pieces: ['x'] } })
    const loaded = async (): Promise<{ expires_at: string }[]> =>
      JSON.parse((await exchangeRaw(double.port, { path: '/api/ps' })).body).models
    await exchangeRaw(double.port, chat({ keep_alive: -1 }))
    expect((await loaded())[0]?.expires_at).toMatch(/^23\d\d-.*\+02:00$/)
    await exchangeRaw(double.port, chat({ keep_alive: '10m' }))
    clock.advance(10 * 60_000)
    expect(await loaded()).toEqual([])
    await exchangeRaw(double.port, chat({ keep_alive: 0 }))
    expect(await loaded()).toEqual([])
    expect((await exchangeRaw(double.port, chat({ keep_alive: '10' }))).body).toBe(
      '{"error":"time: missing unit in duration \\"10\\""}',
    )
  })

  test('20,000 unbounded tokens arrive whole; an endless answer stops with its client', async () => {
    const double = await start()
    double.script({ pieces: Array.from({ length: 20_000 }, (_, index) => `t${index} `) })
    const reply = await exchangeRaw(double.port, chat())
    expect(lines(reply).at(-1)).toMatchObject({ done: true, eval_count: 20_000 })
    expect(contentOf(reply).split(' ')[19_999]).toBe('t19999')
    double.script({ pieces: endless() })
    const socket = sendRaw(double.port, chat())
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    await double.waitForDisconnect()
    expect(double.activeGenerations).toBe(0)
  })

  test('pacing does not drift, and passes several tokens per tick', async () => {
    const clock = manualClock()
    const seen: number[] = []
    const signal = new AbortController().signal
    const run = (async () => {
      for await (const index of paced([...Array(10).keys()], 5_000, clock, signal)) seen.push(index)
    })()
    await new Promise(setImmediate)
    while (clock.timers > 0) {
      clock.advance(1)
      await new Promise(setImmediate)
    }
    await run
    expect(clock.now()).toBe(2)
    expect(seen).toHaveLength(10)
  })
})

describe('routes and refusals', () => {
  const plain = async (double: OllamaDouble, request: RawRequest): Promise<[number, string | undefined, string]> => {
    const reply = await exchangeRaw(double.port, request)
    return [reply.status, /Content-Type: (.*)/.exec(reply.head)?.[1], reply.body]
  }

  test('unknown paths, wrong methods and HEAD', async () => {
    const double = await start()
    expect(await plain(double, { path: '/nope' })).toEqual([404, 'text/plain', '404 page not found'])
    expect(await plain(double, { path: '/api/chat' })).toEqual([405, 'text/plain', '405 method not allowed'])
    expect(await plain(double, { path: '/api/ps', method: 'HEAD' })).toEqual([405, 'text/plain', ''])
    expect(await plain(double, { path: '/api/tags', method: 'HEAD' })).toMatchObject([200, JSON_TYPE.slice(14), ''])
    double.version = '0.6.2'
    expect(await plain(double, { path: '/api/chat' })).toEqual([404, 'text/plain', '404 page not found'])
    expect((await plain(double, { path: '/api/version?x=1' }))[2]).toBe('{"version":"0.6.2"}')
  })

  test.each([
    ['', 'missing request body'],
    ['xyz', "invalid character 'x' looking for beginning of value"],
    ['{"model":"de', 'unexpected EOF'],
    ['{model:1}', "invalid character 'm' looking for beginning of object key string"],
    ['{"model":1}', 'json: cannot unmarshal number into Go struct field ChatRequest.model of type string'],
    ['{}', 'model is required'],
    ['{"model":"demo","think":true}', '"demo" does not support thinking'],
    ['{"model":"demo","tools":[{}]}', 'registry.ollama.ai/library/demo:latest does not support tools'],
    ['{"model":"demo-embed"}', '"demo-embed" does not support chat'],
  ])('the body %j is refused', async (body, error) => {
    const reply = await plain(await start(), { path: '/api/chat', method: 'POST', body })
    expect(reply).toEqual([400, JSON_TYPE.slice(14), JSON.stringify({ error })])
  })

  test('think:false is harmless now, and was refused once', async () => {
    expect((await plain(await start(), chat({ think: false })))[0]).toBe(200)
    expect((await plain(await start({ era: 'old' }), chat({ think: false })))[0]).toBe(400)
  })

  test('scripted refusals: busy, a stopped runner, an exceeded context', async () => {
    const double = await start()
    double.script({ refusal: SERVER_BUSY })
    double.script({ refusal: RUNNER_STOPPED })
    double.script(() => ({ refusal: contextExceeded(42947, 8192) }))
    expect(await plain(double, chat())).toEqual([
      503,
      'application/json; charset=utf-8',
      '{"error":"server busy, please try again.  maximum pending requests exceeded"}',
    ])
    expect(await plain(double, chat())).toMatchObject([500, 'application/json', expect.any(String)])
    const nested = await plain(double, chat())
    expect(nested.slice(0, 2)).toEqual([400, 'application/json'])
    expect(JSON.parse(JSON.parse(nested[2]).error).error).toMatchObject({ n_ctx: 8192, n_prompt_tokens: 42947 })
  })

  test('the Host and Origin checks', async () => {
    const double = await start()
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await exchangeRaw(double.port, { path: '/', headers })).status
    for (const Host of ['localhost:1', '127.0.0.1', '[::1]:11434', '192.168.1.2:80', 'gpu.local', 'a.localhost', '']) {
      expect([Host, await status({ Host })]).toEqual([Host, 200])
    }
    for (const Host of ['example.com', '8.8.8.8', 'localhost.example.com']) {
      expect([Host, await status({ Host })]).toEqual([Host, 403])
    }
    expect(await status({ Origin: 'null' })).toBe(403)
    const refused = await exchangeRaw(double.port, { path: '/api/tags', headers: { Host: 'example.com' } })
    expect([refused.body, refused.head.includes('Content-Type')]).toEqual(['', false])
    const open = await start({ checkHost: false })
    expect((await exchangeRaw(open.port, { path: '/', headers: { Host: 'example.com' } })).status).toBe(200)
  })

  test('tags and show, in both eras', async () => {
    const tags = async (double: OllamaDouble): Promise<Record<string, unknown>[]> =>
      JSON.parse((await exchangeRaw(double.port, { path: '/api/tags' })).body).models
    const current = await start()
    const [newest] = await tags(current)
    expect(newest).toMatchObject({
      name: 'demo:latest',
      capabilities: ['completion'],
      details: { context_length: 32768 },
    })
    expect(newest?.digest).toMatch(/^[0-9a-f]{64}$/)
    expect(newest?.modified_at).toMatch(/\+02:00$/)
    const [older] = await tags(await start({ era: 'old' }))
    expect(Object.keys(older ?? {})).not.toContain('capabilities')
    expect(older?.details).not.toHaveProperty('context_length')
    const show = await exchangeRaw(current.port, { path: '/api/show', body: { model: 'DEMO-thinking:8b' } })
    const shown = JSON.parse(show.body)
    expect(show.body).toContain('\\u003c|im_start|\\u003e')
    expect(shown.capabilities).toEqual(['completion', 'tools', 'thinking'])
    expect(shown.model_info[`${shown.model_info['general.architecture']}.context_length`]).toBe(40_960)
    expect(shown.tensors.length).toBeGreaterThan(100)
  })

  test('generate: an empty prompt loads, a prompt answers in `response`', async () => {
    const double = await start()
    double.script({ pieces: ['x'] }, 'generate')
    const load = await exchangeRaw(double.port, { path: '/api/generate', body: { model: 'demo', prompt: '' } })
    expect(JSON.parse(load.body)).toMatchObject({ response: '', done: true, done_reason: 'load' })
    const reply = await exchangeRaw(double.port, { path: '/api/generate', body: { model: 'demo', prompt: 'go' } })
    expect(lines(reply).map((line) => line.response)).toEqual(['x', ''])
    const missing = await exchangeRaw(double.port, { path: '/api/generate', body: {} })
    expect([missing.status, missing.body]).toEqual([404, '{"error":"model \'\' not found"}'])
  })
})

describe('the life of the server', () => {
  test('requests are recorded with their connection; waiting works before and after', async () => {
    const double = await start()
    const coming = double.waitForRequest((request) => request.path === '/api/chat')
    await exchangeRaw(double.port, { path: '/' })
    await exchangeRaw(double.port, chat())
    expect(await coming).toMatchObject({ method: 'POST', body: { model: 'demo' }, connectionId: 2 })
    expect(await double.waitForRequest((request) => request.path === '/')).toBe(double.requests[0])
    expect(double.requests[0]?.body).toBeUndefined()
    await double.waitUntil(() => double.connections.open === 0)
    expect(double.connections.total).toBe(2)
  })

  test('killed connections are reset; down refuses; up answers on the same port', async () => {
    const double = await start({ behaviour: { pieces: ['x'], ending: 'stall' } })
    const reply = readAll(sendRaw(double.port, chat()))
    await double.waitUntil(() => double.activeGenerations === 1)
    double.killConnections()
    expect((await reply).errorCode).toBe('ECONNRESET')
    await double.goDown()
    expect((await exchangeRaw(double.port, { path: '/' })).errorCode).toBe('ECONNREFUSED')
    const { url } = double
    await double.comeUp()
    expect(double.url).toBe(url)
    expect((await exchangeRaw(double.port, { path: '/' })).body).toBe('Ollama is running')
  })

  test('stop ends running answers and rejects who still waits', async () => {
    const double = await start({ tokensPerSecond: 1, behaviour: { pieces: endless() } })
    const reply = readAll(sendRaw(double.port, chat()))
    await double.waitUntil(() => double.activeGenerations === 1)
    const waiting = double.waitForRequest((request) => request.path === '/never')
    await Promise.all([expect(waiting).rejects.toThrow('stopped'), double.stop()])
    expect((await reply).complete).toBe(false)
  })
})

function* endless(): Generator<string> {
  for (;;) yield 'again '
}
