// What is asked of a server to go on with an answer, and what is made of its refusals.
import { describe, expect, test } from 'vitest'
import { Ollama } from '../../../src/providers/ollama.ts'
import type { ChatRequest, HttpRequest, StreamPart } from '../../../src/providers/provider.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { FakeBody, FakeHttp, type Route, type Scripted } from './fake-http.ts'

type Body = Record<string, unknown> & { messages?: Array<{ role: string; content: string; thinking?: string }> }

const REQUEST: ChatRequest = {
  model: 'qwen3',
  messages: [{ role: 'user', content: 'Why?' }],
  options: { num_ctx: 8192 },
  keepAlive: '1h',
}
const PARTIAL = { thinking: 'Hm.', text: 'Because the wor' }

const json = (value: unknown): Scripted => ({ body: JSON.stringify(value) })
const refused: Scripted = { status: 400, body: '{"error":"no prefill here"}' }
const bodyOf = ({ body }: HttpRequest) => body as Body
const isProbe = ({ body }: HttpRequest) => (body as Body | undefined)?._debug_render_only === true
const rendered = (template: string) => json({ model: 'qwen3', _debug_info: { rendered_template: template } })
const chat = (...words: string[]): Scripted => answer('message', (content) => ({ role: 'assistant', content }), words)
const generated = (...words: string[]): Scripted => answer('response', (content) => content, words)

function answer(key: string, holding: (content: string) => unknown, words: string[]): Scripted {
  const body = new FakeBody().write(...words.map((word) => ({ [key]: holding(word), done: false })))
  return { body: body.write({ done: true, done_reason: 'stop' }).end() }
}

/** A server whose template leaves the last message open, unless a route says otherwise. */
function serverWith(routes: Record<string, Route> = {}, version = '0.32.15') {
  const http = new FakeHttp({
    'GET /api/version': () => json({ version }),
    'GET /api/tags': () => json({ models: [{ name: 'qwen3:latest', digest: 'abc' }] }),
    'GET /api/ps': () => json({ models: [{ name: 'qwen3:latest' }] }),
    'POST /api/show': () => json({ capabilities: ['completion', 'thinking'] }),
    'POST /api/chat': (request) => (isProbe(request) ? rendered('<user>Hello<assistant>ZQ7 partial') : chat(' world.')),
    ...routes,
  })
  const clock = new FakeClock()
  const ollama = new Ollama({ http, clock, server: 'gpu' })
  return { http, clock, ollama }
}

async function partsOf(stream: AsyncIterable<StreamPart>): Promise<StreamPart[]> {
  const parts: StreamPart[] = []
  for await (const part of stream) if (part.type !== 'phase') parts.push(part)
  return parts
}

function resumed(ollama: Ollama, partial = PARTIAL): Promise<StreamPart[]> {
  return partsOf(ollama.resume(REQUEST, partial, { signal: new AbortController().signal }))
}

const asked = (http: FakeHttp) => http.requests.filter(({ path }) => path === '/api/chat' || path === '/api/generate')

describe('where the template leaves the last message open', () => {
  test('that message goes along, without its last word, and only what is new comes back', async () => {
    const { http, ollama } = serverWith()
    expect(await resumed(ollama)).toEqual([
      { type: 'seam', method: 'prefill', back: 0 },
      { type: 'text', text: 'ld.' },
      { type: 'finish', reason: 'stop', usage: {} },
    ])
    const [probe, request] = asked(http).map(bodyOf)
    expect(probe).toEqual({
      model: 'qwen3',
      messages: [
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'ZQ7 partial', thinking: 'Hm.' },
      ],
      stream: false,
      think: true,
      options: { num_ctx: 8192, num_predict: 1 },
      keep_alive: '1h',
      _debug_render_only: true,
    })
    expect(request).toEqual({
      model: 'qwen3',
      messages: [
        { role: 'user', content: 'Why?' },
        { role: 'assistant', content: 'Because the', thinking: 'Hm.' },
      ],
      stream: true,
      think: true,
      options: { num_ctx: 8192 },
      keep_alive: '1h',
    })
  })

  test('it is probed once for a digest and a version, and again for others', async () => {
    let digest = 'abc'
    const { http, ollama } = serverWith({
      'GET /api/tags': () => json({ models: [{ name: 'qwen3:latest', digest }] }),
    })
    const probes = () => http.requests.filter(isProbe).length
    await resumed(ollama)
    await resumed(ollama)
    expect(probes()).toBe(1)
    digest = 'def'
    await resumed(ollama)
    expect(probes()).toBe(2)
  })
})

