import { afterEach, describe, expect, test } from 'vitest'
import {
  type Behaviour,
  DEFAULT_ERROR_TEXT,
  INSTANT_PACE,
  type SplitMode,
} from '../../support/ollama-double/behaviour.ts'
import { paced } from '../../support/ollama-double/clock.ts'
import { demonstrationAnswer } from '../../support/ollama-double/demonstration.ts'
import { manualClock } from '../../support/ollama-double/manual-clock.ts'
import { defineModel } from '../../support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../../support/ollama-double/ollama-double.ts'
import type { OllamaDoubleOptions } from '../../support/ollama-double/options.ts'
import { countTokens, piecesOf } from '../../support/ollama-double/pieces.ts'
import {
  exchangeRaw,
  type RawReply,
  type RawRequest,
  readAll,
  sendRaw,
} from '../../support/ollama-double/raw-client.ts'
import { contextExceeded, RUNNER_STOPPED, SERVER_BUSY } from '../../support/ollama-double/refusals.ts'

const open: OllamaDouble[] = []
afterEach(() => Promise.all(open.splice(0).map((double) => double.stop())))

async function start(options: OllamaDoubleOptions = {}): Promise<OllamaDouble> {
  const double = await startOllamaDouble({ ...INSTANT_PACE, ...options })
  open.push(double)
  return double
}

const QWEN = defineModel({ name: 'qwen3:4b', family: 'qwen3', capabilities: ['completion', 'tools', 'thinking'] })
const HI = [{ role: 'user', content: 'hi' }]
const JSON_TYPE = 'Content-Type: application/json; charset=utf-8'

function chat(extra: object = {}): RawRequest {
  return { path: '/api/chat', body: { model: 'demo', messages: HI, ...extra } }
}

function lines(reply: RawReply): Record<string, unknown>[] {
  return reply.body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function contentOf(reply: RawReply): string {
  return lines(reply)
    .map((line) => (line.message as { content?: string } | undefined)?.content ?? '')
    .join('')
}

/** Times replaced, so that the rest can be compared byte for byte. */
function timeless(text: string): string {
  return text
    .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"/g, '"TIME"')
    .replace(/"(total|load|prompt_eval|eval)_duration":\d+/g, '"$1_duration":NS')
    .replace(/Date: [^\r]+/, 'Date: DATE')
}

const START = '{"model":"qwen3:4b","created_at":"TIME","message":{"role":"assistant",'

describe('golden transcripts', () => {
  test('a chat with thinking, escaped text and a tool call', async () => {
    const double = await start({ models: [QWEN] })
    const toolCalls = [{ id: 'call_ab12cd34', name: 'f', arguments: { x: 1 } }]
    double.script({ promptMs: 1, tokensPerSecond: 5_000, thinking: ['Ok'], pieces: ['a < b'], toolCalls })
    const reply = await exchangeRaw(double.port, chat({ model: 'qwen3:4b', think: true }))
    expect(timeless(reply.head)).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nDate: DATE\r\nTransfer-Encoding: chunked',
    )
    expect(reply.chunks.map((chunk) => timeless(chunk.toString()))).toEqual([
      `${START}"content":"","thinking":"Ok"},"done":false}\n`,
      `${START}"content":"a \\u003c b"},"done":false}\n`,
      `${START}"content":"","tool_calls":[{"id":"call_ab12cd34","function":{"index":0,"name":"f","arguments":{"x":1}}}]},"done":false}\n`,
      `${START}"content":""},"done":true,"done_reason":"stop","total_duration":NS,"load_duration":NS,"prompt_eval_count":1,"prompt_eval_duration":NS,"eval_count":2,"eval_duration":NS}\n`,
    ])
    expect(reply.complete).toBe(true)
  })

  test('a keep-alive reply has no Connection header either', async () => {
    const double = await start()
    const socket = sendRaw(double.port, { path: '/' })
    const [bytes] = (await new Promise((resolve) => socket.once('data', (...data) => resolve(data)))) as [Buffer]
    socket.destroy()
    expect(timeless(bytes.toString())).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: DATE\r\nContent-Length: 17\r\n\r\nOllama is running',
    )
  })

  test('load only, unload, and what /api/ps tells between', async () => {
    const double = await start({ models: [QWEN] })
    const idle = (reason: string): string => `${START}"content":""},"done":true,"done_reason":"${reason}"}`
    const load = await exchangeRaw(double.port, chat({ model: 'qwen3:4b', messages: [], options: { num_ctx: 8192 } }))
    expect(load.head).toContain(JSON_TYPE)
    expect(timeless(load.body)).toBe(idle('load'))
    const ps = await exchangeRaw(double.port, { path: '/api/ps' })
    expect(
      timeless(ps.body)
        .replace(/"(size|size_vram)":\d+/g, '"$1":N')
        .replace(/[0-9a-f]{64}/, '<64 hex>'),
    ).toBe(
      '{"models":[{"name":"qwen3:4b","model":"qwen3:4b","size":N,"digest":"<64 hex>","details":{"parent_model":"","format":"gguf","family":"qwen3","families":["qwen3"],"parameter_size":"1.2B","quantization_level":"Q8_0"},"expires_at":"TIME","size_vram":N,"context_length":8192}]}',
    )
    const unload = await exchangeRaw(double.port, chat({ model: 'qwen3:4b', messages: [], keep_alive: 0 }))
    expect(timeless(unload.body)).toBe(idle('unload'))
    expect((await exchangeRaw(double.port, { path: '/api/ps' })).body).toBe('{"models":[]}')
  })

  test('a failure before the stream, in both eras', async () => {
    for (const [era, head, body] of [
      ['current', /^HTTP\/1.1 500 [\s\S]*Content-Type: application\/json\r\n/, '{"error":"boom"}'],
      ['old', /^HTTP\/1.1 200 [\s\S]*Content-Type: application\/x-ndjson\r\n/, '{"error":"boom"}\n'],
    ] as const) {
      const double = await start({ era, behaviour: { refusal: { status: 500, error: 'boom' } } })
      const reply = await exchangeRaw(double.port, chat())
      expect(reply.head).toMatch(head)
      expect(reply.body).toBe(body)
    }
  })

  test('a missing model, in the words of each era', async () => {
    for (const [era, error] of [
      ['current', "model 'nope' not found"],
      ['old', 'model "nope" not found, try pulling it first'],
    ] as const) {
      const reply = await exchangeRaw((await start({ era })).port, chat({ model: 'nope' }))
      expect([reply.status, JSON.parse(reply.body)]).toEqual([404, { error }])
      expect(reply.head).toContain(JSON_TYPE)
    }
  })
})

