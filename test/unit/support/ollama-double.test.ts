// What the double of Ollama answers to a chat, byte for byte. How it serves many at once is in ollama-double-server.test.ts.
import { describe, expect, test } from 'vitest'
import { type Behaviour, DEFAULT_ERROR_TEXT, type SplitMode } from '../../support/ollama-double/behaviour.ts'
import { demonstrationAnswer } from '../../support/ollama-double/demonstration.ts'
import { countTokens, piecesOf } from '../../support/ollama-double/pieces.ts'
import { exchangeRaw, type RawReply, sendRaw } from '../../support/ollama-double/raw-client.ts'
import { chat, contentOf, HI, JSON_TYPE, lines, QWEN, start, timeless } from './ollama-double-rig.ts'

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
