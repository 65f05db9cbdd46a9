// From the bytes of a streamed `/api/chat` or `/api/generate` to parts. Pure: no request is made here.
import * as z from 'zod'
import { PluginError } from '../core/errors.ts'
import { lineBatches } from '../core/framing.ts'
import { type AnswerOrigin, errorFromAnswer } from './ollama-errors.ts'
import type { StreamPart, Usage } from './provider.ts'

const count = z.number().nullish()

const lineSchema = z.object({
  error: z.unknown().optional(),
  message: z.object({ content: z.string().nullish(), thinking: z.string().nullish() }).nullish(),
  /** The text of `/api/generate`. */
  response: z.string().nullish(),
  done: z.boolean().nullish(),
  done_reason: z.string().nullish(),
  total_duration: count,
  load_duration: count,
  prompt_eval_count: count,
  prompt_eval_duration: count,
  eval_count: count,
  eval_duration: count,
})

type Line = z.output<typeof lineSchema>

/**
 * The parts of one answer. The end of the stream is a line with `done: true` and nothing else.
 * @throws PluginError of the server's own error line (which comes under HTTP 200 too), API_PROTOCOL for what is no such
 *   stream, API_INCOMPLETE when the server ends it early; and whatever the body throws.
 */
export async function* partsOf(body: AsyncIterable<Uint8Array>, origin: AnswerOrigin): AsyncGenerator<StreamPart> {
  const source = lineBatches(body)
  let isDone = false
  try {
    for (let next = await source.next(); !next.done; next = await source.next()) {
      const { parts, failure } = readBatch(next.value, origin)
      isDone = parts.at(-1)?.type === 'finish'
      yield* parts
      if (failure) throw failure
      if (isDone) return
    }
  } finally {
    if (isDone) void readOn(source)
    else await source.return(undefined)
  }
  throw new PluginError('API_INCOMPLETE', `${origin.server} ended the answer before it was done`, {
    hint: 'What came is kept. gr asks again.',
  })
}

/** Behind the last line only the body's end comes. Left unread it would cost the channel, and the next request a round trip. */
async function readOn(source: AsyncGenerator<unknown>): Promise<void> {
  try {
    while (!(await source.next()).done);
  } catch {
    // The answer is whole already.
  }
}

interface Batch {
  parts: StreamPart[]
  /** What the first line that is no part of an answer means; the parts before it count. */
  failure?: PluginError
}

/** The parts of lines that came together, up to the answer's end; neighbours of one kind are one part. */
function readBatch(lines: readonly string[], origin: AnswerOrigin): Batch {
  const parts: StreamPart[] = []
  for (const text of lines) {
    if (text.trim() === '') continue
    const line = readLine(text, origin)
    if (line instanceof PluginError) return { parts, failure: line }
    // The last line may carry words too: they come before the end.
    add(parts, 'thinking', line.message?.thinking)
    add(parts, 'text', line.message?.content ?? line.response)
    if (line.done) return { parts: [...parts, { type: 'finish', reason: reasonOf(line), usage: usageOf(line) }] }
  }
  return { parts }
}

function add(parts: StreamPart[], type: 'thinking' | 'text', text: string | null | undefined): void {
  if (!text) return
  const last = parts.at(-1)
  if (last?.type === type) last.text += text
  else parts.push({ type, text })
}

function readLine(text: string, origin: AnswerOrigin): Line | PluginError {
  const parsed = lineSchema.safeParse(parseJson(text))
  // 0.11 sent an error under another key, so whatever lacks `message`, `response` and `done` is taken for one.
  const known =
    parsed.success &&
    !parsed.data.error &&
    (parsed.data.message ?? parsed.data.response ?? parsed.data.done ?? undefined) !== undefined
  return known ? parsed.data : errorFromAnswer(text, origin)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function reasonOf(line: Line): Extract<StreamPart, { type: 'finish' }>['reason'] {
  const reason = line.done_reason
  return reason === 'stop' || reason === 'length' || reason === 'load' || reason === 'unload' ? reason : 'unknown'
}

/** Zero is left out by the server, so what is absent is unknown. Durations come in nanoseconds. */
function usageOf(line: Line): Usage {
  const usage: Usage = {}
  const set = (key: keyof Usage, value: number | null | undefined, unit = 1) => {
    if (value) usage[key] = Math.round(value / unit)
  }
  set('promptTokens', line.prompt_eval_count)
  set('answerTokens', line.eval_count)
  set('totalMs', line.total_duration, 1e6)
  set('loadMs', line.load_duration, 1e6)
  set('promptMs', line.prompt_eval_duration, 1e6)
  set('answerMs', line.eval_duration, 1e6)
  return usage
}