describe('endings', () => {
  const pieces = ['one ', 'two ', 'three']
  async function ended(behaviour: Behaviour, extra: object = {}): Promise<RawReply> {
    return exchangeRaw((await start({ behaviour: { pieces, ...behaviour } })).port, chat(extra))
  }

  test('done with content and tool calls in the final line', async () => {
    const toolCalls = [{ name: 'f', arguments: {} }]
    const reply = await ended({ ending: 'done-with-content', toolCalls, toolCallsIn: 'final', doneReason: 'length' })
    expect(lines(reply).map((line) => line.done)).toEqual([false, false, true])
    expect(lines(reply).at(-1)).toMatchObject({
      done_reason: 'length',
      message: { content: 'three', tool_calls: [{ function: { name: 'f' } }] },
    })
  })

  test('an error line, then the terminator; without a first line a status', async () => {
    const reply = await ended({ ending: 'error-line' })
    expect(reply.body.endsWith(`\n{"error":"${DEFAULT_ERROR_TEXT}"}\n`)).toBe(true)
    expect([contentOf(reply), reply.complete]).toEqual(['one two three', true])
    expect((await ended({ ending: 'error-line', pieces: [] })).status).toBe(500)
  })

  test('a clean end without done', async () => {
    const reply = await ended({ ending: 'eof-without-done' })
    expect([contentOf(reply), reply.complete, reply.errorCode]).toEqual(['one two three', true, undefined])
    expect(reply.body).not.toContain('"done":true')
  })

  test('a reset and a FIN leave the body without terminator, after all lines', async () => {
    const reset = await ended({ ending: 'reset' })
    expect([contentOf(reset), reset.complete, reset.errorCode]).toEqual(['one two three', false, 'ECONNRESET'])
    const fin = await ended({ ending: 'fin-without-terminator' })
    expect([contentOf(fin), fin.complete, fin.errorCode]).toEqual(['one two three', false, undefined])
  })

  test('a stall keeps the slot until the client leaves', async () => {
    const double = await start({ behaviour: { pieces, ending: 'stall' } })
    const socket = sendRaw(double.port, chat())
    await new Promise((resolve) => socket.once('data', resolve))
    expect(double.activeGenerations).toBe(1)
    socket.destroy()
    await double.waitForDisconnect()
    expect([double.activeGenerations, double.cancelled]).toEqual([0, 1])
  })

  test('stream:false gives one JSON with all of it', async () => {
    const reply = await ended({}, { stream: false })
    expect(reply.head).toContain(JSON_TYPE)
    expect(JSON.parse(reply.body)).toMatchObject({ message: { content: 'one two three' }, done: true, eval_count: 3 })
    expect((await ended({ ending: 'error-line' }, { stream: false })).status).toBe(500)
  })

  test('num_predict cuts the answer', async () => {
    const reply = await ended({}, { options: { num_predict: 2 } })
    expect(contentOf(reply)).toBe('one two ')
    expect(lines(reply).at(-1)).toMatchObject({ done_reason: 'length', eval_count: 2 })
  })
})

