import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Ollama } from '../../../src/providers/ollama.ts'
import type { ChatRequest, StreamPart } from '../../../src/providers/provider.ts'
import { FakeClock, settle } from '../core/fake-clock.ts'
import { FakeBody, FakeHttp, type Route, type Scripted } from './fake-http.ts'

const DIGEST = 'f535f83ec568'
const TEXT = { message: { role: 'assistant', content: 'hello' }, done: false }
const DONE = { message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', eval_count: 2 }
const ANSWER: StreamPart[] = [
  { type: 'text', text: 'hello' },
  { type: 'finish', reason: 'stop', usage: { answerTokens: 2 } },
]
const ASK: ChatRequest = { model: 'qwen3:4b', messages: [{ role: 'user', content: 'hi' }], options: {} }

describe('version', () => {
  it('is what the server says', async () => {
    const { ollama } = serverWith({ 'GET /api/version': () => json({ version: '0.32.15', new: true }) })
    expect(await ollama.version()).toBe('0.32.15')
  })

  it.each([
    ['no JSON', { body: 'Ollama is running' }, 'API_PROTOCOL'],
    ['other JSON', { body: '{"name":"vllm"}' }, 'API_PROTOCOL'],
    ['a page', { status: 404, body: '404 page not found' }, 'API_PROTOCOL'],
    ['a redirection', { status: 302, body: '' }, 'API_ERROR'],
    ['a refused host', { status: 403, body: '' }, 'API_FORBIDDEN'],
    ['a failure', { status: 500, body: '{"error":"boom"}' }, 'API_ERROR'],
  ] as Array<[string, Scripted, string]>)('is an error by name when the server sends %s', async (_, reply, code) => {
    const { ollama, http } = serverWith({ 'GET /api/version': () => reply })
    await expect(ollama.version()).rejects.toMatchObject({ code, message: expect.stringContaining('box') })
    expect(http.running).toBe(0)
  })

  it('reads no more than a sensible answer, and closes the rest', async () => {
    const body = new FakeBody()
    for (let index = 0; index < 65; index += 1) body.write('x'.repeat(1024 * 1024))
    const { ollama, http } = serverWith({ 'GET /api/version': () => ({ body }) })
    await expect(ollama.version()).rejects.toMatchObject({ code: 'API_PROTOCOL' })
    expect(http.running).toBe(0)
  })

  it('hands the failure of its way on', async () => {
    const lost = new Error('SSH_DISCONNECTED')
    const { ollama } = serverWith({ 'GET /api/version': () => Promise.reject(lost) })
    await expect(ollama.version()).rejects.toBe(lost)
  })
})

describe('models', () => {
  it('are what the server lists, in its order, with what it tells of them', async () => {
    const { ollama, http } = serverWith({
      'GET /api/tags': () =>
        json({
          models: [
            {
              name: 'qwen3:4b',
              model: 'qwen3:4b',
              modified_at: '2026-08-21T10:00:00+02:00',
              size: 3_550_000_000,
              digest: DIGEST,
              details: {
                format: 'gguf',
                family: 'qwen3',
                families: null,
                parameter_size: '4.0B',
                quantization_level: 'Q4_K_M',
              },
              capabilities: ['completion', 'thinking'],
            },
            { name: 'bare:latest', size: null, digest: null, details: null, capabilities: [] },
          ],
        }),
    })
    expect(await ollama.models()).toEqual([
      {
        name: 'qwen3:4b',
        size: 3_550_000_000,
        modified: Date.parse('2026-08-21T08:00:00Z'),
        digest: DIGEST,
        family: 'qwen3',
        parameters: '4.0B',
        quantization: 'Q4_K_M',
        capabilities: ['completion', 'thinking'],
      },
      { name: 'bare:latest', capabilities: [] },
    ])
    expect(http.paths).toEqual(['/api/tags'])
  })

  it.each([{ models: [] }, { models: null }, {}])('may be none: %j', async (tags) => {
    const { ollama } = serverWith({ 'GET /api/tags': () => json(tags) })
    expect(await ollama.models()).toEqual([])
  })

  it('of an old server are asked for their capabilities, a few at once', async () => {
    const names = Array.from({ length: 11 }, (_, index) => `m${index}:latest`)
    const { ollama, http } = serverWith({
      'GET /api/tags': () => json({ models: names.map((name) => ({ name, digest: `digest of ${name}` })) }),
      'POST /api/show': async ({ body }) => {
        await settle()
        return json({ capabilities: [`can ${(body as { model: string }).model}`] })
      },
    })
    const models = await ollama.models()
    expect(models.map(({ name, capabilities }) => [name, capabilities])).toEqual(
      names.map((name) => [name, [`can ${name}`]]),
    )
    expect(http.mostRunning).toBe(4)
    expect(http.requests.filter(({ path }) => path === '/api/show').map(({ body }) => body)).toEqual(
      names.map((model) => ({ model })),
    )
  })

  it('are not asked for at all where an earlier session has learnt what the digest can', async () => {
    const http = new FakeHttp({
      'GET /api/tags': () => json({ models: [{ name: 'a:latest', digest: DIGEST }] }),
    })
    const known = (digest: string) => (digest === DIGEST ? ['embedding'] : undefined)
    const ollama = new Ollama({ http, clock: new FakeClock(), server: 'box', known })
    expect(await ollama.models()).toMatchObject([{ capabilities: ['embedding'] }])
    expect(http.paths).toEqual(['/api/tags'])
  })

  it('are not asked again while their digest stays, whatever their name', async () => {
    let digest = DIGEST
    const { ollama, http } = serverWith({
      'GET /api/tags': () => json({ models: [{ name: 'a:latest', digest }] }),
      'POST /api/show': () => json({ capabilities: ['completion'] }),
    })
    await ollama.models()
    expect(await ollama.models()).toMatchObject([{ capabilities: ['completion'] }])
    expect(http.paths.filter((path) => path === '/api/show')).toHaveLength(1)
    digest = 'another'
    await ollama.models()
    expect(http.paths.filter((path) => path === '/api/show')).toHaveLength(2)
  })

  it('are listed without capabilities where those cannot be learnt', async () => {
    const { ollama } = serverWith({
      'GET /api/tags': () => json({ models: [{ name: 'sound' }, { name: 'broken' }, { name: 'older' }] }),
      'POST /api/show': ({ body }) => {
        const { model } = body as { model: string }
        if (model === 'broken') return { status: 500, body: '{"error":"boom"}' }
        return json(model === 'sound' ? { capabilities: ['tools'] } : { license: 'x' })
      },
    })
    expect(await ollama.models()).toEqual([
      { name: 'sound', capabilities: ['tools'] },
      { name: 'broken' },
      { name: 'older' },
    ])
  })

  it('end with the reason when aborted while capabilities are asked for', async () => {
    const controller = new AbortController()
    const reason = new Error('picker closed')
    const { ollama, http } = serverWith({
      'GET /api/tags': () => json({ models: Array.from({ length: 9 }, (_, index) => ({ name: `m${index}` })) }),
      'POST /api/show': () => forever(),
    })
    const models = ollama.models(controller.signal)
    await settle()
    expect(http.running).toBe(4)
    controller.abort(reason)
    await expect(models).rejects.toBe(reason)
    await settle()
    expect(http.running).toBe(0)
    expect(http.paths.filter((path) => path === '/api/show')).toHaveLength(4)
  })
})

describe('the request of a chat', () => {
  it('is the conversation, streamed, and no word more than is known', async () => {
    const { http } = await answered({ capabilities: ['completion'] }, ASK)
    expect(http.requests.at(-1)).toMatchObject({ method: 'POST', path: '/api/chat' })
    expect(http.requests.at(-1)?.body).toEqual({ model: 'qwen3:4b', messages: ASK.messages, stream: true })
  })

  it('carries options and keep_alive where they are configured', async () => {
    const { http } = await answered({ capabilities: [] }, { ...ASK, options: { num_ctx: 8192 }, keepAlive: 0 })
    expect(http.requests.at(-1)?.body).toEqual({
      model: 'qwen3:4b',
      messages: ASK.messages,
      stream: true,
      options: { num_ctx: 8192 },
      keep_alive: 0,
    })
  })

  it.each([
    ['can think', ['completion', 'thinking'], undefined, true],
    ['can think and shall not', ['thinking'], false, false],
    ['can think, as hard as told', ['thinking'], 'high', 'high'],
    ['cannot think', ['completion'], undefined, undefined],
    ['cannot think and is told to', ['completion'], true, undefined],
    ['cannot think and is told not to', ['completion'], false, undefined],
    ['is of an old server', undefined, undefined, undefined],
    ['is of an old server and is told', null, 'low', 'low'],
  ] as const)('says of a model that %s (%j, configured %s) think: %s', async (_, capabilities, think, expected) => {
    const { http } = await answered({ capabilities }, { ...ASK, think })
    const body = http.requests.at(-1)?.body as Record<string, unknown>
    expect(body.think).toBe(expected)
    expect(Object.hasOwn(body, 'think')).toBe(expected !== undefined)
  })

  it('needs to ask for capabilities once, and never where the list told them', async () => {
    const { http, ollama } = await answered({ capabilities: ['completion'] }, ASK)
    await collect(ollama, ASK)
    expect(http.paths).toEqual(['/api/show', '/api/chat', '/api/chat'])
    const listed = serverWith({
      'GET /api/tags': () => json({ models: [{ name: ASK.model, digest: DIGEST, capabilities: ['thinking'] }] }),
      'POST /api/chat': () => ({ body: `${JSON.stringify(DONE)}\n` }),
    })
    await listed.ollama.models()
    await collect(listed.ollama, ASK)
    expect(listed.http.paths).toEqual(['/api/tags', '/api/chat'])
  })

  it('tells the phases of its way', async () => {
    const body = new FakeBody()
    const { ollama } = serverWith({
      'POST /api/show': async ({ onPhase }) => {
        onPhase?.('connecting')
        await settle()
        onPhase?.('authenticating')
        await settle()
        return json({ capabilities: [] })
      },
      'POST /api/chat': () => ({ body: body.write(TEXT, DONE) }),
    })
    expect(await collect(ollama, ASK)).toEqual({ parts: [phase('connecting'), phase('authenticating'), ...ANSWER] })
  })
})

describe('the answer of a chat', () => {
  it.each([
    [
      'the model is missing',
      'POST /api/show',
      { status: 404, body: '{"error":"model \'qwen3:4b\' not found"}' },
      'API_INVALID_MODEL',
    ],
    ['the server is busy', 'POST /api/chat', { status: 503, body: '{"error":"server busy"}' }, 'API_RATE_LIMITED'],
    ['an old server fails', 'POST /api/chat', { body: '{"error":"boom"}\n' }, 'API_ERROR'],
    ['the stream ends early', 'POST /api/chat', { body: `${JSON.stringify(TEXT)}\n` }, 'API_INCOMPLETE'],
    ['the stream breaks', 'POST /api/chat', { body: `${JSON.stringify(TEXT)}\n{"error":"boom"}\n` }, 'API_ERROR'],
    ['a stranger answers', 'POST /api/chat', { body: '<html>' }, 'API_PROTOCOL'],
  ] as Array<[string, string, Scripted, string]>)('is an error when %s', async (_, route, reply, code) => {
    const { ollama, clock, http } = serverWith({
      'POST /api/show': () => json({ capabilities: [] }),
      'POST /api/chat': () => json(DONE),
      [route]: () => reply,
    })
    const { error } = await collect(ollama, ASK)
    expect(error).toMatchObject({ code })
    expect({ timers: clock.timers, running: http.running }).toEqual({ timers: 0, running: 0 })
  })
})

describe('the phases of a silent server', () => {
  it('are not asked for where the answer comes within 300 ms', async () => {
    const { http, clock, body, next } = waiting()
    await clock.advance(299)
    body.write(TEXT, DONE)
    expect(await next()).toEqual(ANSWER[0])
    await clock.advance(10_000)
    expect(http.paths).toEqual(['/api/show', '/api/chat'])
    expect(clock.timers).toBe(0)
  })

  it('tell loading until the model is listed, then reading, each once, and stop at the first word', async () => {
    let loaded: string[] = ['another:1b']
    const { http, clock, body, next } = waiting({
      'GET /api/ps': () => json({ models: loaded.map((name) => ({ name })) }),
    })
    const first = next()
    await clock.advance(300)
    expect(await first).toEqual(phase('loading'))
    const second = next()
    await clock.advance(1_000)
    loaded = ['another:1b', 'Qwen3:4B']
    await clock.advance(1_000)
    expect(await second).toEqual(phase('reading'))
    const third = next()
    await clock.advance(1_000)
    body.write(TEXT)
    expect(await third).toEqual(ANSWER[0])
    const asked = () => http.paths.filter((path) => path === '/api/ps').length
    expect(asked()).toBe(4)
    expect(clock.timers).toBe(0)
    await clock.advance(60_000)
    expect(asked()).toBe(4)
    expect(clock.slept).toEqual([300, 1_000, 1_000, 1_000, 1_000])
  })

  it.each([
    ['qwen3', 'qwen3:latest', 'reading'],
    ['qwen3', 'qwen3:4b', 'loading'],
    ['hf.co/a/B:Q4', 'hf.co/a/b:Q4', 'reading'],
    ['host:5000/a/b', 'host:5000/a/b:latest', 'reading'],
  ])('take %s for %s in the list: %s', async (model, listed, expected) => {
    const { clock, next } = waiting({ 'GET /api/ps': () => json({ models: [{ name: listed }] }) }, { ...ASK, model })
    const first = next()
    await clock.advance(300)
    expect(await first).toEqual(phase(expected))
  })

  it.each([
    ['does not know the question', () => ({ status: 404, body: '404 page not found' })],
    ['answers nonsense', () => ({ body: '<html>' })],
    ['answers something else', () => json({ models: 'none' })],
    ['cannot be reached for it', () => Promise.reject(new Error('channel refused'))],
  ] as Array<[string, Route]>)('are left out where the server %s', async (_, route) => {
    const { http, clock, body, next } = waiting({ 'GET /api/ps': route })
    const first = next()
    await clock.advance(2_500)
    expect(http.paths.filter((path) => path === '/api/ps')).toHaveLength(3)
    body.write(TEXT, DONE)
    expect([await first, await next(), await next()]).toEqual([...ANSWER, undefined])
    expect(clock.timers).toBe(0)
  })

  it('do not hold the answer up when the question hangs', async () => {
    const { http, clock, body, next } = waiting({ 'GET /api/ps': () => forever() })
    const first = next()
    await clock.advance(10_000)
    expect(http.paths.filter((path) => path === '/api/ps')).toHaveLength(1)
    body.write(TEXT, DONE)
    expect([await first, await next(), await next()]).toEqual([...ANSWER, undefined])
    await settle()
    expect(http.running).toBe(0)
  })
})

describe('an abort', () => {
  it.each(['before', 'during show', 'before the headers', 'in silence', 'after a phase', 'mid-stream'])(
    '%s ends all with its reason and leaves nothing running',
    async (moment) => {
      const { http, clock, body, next, controller } = waiting({
        'GET /api/ps': () => json({ models: [] }),
        ...(moment === 'during show' ? { 'POST /api/show': () => forever() } : {}),
        ...(moment === 'before the headers' ? { 'POST /api/chat': () => forever() } : {}),
      })
      const reason = new Error('stopped')
      if (moment === 'before') controller.abort(reason)
      let part = next()
      part.catch(() => {})
      await settle()
      if (moment === 'in silence') await clock.advance(200)
      if (moment === 'after a phase') {
        await clock.advance(300)
        expect(await part).toEqual(phase('loading'))
        part = next()
      }
      if (moment === 'mid-stream') {
        body.write(TEXT)
        expect(await part).toEqual(ANSWER[0])
        part = next()
      }
      controller.abort(reason)
      await expect(part).rejects.toBe(reason)
      await settle()
      expect({ timers: clock.timers, running: http.running }).toEqual({ timers: 0, running: 0 })
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
      await clock.advance(5_000)
      expect(http.paths.filter((path) => path === '/api/chat').length).toBe(
        ['before', 'during show'].includes(moment) ? 0 : 1,
      )
    },
  )

  it('does not make a later chat believe that the capabilities are known', async () => {
    let show: Route = () => forever()
    const { ollama, http } = serverWith({
      'POST /api/show': (request) => show(request),
      'POST /api/chat': () => ({ body: `${JSON.stringify(DONE)}\n` }),
    })
    const controller = new AbortController()
    const chat = collect(ollama, ASK, controller.signal)
    await settle()
    controller.abort()
    await chat
    show = () => json({ capabilities: ['thinking'] })
    await collect(ollama, ASK)
    expect(http.requests.at(-1)?.body).toMatchObject({ think: true })
  })
})

describe('a reader that leaves', () => {
  it.each([
    'at a phase, while show hangs',
    'at a phase, before the headers',
    'at a phase, in silence',
    'at a word',
    'at the end',
  ])('%s closes what runs', async (moment) => {
    const { http, clock, body, next, leave } = waiting({
      'GET /api/ps': () => json({ models: [] }),
      ...(moment.includes('show') ? { 'POST /api/show': () => forever() } : {}),
      ...(moment.includes('headers') ? { 'POST /api/chat': () => forever() } : {}),
    })
    const part = next()
    await clock.advance(300)
    expect(await part).toEqual(phase('loading'))
    if (moment.includes('word') || moment.includes('end')) {
      body.write(TEXT, DONE)
      expect(await next()).toEqual(ANSWER[0])
    }
    if (moment.includes('end')) expect(await next()).toEqual(ANSWER[1])
    await leave()
    await settle()
    expect({ timers: clock.timers, running: http.running }).toEqual({ timers: 0, running: 0 })
  })
})

function serverWith(routes: Record<string, Route>) {
  const http = new FakeHttp(routes)
  const clock = new FakeClock()
  return { http, clock, ollama: new Ollama({ http, clock, server: 'box' }) }
}

/** A chat, read to its end, with a model of these capabilities. */
async function answered(
  { capabilities }: { capabilities: readonly string[] | null | undefined },
  request: ChatRequest,
) {
  const server = serverWith({
    'POST /api/show': () => json({ capabilities }),
    'POST /api/chat': () => ({ body: `${JSON.stringify(TEXT)}\n${JSON.stringify(DONE)}\n` }),
  })
  expect(await collect(server.ollama, request)).toEqual({ parts: ANSWER })
  return server
}

/** A chat whose server is silent until the test writes to `body`. */
function waiting(routes: Record<string, Route> = {}, request: ChatRequest = ASK) {
  const body = new FakeBody()
  const server = serverWith({
    'POST /api/show': () => json({ capabilities: [] }),
    'POST /api/chat': () => ({ body }),
    ...routes,
  })
  const controller = new AbortController()
  const iterator = server.ollama.stream(request, { signal: controller.signal })
  const next = async (): Promise<StreamPart | undefined> => (await iterator.next()).value ?? undefined
  return { ...server, body, controller, next, leave: () => iterator.return(undefined) }
}

async function collect(ollama: Ollama, request: ChatRequest, signal = new AbortController().signal) {
  const parts: StreamPart[] = []
  try {
    for await (const part of ollama.stream(request, { signal })) parts.push(part)
    return { parts }
  } catch (error) {
    return { parts, error }
  }
}

function json(value: unknown): Scripted {
  return { body: JSON.stringify(value) }
}

function phase(name: string) {
  return { type: 'phase', phase: name }
}

function forever(): Promise<never> {
  return new Promise(() => {})
}
