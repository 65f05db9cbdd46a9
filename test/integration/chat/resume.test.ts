// An answer that is cut at any places, over real HTTP, by a server of each kind: what stands in the transcript in the end.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Turn } from '../../../src/chat/record/conversation.ts'
import { Session } from '../../../src/chat/session.ts'
import { parse, renderShown } from '../../../src/chat/transcript/format.ts'
import { resolveConfig } from '../../../src/config/schema.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import { Ollama } from '../../../src/providers/ollama.ts'
import { ProviderRouter } from '../../../src/providers/router.ts'
import { openServer, type Server } from '../../../src/tunnel/server.ts'
import type { Ask } from '../../support/ollama-double/ask.ts'
import { type Behaviour, INSTANT_PACE } from '../../support/ollama-double/behaviour.ts'
import type { RecordedRequest } from '../../support/ollama-double/exchange.ts'
import { defineModel } from '../../support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../../support/ollama-double/ollama-double.ts'
import { piecesOf } from '../../support/ollama-double/pieces.ts'
import { MemorySurface } from '../../unit/chat/memory-surface.ts'

const CHAT = 7
const thinks = ['completion', 'thinking'] as const
const MODELS = [
  defineModel({ name: 'open', capabilities: thinks }),
  defineModel({ name: 'closed', capabilities: thinks, trailing: 'closed' }),
  defineModel({ name: 'refusing', capabilities: thinks, trailing: 'refused' }),
]
const ANSWER = `First — 日本語のテキスト, and “quotes” 🎉👩‍👩‍👧.

\`\`\`\`markdown
A fence in a fence:
\`\`\`python
def f(x):
    return  x  # ü
\`\`\`
\`\`\`\`

## ◆ You
- the the the end, the end.
`
const THINKING = 'Let me think.\n\nA bit more. '

let ollama: OllamaDouble
let server: Server

beforeAll(async () => {
  ollama = await startOllamaDouble({ models: MODELS, ...INSTANT_PACE })
  const [config] = resolveConfig({ servers: { gpu: { url: ollama.url } } }, 'the test').servers
  if (!config) throw new Error('there is no server')
  const prompts = { secret: async () => undefined, choose: async () => undefined }
  server = openServer(config, { prompts, clock: systemClock, log: silentLog })
})

afterAll(async () => {
  server.close()
  await ollama.stop()
})

/** Asks a model whose answer is cut after so many pieces of each request, and gives the whole turn. */
async function ask(
  model: string,
  cuts: readonly number[] | ((asked: Ask) => Behaviour),
): Promise<{ turn: Turn; requests: RecordedRequest[] }> {
  const surface = new MemorySurface()
  const router = new ProviderRouter(
    new Map([['gpu', new Ollama({ http: server.http, clock: systemClock, server: 'gpu' })]]),
  )
  const session = new Session(CHAT, {
    surface,
    answerer: router,
    // The server is never away for long here, and nobody shall wait for it.
    ways: { whenBack: async () => {}, tryNow: () => {}, nextTry: () => undefined },
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
    log: silentLog,
    settings: () => ({ options: {}, resume: 'auto' as const }),
  })
  const before = ollama.requests.length
  const whole = { pieces: piecesOf(ANSWER), thinking: piecesOf(THINKING) }
  ollama.scriptAll(typeof cuts === 'function' ? cuts : cutting(cuts, whole))
  session.useModel(`gpu:${model}`)
  await session.send('What?')
  while (session.state().phase !== 'idle') await new Promise((resolve) => setImmediate(resolve))
  await session.show()
  expect(surface.text).toBe(renderShown(session.record.history))
  expect(parse(surface.text)).toEqual({ conversation: session.conversation, problems: [] })
  return { turn: session.conversation.turns.at(-1) as Turn, requests: ollama.requests.slice(before) }
}

function cutting(cuts: readonly number[], whole: { pieces: string[]; thinking: string[] }) {
  const left = [...cuts]
  return () => {
    const cutAfter = left.shift()
    return cutAfter === undefined ? whole : { ...whole, cutAfter, ending: 'fin-without-terminator' as const }
  }
}

const cuts = fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 4 })