describe('where it does not', () => {
  const closed: Route = (request) => {
    if (!isProbe(request)) return chat('A whole new answer.')
    const isTrailing = bodyOf(request).messages?.at(-1)?.role === 'assistant'
    return rendered(isTrailing ? '<user>Hello<assistant>ZQ7 partial<end><assistant>' : '<user>Why?<assistant>')
  }

  test('the rendered prompt is ended by what was there', async () => {
    const { http, ollama } = serverWith({
      'POST /api/chat': closed,
      'POST /api/generate': () => generated(' wor', 'ld.'),
    })
    expect(await resumed(ollama)).toMatchObject([
      { type: 'seam', method: 'raw', back: 0 },
      { type: 'text', text: 'ld.' },
      { type: 'finish' },
    ])
    expect(bodyOf(asked(http).at(-1) as HttpRequest)).toEqual({
      model: 'qwen3',
      prompt: '<user>Why?<assistant>Because the',
      raw: true,
      stream: true,
      options: { num_ctx: 8192 },
      keep_alive: '1h',
    })
  })

  test('thinking that the header opens is closed', async () => {
    const open: Route = (request) =>
      isProbe(request) ? rendered('<user>Why?<assistant>\n<think>\n') : chat('A whole new answer.')
    const { http, ollama } = serverWith({ 'POST /api/chat': open, 'POST /api/generate': () => generated(' world.') })
    await resumed(ollama)
    expect(bodyOf(asked(http).at(-1) as HttpRequest).prompt).toBe(
      '<user>Why?<assistant>\n<think>\nHm.\n</think>\n\nBecause the',
    )
  })

  test('what is refused before a word is asked in the next way, and what repeats is taken out', async () => {
    const refusing: Route = (request) => {
      if (isProbe(request)) return rendered('<user>Hello<assistant>ZQ7 partial')
      return bodyOf(request).messages?.at(-1)?.role === 'assistant' ? refused : chat('the wor', 'ld.')
    }
    const { http, ollama } = serverWith({ 'POST /api/chat': refusing, 'POST /api/generate': () => refused })
    expect(await resumed(ollama)).toMatchObject([
      { type: 'seam', method: 'continue', back: 0 },
      { type: 'text', text: 'ld.' },
      { type: 'finish' },
    ])
    const last = bodyOf(asked(http).at(-1) as HttpRequest)
    expect(last.think).toBe(false)
    expect(last.messages?.slice(0, 2)).toEqual([
      { role: 'user', content: 'Why?' },
      { role: 'assistant', content: 'Because the wor' },
    ])
    expect(last.messages?.[2]).toMatchObject({ role: 'user', content: expect.stringMatching(/\n\nBecause the wor$/) })
  })

  test('a failure that no other way would mend is told', async () => {
    const full = '{"error":"exceed_context_size_error"}'
    const { ollama } = serverWith({
      'POST /api/chat': (request) => (isProbe(request) ? rendered('ZQ7 partial') : { status: 400, body: full }),
    })
    await expect(resumed(ollama)).rejects.toMatchObject({ code: 'API_CONTEXT_FULL' })
  })
})

describe('the server version', () => {
  test.each([
    ['0.11.5', true],
    ['0.11.4', false],
    ['0.9.6', false],
    ['0.12.0-rc1', true],
    ['1.0.0', true],
    ['0.0.0', true],
    ['', false],
  ])('%j is asked to show a prompt: %s', async (version, isAsked) => {
    const { http, ollama } = serverWith({}, version)
    const [seam] = await resumed(ollama)
    expect(http.requests.some(isProbe)).toBe(isAsked)
    expect(seam).toMatchObject({ method: isAsked ? 'prefill' : 'continue' })
  })

  test('one that ignores the question has said one word, and is not asked so again', async () => {
    const { http, ollama } = serverWith({
      'POST /api/chat': (request) => (isProbe(request) ? json({ message: { content: 'Hi' }, done: true }) : chat(' x')),
    })
    expect((await resumed(ollama))[0]).toMatchObject({ method: 'continue' })
    await resumed(ollama)
    expect(http.requests.filter(isProbe)).toHaveLength(1)
  })
})

test.each([
  ['thinking only', { thinking: 'Hm.', text: '' }],
  ['a lone half word', { thinking: '', text: 'Bec' }],
])('%s is not gone on with: the whole is asked anew', async (_, partial) => {
  const { http, ollama } = serverWith()
  expect(await resumed(ollama, partial)).toMatchObject([
    { type: 'seam', method: 'anew' },
    { type: 'text', text: ' world.' },
    { type: 'finish' },
  ])
  expect(bodyOf(asked(http)[0] as HttpRequest).messages).toEqual(REQUEST.messages)
})

test('a server that is loaded and silent for long may still be at the first request', async () => {
  const { ollama, clock } = serverWith({
    'POST /api/chat': (request) => (isProbe(request) ? rendered('ZQ7 partial') : { body: new FakeBody() }),
  })
  const controller = new AbortController()
  const phases: string[] = []
  const reading = (async () => {
    for await (const part of ollama.resume(REQUEST, PARTIAL, { signal: controller.signal })) {
      if (part.type === 'phase') phases.push(part.phase)
    }
  })()
  for (let second = 0; second < 12; second++) await clock.advance(1_000)
  expect(phases).toEqual(['reading', 'busy'])
  controller.abort(new Error('enough'))
  await expect(reading).rejects.toThrow('enough')
})
