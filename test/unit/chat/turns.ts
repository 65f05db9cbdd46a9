// Conversations of any content, for property tests.
import fc from 'fast-check'
import type { Conversation, Turn } from '../../../src/chat/record/conversation.ts'
import { hostileText } from './hostile.ts'

const ms = fc.nat(10_000_000)
const nonEmpty = hostileText.filter((text) => text !== '')
const at = fc.constantFrom('2026-11-20 14:02:31', '1999-01-01 00:00:00', '')
const text = fc.oneof(
  hostileText,
  fc.constantFrom('', '\n', '\n\n', ' ', '\\', 'x\n', '\nx', '```', '## ◆ You', '<!-- ◆ {} -->'),
)

/** JSON as it comes out of a parser. */
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const extra = fc
  .dictionary(fc.constantFrom('variants', 'x > y', '\u2028', '__proto__', 'tags'), fc.oneof(json, hostileText), {
    minKeys: 1,
  })
  .map((entries): Record<string, unknown> => ({ ...entries }))

const usage = fc
  .record(
    {
      promptTokens: ms,
      answerTokens: ms,
      loadMs: ms,
      promptMs: ms,
      answerMs: ms,
      totalMs: ms,
      firstTokenMs: fc.double({ noNaN: true, noDefaultInfinity: true, min: 0.5 }),
    },
    { requiredKeys: [] },
  )
  .filter((value) => Object.keys(value).length > 0)

const attachments = fc.array(
  fc.record(
    { name: hostileText, type: fc.constantFrom('image/png', ''), path: hostileText, data: fc.constant('AAAA') },
    { requiredKeys: ['name', 'type'] },
  ),
  { minLength: 1, maxLength: 2 },
)

export const requestParameters = fc
  .record(
    {
      options: fc
        .dictionary(fc.constantFrom('temperature', 'num_ctx', '__proto__'), json)
        .map((value) => ({ ...value })),
      think: fc.constantFrom(true, false, 'high' as const),
      keepAlive: fc.constantFrom('10m', 0, -1),
    },
    { requiredKeys: [] },
  )
  .filter((value) => Object.keys(value).length > 0)

const asked: fc.Arbitrary<Turn> = fc.record(
  { role: fc.constantFrom('user' as const, 'system' as const), text, at, attachments, extra },
  { requiredKeys: ['role', 'text', 'at'] },
)

const model = fc.oneof(
  fc.constantFrom('gpu:qwen3:32b', 'You', 'System', 'Assistant', 'a · b', '100%', '%41', ' x '),
  nonEmpty,
)

export const answered: fc.Arbitrary<Turn> = fc.record(
  {
    role: fc.constant('assistant' as const),
    text,
    at,
    end: fc.constantFrom(
      'done' as const,
      'length' as const,
      'stopped' as const,
      'failed' as const,
      'interrupted' as const,
    ),
    model,
    thinking: nonEmpty,
    thinkingMs: ms,
    note: fc.record({ code: fc.oneof(fc.constantFrom('SSH_DISCONNECTED', 'A · B'), hostileText), text }),
    seams: fc.array(
      fc.record({ at: fc.nat(), method: fc.constantFrom('prefill' as const, 'raw' as const, 'continue' as const) }),
      { minLength: 1, maxLength: 3 },
    ),
    usage,
    parameters: requestParameters,
    extra,
  },
  { requiredKeys: ['role', 'text', 'at', 'end'] },
)

export const conversations: fc.Arbitrary<Conversation> = fc.record({
  turns: fc.array(fc.oneof(asked, answered), { maxLength: 5 }),
})
