import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import type { HostEvent } from '../../../src/core/events.ts'
import { observed } from '../../../src/providers/observed.ts'
import type { StreamPart } from '../../../src/providers/provider.ts'
import { FakeClock } from '../core/fake-clock.ts'

const ABOUT = { server: 'gpu', request: 7, model: 'gpu:qwen3:4b' }
const FINISH: StreamPart = { type: 'finish', reason: 'stop', usage: { answerTokens: 30, answerMs: 2_000 } }

describe('an observed answer', () => {
  it('is the same answer, and tells of its first word and its end once', async () => {
    const parts: StreamPart[] = [
      { type: 'phase', phase: 'loading' },
      { type: 'thinking', text: 'a' },
      text('b'),
      FINISH,
    ]
    const { seen, told } = await run(parts)
    expect(seen).toEqual(parts)
    expect(told).toEqual([
      { name: 'FirstByte', ...ABOUT, seconds: 0 },
      { name: 'AnswerComplete', ...ABOUT, seconds: 0, reason: 'stop', tokens: 30, tokensPerSecond: 15 },
    ])
  })

  it('tells the words of the answer only when that is asked for', async () => {
    const parts = [{ type: 'thinking', text: 'hm' } as const, text('one '), text('two'), FINISH]
    expect(JSON.stringify((await run(parts)).told)).not.toContain('two')
    expect((await run(parts, { withContent: true })).told.at(-1)).toMatchObject({ answer: 'one two' })
  })

  it('tells a failure with its code, and passes it on', async () => {
    const failure = new PluginError('SSH_DISCONNECTED', 'The link was lost')
    const { thrown, told } = await run([text('a')], { failure })
    expect(thrown).toBe(failure)
    expect(told.map(({ name }) => name)).toEqual(['FirstByte', 'AnswerFailed'])
    expect(told.at(-1)).toMatchObject({ code: 'SSH_DISCONNECTED', message: 'The link was lost' })
  })

  it('tells of an answer that nobody reads to its end as stopped', async () => {
    const { told } = await run([text('a'), text('b'), FINISH], { leaveAfter: 1 })
    expect(told.at(-1)).toMatchObject({ name: 'AnswerFailed', code: 'CHAT_STOPPED' })
  })
})

function text(words: string): StreamPart {
  return { type: 'text', text: words }
}

async function run(
  parts: readonly StreamPart[],
  options: { withContent?: boolean; failure?: Error; leaveAfter?: number } = {},
) {
  const told: HostEvent[] = []
  const seen: StreamPart[] = []
  let thrown: unknown
  const source = (async function* () {
    yield* parts
    if (options.failure) throw options.failure
  })()
  const observer = {
    clock: new FakeClock(),
    tell: (event: HostEvent) => told.push(event),
    number: () => 1,
    withContent: () => options.withContent ?? false,
  }
  try {
    for await (const part of observed(source, ABOUT, observer)) {
      seen.push(part)
      if (seen.length === options.leaveAfter) break
    }
  } catch (error) {
    thrown = error
  }
  return { told, seen, thrown }
}
