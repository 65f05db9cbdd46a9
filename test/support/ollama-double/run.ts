/** One generation that holds its slot, and what every stage of it needs to speak. */

import type { AnswerPlan } from './answer-plan.ts'
import type { Ask } from './ask.ts'
import type { Behaviour } from './behaviour.ts'
import { paced } from './clock.ts'
import type { Engine } from './engine.ts'
import type { Exchange } from './exchange.ts'
import { goJson } from './go-text.ts'
import type { LineContext, Part, Tally } from './lines.ts'
import { countTokens } from './pieces.ts'
import { BARE_JSON_TYPE, failure, NDJSON_TYPE, type Reply } from './reply.ts'

export interface Run {
  readonly engine: Engine
  readonly exchange: Exchange
  readonly ask: Ask
  readonly behaviour: Behaviour
}

/** When the stages ended, in the clock's milliseconds. */
export interface Stages {
  readonly loaded: number
  readonly prompted: number
}

export function pacedParts(run: Run, plan: AnswerPlan): Iterable<Part> | AsyncIterable<Part> {
  const speed = run.behaviour.tokensPerSecond ?? run.engine.pace.tokensPerSecond
  if (speed === 'unbounded') return plan.parts()
  return paced(plan.parts(), speed, run.engine.options.clock, run.exchange.gone)
}

export function departure(gone: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (gone.aborted) return reject(gone.reason)
    gone.addEventListener('abort', () => reject(gone.reason), { once: true })
  })
}

/** An error before the first line: with its status, or in the old era as the only line of a good reply. */
export function earlyError(run: Run, status: number, error: string): Reply {
  if (!run.ask.stream) return failure(status, error)
  const body = goJson({ error })
  if (run.engine.options.dialect.earlyErrorsHaveStatus) return { status, type: BARE_JSON_TYPE, body }
  return { status: 200, type: NDJSON_TYPE, body: `${body}\n` }
}

export function lineContext({ engine, ask }: Run): LineContext {
  return { ask, dialect: engine.options.dialect, createdAt: () => engine.timestamp() }
}

export function tally({ engine, exchange, ask }: Run, stages: Stages, plan: AnswerPlan): Tally {
  const now = engine.options.clock.now()
  const { at } = exchange.request
  return {
    totalMs: now - at,
    loadMs: stages.loaded - at,
    promptMs: stages.prompted - stages.loaded,
    evalMs: now - stages.prompted,
    promptTokens: ask.messages.reduce((total, message) => total + countTokens(message.content), 0),
    evalTokens: plan.tokens,
  }
}
