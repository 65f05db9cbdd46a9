// The far side in a process of its own, so that neither side's work delays the other: the Ollama double and the
// proxies of distance. It is started and asked by backend-client.ts, and ends with it.

import { INSTANT_PACE } from '../test/support/ollama-double/behaviour.ts'
import { type OllamaDouble, startOllamaDouble } from '../test/support/ollama-double/ollama-double.ts'
import type { BackendCall, BackendReply, Served, Speed } from './backend-calls.ts'
import { startDelayProxy } from './delay-proxy.ts'
import { monotonic, offsetOfPerformanceNow } from './monotonic.ts'
import { answerPieces, type Plan } from './text.ts'

const served = new Map<string, Served>()
const offset = offsetOfPerformanceNow()

const double = await startOllamaDouble(INSTANT_PACE)
answerWith({ label: 'unasked', tokens: 2 }, 'unbounded')

process.on('disconnect', () => process.exit(0))
process.on('message', (message: { id: number; call: BackendCall }) => {
  answer(message.call).then(
    (value) => reply({ id: message.id, value }),
    (error: unknown) => reply({ id: message.id, error: String(error) }),
  )
})
reply({ id: 0, value: { port: double.port } })

async function answer(call: BackendCall): Promise<unknown> {
  switch (call.kind) {
    case 'answer-with':
      return answerWith(call.plan, call.speed)
    case 'served':
      return served.get(call.label)
    case 'proxy':
      return (await startDelayProxy(call.distance)).port
  }
}

function answerWith(plan: Plan, speed: Speed): void {
  const pieces = answerPieces(plan)
  double.scriptAll(() => {
    const record: Served = { parsedAt: lastParsed(double), firstByteAt: Number.NaN }
    served.set(plan.label, record)
    return { tokensPerSecond: speed, pieces: timed(pieces, record) }
  })
}

/** The first piece is taken at the moment when it is written. */
function* timed(pieces: readonly string[], record: Served): Generator<string> {
  record.firstByteAt = monotonic()
  yield* pieces
}

function lastParsed({ requests }: OllamaDouble): number {
  const asked = requests.findLast(({ path }) => path === '/api/chat')
  return (asked?.at ?? Number.NaN) + offset
}

function reply(message: BackendReply): void {
  process.send?.(message)
}
