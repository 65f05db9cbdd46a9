// How the double goes on with an answer: what other tests take for granted.
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { INSTANT_PACE } from '../../support/ollama-double/behaviour.ts'
import { defineModel } from '../../support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../../support/ollama-double/ollama-double.ts'
import type { OllamaDoubleOptions } from '../../support/ollama-double/options.ts'
import { exchangeRaw, type RawReply } from '../../support/ollama-double/raw-client.ts'
import { readRendered, render } from '../../support/ollama-double/rendering.ts'

const open: OllamaDouble[] = []
afterEach(() => Promise.all(open.splice(0).map((double) => double.stop())))

const MODELS = (['continued', 'closed', 'refused'] as const).map((trailing) =>
  defineModel({ name: trailing, trailing, capabilities: ['completion', 'thinking'] }),
)
const ANSWER = { thinking: ['Hm.'], pieces: ['Grüße', ', 日本', '🎉 and more'] }
const WHOLE = ANSWER.pieces.join('')
const HI = { role: 'user', content: 'hi' }
const begun = (content: string) => ({ role: 'assistant', content })

async function start(options: OllamaDoubleOptions = {}): Promise<OllamaDouble> {
  const double = await startOllamaDouble({ ...INSTANT_PACE, models: MODELS, behaviour: ANSWER, ...options })
  open.push(double)
  return double
}

function chat({ port }: OllamaDouble, model: string, messages: object[], extra: object = {}): Promise<RawReply> {
  return exchangeRaw(port, { path: '/api/chat', body: { model, messages, ...extra } })
}

function wordsOf({ body }: RawReply): { thinking: string; text: string } {
  const lines = body.trimEnd().split('\n')
  const parsed = lines.map((line) => JSON.parse(line) as { message?: Record<string, string>; response?: string })
  return {
    thinking: parsed.map(({ message }) => message?.thinking ?? '').join(''),
    text: parsed.map(({ message, response }) => message?.content ?? response ?? '').join(''),
  }
}

const debug = { stream: false, _debug_render_only: true }
const templateOf = ({ body }: RawReply): string => JSON.parse(body)._debug_info.rendered_template

describe('a trailing assistant message', () => {
  test('is gone on with exactly, without thinking, where the template leaves it open', async () => {
    const double = await start()
    for (const at of [1, 5, 7, WHOLE.length]) {
      expect(wordsOf(await chat(double, 'continued', [HI, begun(WHOLE.slice(0, at))]))).toEqual({
        thinking: '',
        text: WHOLE.slice(at),
      })
    }
  })

  test('begins a new turn where the template ends it', async () => {
    const double = await start()
    const reply = await chat(double, 'closed', [HI, begun('Grü')])
    expect(wordsOf(reply)).toEqual({ thinking: 'Hm.', text: WHOLE })
  })

  test.each([
    ['refused', [HI, begun('Grü')], 'incompatible with enable_thinking'],
    ['continued', [HI, begun('Grü'), begun('ße')], 'Cannot have 2 or more assistant messages'],
  ])('is refused by the native path (%s)', async (model, messages, words) => {
    const { body, status } = await chat(await start(), model, messages)
    expect([status, body]).toEqual([400, expect.stringContaining(words)])
  })
})

describe('the prompt that is shown', () => {
  test('ends with the open message, or with the header of a new one; nothing is generated', async () => {
    const double = await start()
    expect(templateOf(await chat(double, 'continued', [HI, begun('ZQ7 partial')], debug))).toMatch(/ZQ7 partial$/)
    expect(templateOf(await chat(double, 'closed', [HI, begun('ZQ7 partial')], debug))).toMatch(/\|>assistant\n$/)
    expect(templateOf(await chat(double, 'refused', [HI], debug))).toMatch(/\|>assistant\n$/)
  })

  test('is not shown before 0.11.5: there a real answer is generated', async () => {
    const double = await start({ version: '0.11.4' })
    const reply = await chat(double, 'continued', [HI, begun('Grü')], debug)
    expect(JSON.parse(reply.body)).toMatchObject({ message: { content: WHOLE.slice(3) }, done: true })
  })

  test('ended by the beginning of the answer, it gets the rest of it', async () => {
    const double = await start()
    const prompt = templateOf(await chat(double, 'closed', [HI], debug)) + WHOLE.slice(0, 7)
    const body = { model: 'closed', prompt, raw: true }
    expect(wordsOf(await exchangeRaw(double.port, { path: '/api/generate', body })).text).toBe(WHOLE.slice(7))
    const refused = await exchangeRaw(double.port, { path: '/api/generate', body: { ...body, system: 'Be brief.' } })
    expect(refused.body).toContain('raw mode does not support template, system, or context')
  })

  test('can be read back', () => {
    const message = fc.record({ role: fc.constantFrom('user', 'system'), content: fc.string() })
    fc.assert(
      fc.property(fc.array(message), fc.string(), (messages, partial) => {
        expect(readRendered(render(messages, 'closed') + partial)).toEqual({ messages, partial })
      }),
    )
  })
})

test('an answer can be cut after any piece', async () => {
  const double = await start()
  for (const cutAfter of [1, 2, 4]) {
    double.script({ ...ANSWER, cutAfter, ending: 'eof-without-done' })
    const { thinking, text } = wordsOf(await chat(double, 'continued', [HI]))
    expect(thinking + text).toBe(['Hm.', ...ANSWER.pieces].slice(0, cutAfter).join(''))
  }
})
