import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partsOf } from '../../../src/providers/ollama-stream.ts'
import type { StreamPart } from '../../../src/providers/provider.ts'

// As a server of 2026 wrote it, and an answer in several scripts.
const THINKING =
  '{"model":"qwen3:4b","created_at":"2026-08-21T10:00:00.123456789Z","message":{"role":"assistant","content":"","thinking":"Ok"},"done":false}\n'
const ESCAPED =
  '{"model":"qwen3:4b","created_at":"2026-08-21T10:00:00.223456789Z","message":{"role":"assistant","content":"a \\u003c b"},"done":false}\n'
const TOOL =
  '{"model":"qwen3:4b","created_at":"...","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_ab12cd34","function":{"index":0,"name":"f","arguments":{"x":1}}}]},"done":false}\n'
const SCRIPTS =
  '{"model":"qwen3:4b","created_at":"...","message":{"role":"assistant","content":"é 漢字 😀 \\ud83d\\ude00"},"done":false}\n'
const DONE =
  '{"model":"qwen3:4b","created_at":"...","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":1234567890,"load_duration":45678901,"prompt_eval_count":11,"prompt_eval_duration":9876543,"eval_count":42,"eval_duration":777000000}\n'
const BROKE = '{"error":"an error was encountered while running the model: unexpected EOF"}\n'

const GOLDEN: StreamPart[] = [
  { type: 'thinking', text: 'Ok' },
  { type: 'text', text: 'a < b' },
  { type: 'text', text: 'é 漢字 😀 😀' },
  {
    type: 'finish',
    reason: 'stop',
    usage: { promptTokens: 11, answerTokens: 42, totalMs: 1235, loadMs: 46, promptMs: 10, answerMs: 777 },
  },
]