test.each<SplitMode>(['line', 'many-lines', 'one-byte', 'mid-utf8', 7, 100_000])(
  'split mode %s reassembles to the same bytes',
  async (splitMode) => {
    const pieces = ['Grüße ', '<b>', '日本', '👩‍🚀 ', 'a&b', '\n', 'end']
    const double = await start({ behaviour: { pieces, splitMode, tokensPerSecond: 5_000 } })
    const reply = await exchangeRaw(double.port, chat())
    expect(contentOf(reply)).toBe(pieces.join(''))
    expect(lines(reply)).toHaveLength(pieces.length + 1)
    const sizes = reply.chunks.map((chunk) => chunk.length)
    if (splitMode === 'one-byte') expect(Math.max(...sizes)).toBe(1)
    if (splitMode === 7) expect(new Set(sizes.slice(0, -1))).toEqual(new Set([7]))
    if (splitMode === 100_000) expect(sizes).toHaveLength(1)
    if (splitMode === 'many-lines') expect(sizes).toHaveLength(2)
    if (splitMode === 'mid-utf8') expect(reply.chunks.some((chunk) => chunk.toString().includes('\ufffd'))).toBe(true)
    expect(reply.body).toContain('\\u003cb\\u003e')
  },
)

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

describe('the demonstration', () => {
  const question = 'What does this do?\n\n```lua\nlocal x = 1\nreturn x\n```'
  const messages = [
    { role: 'system', content: 'Be brief.' },
    ...HI,
    { role: 'assistant', content: 'ok' },
    { role: 'user', content: question },
  ]

  test('says what it is, quotes, counts turns and repeats the code', () => {
    const answer = demonstrationAnswer(messages).pieces.join('')
    for (const part of [
      'demonstration server',
      '> What does this do?',
      '**turn 2**',
      '```lua\nlocal x = 1\nreturn x\n```',
      '2 lines',
    ]) {
      expect(answer).toContain(part)
    }
    expect(demonstrationAnswer(messages)).toEqual(demonstrationAnswer(messages))
  })

  test('pieces are small, whole and concatenate to the text', () => {
    const text = 'Grüße,  👩‍🚀\n\n\tlocal x = "1" -- ende '
    expect(piecesOf(text).join('')).toBe(text)
    expect(Math.max(...piecesOf(text).map((piece) => [...piece].length))).toBeLessThanOrEqual(5)
    expect(countTokens('one fourteen ')).toBe(3)
  })

  test('is the default answer; a model that thinks thinks first unless told not to', async () => {
    const double = await start()
    const thoughtful = await exchangeRaw(double.port, chat({ model: 'demo-thinking:8b', messages }))
    expect(lines(thoughtful)[0]).toMatchObject({ message: { content: '', thinking: expect.any(String) } })
    const plain = await exchangeRaw(double.port, chat({ model: 'demo-thinking:8b', messages, think: false }))
    expect(plain.body).not.toContain('"thinking"')
    expect(contentOf(plain)).toBe(demonstrationAnswer(messages).pieces.join(''))
    expect(contentOf(thoughtful)).toBe(contentOf(plain))
  })
})

function* endless(): Generator<string> {
  for (;;) yield 'again '
}
