/** The answer to `stream:false`. */

import { AnswerPlan, mergedParts } from './answer-plan.ts'
import { DEFAULT_ERROR_TEXT } from './behaviour.ts'
import { doneLine, type Part, partLine } from './lines.ts'
import { json, send } from './reply.ts'
import { departure, earlyError, lineContext, pacedParts, type Run, type Stages, tally } from './run.ts'

/** One JSON object, at the same pace; the endings become what they can be there. */
export async function whole(run: Run, stages: Stages): Promise<void> {
  const { exchange, behaviour } = run
  const plan = new AnswerPlan(behaviour, run.ask)
  let all: Part = {}
  for await (const part of pacedParts(run, plan)) {
    exchange.gone.throwIfAborted()
    all = joined(all, part)
  }
  all = mergedParts(all, plan.finalPart)
  const line = doneLine(lineContext(run), all, plan.doneReason, tally(run, stages, plan))
  const { ending = 'done' } = behaviour
  if (ending === 'stall') return departure(exchange.gone)
  if (ending === 'reset') exchange.response.socket?.resetAndDestroy()
  else if (ending === 'fin-without-terminator') exchange.response.socket?.destroySoon()
  else if (ending === 'error-line')
    send(exchange.response, earlyError(run, 500, behaviour.errorText ?? DEFAULT_ERROR_TEXT))
  else if (ending === 'eof-without-done') send(exchange.response, json(partLine(lineContext(run), all)))
  else send(exchange.response, json(line))
}

function joined(all: Part, part: Part): Part {
  const content = (all.content ?? '') + (part.content ?? '')
  const thinking = (all.thinking ?? '') + (part.thinking ?? '')
  const toolCalls = part.toolCalls ?? all.toolCalls
  return { content, ...(thinking === '' ? {} : { thinking }), ...(toolCalls === undefined ? {} : { toolCalls }) }
}