describe('an answer that is cut again and again', () => {
  test.each(['open', 'closed', 'refusing'])(
    'is in the end what it would have been, from a model that is %s',
    async (model) => {
      await fc.assert(
        fc.asyncProperty(cuts, async (places) => {
          const { turn } = await ask(model, places)
          expect(turn).toMatchObject({ text: ANSWER, thinking: THINKING, end: 'done' })
        }),
        { numRuns: 25 },
      )
    },
  )

  test('the way it is gone on with is probed once, and stands in the turn', async () => {
    const pieces = piecesOf(THINKING).length
    const { turn, requests } = await ask('open', [pieces + 20, 10])
    expect(turn.seams?.map(({ method }) => method)).toEqual(['prefill', 'prefill'])
    expect(turn.note).toBeUndefined()
    const probes = requests.filter(({ body }) => (body as { _debug_render_only?: true })?._debug_render_only)
    expect(probes).toHaveLength(1)
    const raw = await ask('closed', [pieces + 20])
    expect(raw.turn.seams?.map(({ method }) => method)).toEqual(['raw'])
    const refused = await ask('refusing', [pieces + 20])
    expect(refused.turn.seams?.map(({ method }) => method)).toEqual(['raw'])
  })

  test('with thinking only it begins anew, and says so', async () => {
    const { turn } = await ask('open', [3])
    expect(turn).toMatchObject({ text: ANSWER, thinking: THINKING, seams: [{ at: 0, method: 'anew' }] })
    expect(turn.note).toMatchObject({ code: 'ANSWER_SEAM', text: expect.stringContaining('asked anew') })
  })
})

describe('a server that does not show its prompts', () => {
  test('however much of the end is repeated by the answer that goes on, it is no more than marked', async () => {
    ollama.version = '0.11.4'
    const told = 'Alpha beta gamma — 日本語 delta.\n\n```lua\nlocal epsilon = 1\n```\n\nZeta eta theta iota kappa.'
    const going = { pieces: piecesOf(told) }
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: going.pieces.length - 1 }),
          fc.nat(4),
          async (cutAfter, repeated) => {
            let hasBegun = false
            const { turn } = await ask('open', (asked) => {
              if (asked.messages.length === 1) {
                const isFirst = !hasBegun
                hasBegun = true
                return isFirst ? { ...going, cutAfter, ending: 'fin-without-terminator' } : going
              }
              const partial = asked.messages[1]?.content ?? ''
              const words = [...partial.matchAll(/(?<=^|\s)\S+/g)].map(({ index }) => index)
              const from = repeated === 0 ? partial.length : (words.at(-repeated) ?? 0)
              return { pieces: piecesOf(told.slice(from)) }
            })
            const [seam] = turn.seams ?? []
            expect(turn).toMatchObject({ text: told, end: 'done', note: { code: 'ANSWER_SEAM' } })
            // What is cut within its first word is asked anew: `Alpha` is two pieces.
            expect(seam).toMatchObject({ method: cutAfter <= 2 ? 'anew' : 'continue' })
          },
        ),
        { numRuns: 25 },
      )
    } finally {
      ollama.version = '0.32.15'
    }
  })

  test('is never asked to, since it would generate; the rest is asked for and marked', async () => {
    ollama.version = '0.11.4'
    try {
      const pieces = piecesOf(THINKING).length
      const { turn, requests } = await ask('open', [pieces + 20])
      const sent = requests.map(({ body }) => body as { _debug_render_only?: true; messages?: { content: string }[] })
      expect(sent.some((body) => body?._debug_render_only)).toBe(false)
      expect(turn.seams?.map(({ method }) => method)).toEqual(['continue'])
      expect(turn.note).toMatchObject({
        code: 'ANSWER_SEAM',
        text: expect.stringMatching(/after “.+” the seam may be/),
      })
      // The double takes the request for a new question, and answers it from the beginning.
      const cut = ANSWER.slice(0, turn.seams?.[0]?.at)
      expect(sent.at(-1)?.messages?.at(-1)?.content).toContain(cut.slice(-40))
      expect(turn.text.startsWith(cut)).toBe(true)
    } finally {
      ollama.version = '0.32.15'
    }
  })
})
