/** An answer line by line, and each way in which it can end. */

import { AnswerPlan, mergedParts } from './answer-plan.ts'
import { AnswerStream } from './answer-stream.ts'
import { DEFAULT_ERROR_TEXT, type Ending } from './behaviour.ts'
import { doneLine, type Part, partLine } from './lines.ts'
import { send } from './reply.ts'
import { departure, earlyError, lineContext, pacedParts, type Run, type Stages, tally } from './run.ts'

export async function streamed(run: Run, stages: Stages): Promise<void> {
  const { engine, exchange, ask, behaviour } = run
  const plan = new AnswerPlan(behaviour, ask)
  const speed = behaviour.tokensPerSecond ?? engine.pace.tokensPerSecond
  const stream = new AnswerStream(exchange.response, exchange.gone, {
    splitMode: behaviour.splitMode ?? engine.pace.splitMode,
    batched: speed === 'unbounded',
  })
  const holdsLast = behaviour.ending === 'done-with-content'
  const context = lineContext(run)
  const { cutAfter = Number.POSITIVE_INFINITY } = behaviour
  let held: Part | undefined
  for await (const part of pacedParts(run, plan)) {
    if (plan.tokens > cutAfter) break
    const next = holdsLast ? held : part
    held = part
    if (next !== undefined && !stream.line(partLine(context, next))) await stream.drained()
    exchange.gone.throwIfAborted()
  }
  const last = mergedParts(holdsLast ? held : undefined, plan.finalPart)
  const ending = behaviour.ending ?? 'done'
  const done = (): object => doneLine(context, last, plan.doneReason, tally(run, stages, plan))
  await ENDINGS[ending](run, stream, done)
}

type EndStream = (run: Run, stream: AnswerStream, done: () => object) => void | Promise<void>

const endWithDone: EndStream = (_run, stream, done) => {
  stream.line(done())
  stream.end()
}

const ENDINGS: Readonly<Record<Ending, EndStream>> = {
  done: endWithDone,
  'done-with-content': endWithDone,
  'error-line': (run, stream) => {
    const error = run.behaviour.errorText ?? DEFAULT_ERROR_TEXT
    if (!stream.started) return send(run.exchange.response, earlyError(run, 500, error))
    stream.line({ error })
    stream.end()
  },
  'eof-without-done': (_run, stream) => stream.end(),
  reset: (_run, stream) => stream.reset(),
  'fin-without-terminator': (_run, stream) => stream.breakOff(),
  stall: (run, stream) => {
    stream.flush()
    return departure(run.exchange.gone)
  },
}
