/** The objects that travel in an answer, in the key order of Ollama. Pure. */

import { createHash } from 'node:crypto'
import type { Ask } from './ask.ts'
import type { ScriptedToolCall } from './behaviour.ts'
import type { Dialect } from './era.ts'
import { nonZero } from './go-text.ts'

/** What one line carries. */
export interface Part {
  readonly thinking?: string
  readonly content?: string
  readonly toolCalls?: readonly ScriptedToolCall[]
}

/** Times in milliseconds. */
export interface Tally {
  readonly totalMs: number
  readonly loadMs: number
  readonly promptMs: number
  readonly evalMs: number
  readonly promptTokens: number
  readonly evalTokens: number
}

export interface LineContext {
  readonly ask: Ask
  readonly dialect: Dialect
  createdAt(): string
}

export function partLine(context: LineContext, part: Part): object {
  return { ...head(context, part), done: false }
}

export function doneLine(context: LineContext, part: Part, doneReason: string, tally: Tally): object {
  return {
    ...head(context, part),
    done: true,
    done_reason: doneReason === '' ? undefined : doneReason,
    total_duration: nonZero(nanoseconds(tally.totalMs)),
    load_duration: nonZero(nanoseconds(tally.loadMs)),
    prompt_eval_count: nonZero(tally.promptTokens),
    prompt_eval_duration: nonZero(nanoseconds(tally.promptMs)),
    eval_count: nonZero(tally.evalTokens),
    eval_duration: nonZero(nanoseconds(tally.evalMs)),
  }
}

/** The whole reply to an empty prompt: no counters. */
export function idleLine(context: LineContext, doneReason: 'load' | 'unload'): object {
  return { ...head(context, {}), done: true, done_reason: doneReason }
}

function head({ ask, dialect, createdAt }: LineContext, part: Part): object {
  const said = {
    thinking: part.thinking === '' ? undefined : part.thinking,
    tool_calls: part.toolCalls?.map((call, index) => toolCall(call, index, dialect)),
  }
  const content = part.content ?? ''
  const answer =
    ask.shape === 'chat' ? { message: { role: 'assistant', content, ...said } } : { response: content, ...said }
  return { model: ask.name, created_at: createdAt(), ...answer }
}

function toolCall(call: ScriptedToolCall, index: number, dialect: Dialect): object {
  const made = createHash('sha256').update(`${index} ${call.name}`).digest('hex').slice(0, 8)
  return {
    id: dialect.toolCallIds ? (call.id ?? `call_${made}`) : undefined,
    function: { index, name: call.name, arguments: call.arguments },
  }
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6)
}