describe('partsOf', () => {
  it('turns the lines of a real answer into parts', async () => {
    expect(await collect(THINKING, ESCAPED, TOOL, SCRIPTS, DONE)).toEqual({ parts: GOLDEN })
  })

  it('gives the same words however the bytes are cut; those that came together are one part', async () => {
    const merged = joined(GOLDEN)
    expect(merged.length).toBeLessThan(GOLDEN.length)
    expect(await collect(THINKING + ESCAPED + TOOL + SCRIPTS + DONE)).toEqual({ parts: merged })
    const bytes = Buffer.from(THINKING + ESCAPED + TOOL + SCRIPTS + DONE)
    const cuts = fc.uniqueArray(fc.nat(bytes.length), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const edges = [0, ...places.toSorted((a, b) => a - b), bytes.length]
        const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
        expect(joined((await collect(...chunks)).parts)).toEqual(merged)
      }),
    )
    expect(await collect(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual({ parts: GOLDEN })
  })

  it.each([
    ['lines end as on Windows', [THINKING, DONE].map((line) => line.replace('\n', '\r\n'))],
    ['blank lines stand between', ['\n', THINKING, '\r\n \n', DONE]],
    ['the last newline is missing', [THINKING, DONE.trimEnd()]],
    ['more comes after the end', [THINKING, DONE, THINKING, BROKE, 'junk']],
  ])('does not mind when %s', async (_, chunks) => {
    expect(await collect(...chunks)).toEqual({ parts: [GOLDEN[0], GOLDEN[3]] })
  })

  it('hands on what the last line carries before it ends', async () => {
    const last = '{"message":{"content":"bye","thinking":"hm"},"done":true,"done_reason":"length"}'
    expect(await collect(last)).toEqual({
      parts: [
        { type: 'thinking', text: 'hm' },
        { type: 'text', text: 'bye' },
        { type: 'finish', reason: 'length', usage: {} },
      ],
    })
  })

  it.each([
    ['"stop"', 'stop'],
    ['"length"', 'length'],
    ['"load"', 'load'],
    ['"unload"', 'unload'],
    ['"something new"', 'unknown'],
    ['null', 'unknown'],
  ])('reads the reason %s as %s', async (reason, expected) => {
    expect(await collect(`{"done":true,"done_reason":${reason}}`)).toEqual({
      parts: [{ type: 'finish', reason: expected, usage: {} }],
    })
  })

  it('takes counts that are null or zero for unknown', async () => {
    const line = '{"done":true,"eval_count":0,"prompt_eval_count":null,"total_duration":2000000,"eval_duration":null}'
    expect(await collect(line)).toEqual({ parts: [{ type: 'finish', reason: 'unknown', usage: { totalMs: 2 } }] })
  })

  it('tolerates nulls and fields of a version to come', async () => {
    const line =
      '{"message":{"content":null,"thinking":null,"new":1},"done":null,"done_reason":null,"logprobs":[1],"error":null}\n'
    const idle = '{"message":null,"done":false}\n{"done":false}\n'
    expect(await collect(line, idle, DONE)).toEqual({ parts: [GOLDEN[3]] })
  })

  it.each([
    ['the only line', []],
    ['the last line', [THINKING]],
  ])('throws the error of the server in %s', async (_, before) => {
    expect(await collect(...before, BROKE)).toEqual({
      parts: before.length ? [GOLDEN[0]] : [],
      error: expect.objectContaining({ code: 'API_ERROR', message: expect.stringContaining('unexpected EOF') }),
    })
  })

  it.each([
    ['beside a message', '{"message":{"content":"x"},"done":false,"error":"boom"}'],
    ['beside the end', '{"done":true,"error":"boom"}'],
    ['as an object', '{"error":{"message":"boom"}}'],
    ['as JSON in a string', '{"error":"{\\"error\\":{\\"message\\":\\"boom\\"}}"}'],
    ['under a sentence as key', '{"error parsing tool call":"boom"}'],
  ])('finds an error %s', async (_, line) => {
    expect(await collect(THINKING, `${line}\n`, DONE)).toEqual({
      parts: [GOLDEN[0]],
      error: expect.objectContaining({ code: 'API_ERROR', message: expect.stringContaining('boom') }),
    })
  })

  it('names the model that is missing in the stream of an old server', async () => {
    const { error } = await collect('{"error":"model \\"m\\" not found, try pulling it first"}\n')
    expect(error).toMatchObject({ code: 'API_INVALID_MODEL', message: 'box has no model "m"' })
  })

  it.each(['junk', '<html>', '{"message":', '7', 'null', '[]', '{}', '{"status":"success"}', '{"models":[]}'])(
    'refuses %s as no stream of Ollama',
    async (line) => {
      expect(await collect(THINKING, `${line}\n`, DONE)).toEqual({
        parts: [GOLDEN[0]],
        error: expect.objectContaining({ code: 'API_PROTOCOL' }),
      })
    },
  )

  it.each([
    ['at once', []],
    ['between lines', [THINKING, ESCAPED]],
    ['at a blank line', [THINKING, '\n']],
  ])('takes an end without done for an incomplete answer: %s', async (_, chunks) => {
    const { error } = await collect(...chunks)
    expect(error).toMatchObject({ code: 'API_INCOMPLETE', hint: expect.stringContaining('gr') })
  })

  it('hands on what the body throws', async () => {
    const lost = new Error('the link broke')
    const { parts, error } = await collect(THINKING, lost)
    expect(parts).toEqual([GOLDEN[0]])
    expect(error).toBe(lost)
  })

  it('closes the body when its reader leaves, when the answer is done, and when it fails', async () => {
    const closings = [
      { chunks: [THINKING, ESCAPED, DONE], take: 1 },
      { chunks: [THINKING, DONE, 'never read'], take: Number.POSITIVE_INFINITY },
      { chunks: ['junk\n', 'never read'], take: Number.POSITIVE_INFINITY },
    ]
    for (const { chunks, take } of closings) {
      let closed = false
      const body = (async function* () {
        try {
          for (const chunk of chunks) yield Buffer.from(chunk)
          throw new Error('read on')
        } finally {
          closed = true
        }
      })()
      let taken = 0
      await (async () => {
        for await (const _ of partsOf(body, { server: 'box' })) if (++taken >= take) break
      })().catch((error) => expect(error.code).toBe('API_PROTOCOL'))
      expect(closed).toBe(true)
    }
  })
})

/** Neighbouring parts of one kind as one. */
function joined(parts: readonly StreamPart[]): StreamPart[] {
  const all: StreamPart[] = []
  for (const part of parts) {
    const last = all.at(-1)
    const isSame = (part.type === 'text' || part.type === 'thinking') && last?.type === part.type
    if (isSame) all.splice(-1, 1, { type: part.type, text: last.text + part.text })
    else all.push(part)
  }
  return all
}

async function collect(
  ...chunks: Array<string | Uint8Array | Error>
): Promise<{ parts: StreamPart[]; error?: unknown }> {
  const parts: StreamPart[] = []
  try {
    for await (const part of partsOf(bodyOf(chunks), { server: 'box', model: 'm' })) parts.push(part)
    return { parts }
  } catch (error) {
    return { parts, error }
  }
}

async function* bodyOf(chunks: Array<string | Uint8Array | Error>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk
    yield Buffer.from(chunk as string)
  }
}
