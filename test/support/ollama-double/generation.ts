/** The life of one generation: queue, load, prompt, answer; each stage ends when the client leaves. */

import type { Ask } from './ask.ts'
import type { Refusal } from './behaviour.ts'
import { sleep } from './clock.ts'
import type { Engine } from './engine.ts'
import { ClientGone, type Exchange } from './exchange.ts'
import { failure, send } from './reply.ts'
import { earlyError, type Run } from './run.ts'
import { streamed } from './streamed-answer.ts'
import { whole } from './whole-answer.ts'

/** What of a question matters for having its model in memory. */
type Use = Pick<Ask, 'model' | 'keepAliveMs' | 'options'>

export async function generate(engine: Engine, exchange: Exchange, ask: Ask): Promise<void> {
  const behaviour = engine.nextBehaviour(ask)
  const { refusal } = behaviour
  if (refusal?.from === 'handler') return send(exchange.response, failure(refusal.status, errorText(refusal)))
  await untilGone(engine, exchange, async () => {
    const release = await acquireSlot(engine, exchange, ask)
    try {
      await withModel(engine, exchange, ask, behaviour.loadMs, () => answer({ engine, exchange, ask, behaviour }))
    } finally {
      engine.active -= 1
      release()
      engine.changed()
    }
  })
}

/** Brings the model into memory without generating; the reply is sent by the caller when true. */
export async function loadOnly(engine: Engine, exchange: Exchange, ask: Use): Promise<boolean> {
  return untilGone(engine, exchange, () => withModel(engine, exchange, ask, undefined, async () => {}))
}

/** Runs a piece of work; a departure of the client ends it, is counted, and makes this false. */
async function untilGone(engine: Engine, exchange: Exchange, work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (cause) {
    if (!(cause instanceof ClientGone)) throw cause
    exchange.response.socket?.destroy()
    engine.cancelled += 1
    engine.changed()
    return false
  }
}

async function acquireSlot(engine: Engine, exchange: Exchange, ask: Ask): Promise<() => void> {
  const waiting = engine.slotsOf(ask.model).acquire(exchange.gone)
  engine.changed()
  const release = await waiting
  engine.active += 1
  engine.changed()
  return release
}

async function withModel(
  engine: Engine,
  exchange: Exchange,
  ask: Use,
  loadMs: number | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const { num_ctx: contextLength } = ask.options
  const wish = {
    loadMs: loadMs ?? engine.pace.loadMs,
    contextLength: typeof contextLength === 'number' ? contextLength : undefined,
    keepAliveMs: ask.keepAliveMs,
  }
  await engine.residency.enter(ask.model, wish, exchange.gone)
  try {
    await work()
  } finally {
    engine.residency.leave(ask.model, ask.keepAliveMs)
  }
}

async function answer(run: Run): Promise<void> {
  const { engine, exchange, ask, behaviour } = run
  const { clock } = engine.options
  const loaded = clock.now()
  await sleep(clock, behaviour.promptMs ?? engine.pace.promptMs, exchange.gone)
  const stages = { loaded, prompted: clock.now() }
  const { refusal } = behaviour
  if (refusal !== undefined) return send(exchange.response, earlyError(run, refusal.status, errorText(refusal)))
  return ask.stream ? streamed(run, stages) : whole(run, stages)
}

function errorText(refusal: Refusal): string {
  return typeof refusal.error === 'string' ? refusal.error : JSON.stringify(refusal.error)
}
