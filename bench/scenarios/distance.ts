/**
 * The same way with a distance in it: a small proxy before sshd holds back each direction. 30 ms there and back: the two
 * halves of one prompt through a warm tunnel, beside a bare kept-alive socket through `ssh -L`, in turns. 40 ms: from the
 * key to the first words with host and editor warm and no connection yet, beside a new `ssh -W` from its start to the
 * answer's first byte. A proxy acknowledges what it takes at once, so this shows round trips, but not what TCP itself
 * makes of a long way.
 */
import { once } from 'node:events'
import { askBare, connectBare } from '../bare-client.ts'
import { type AnswerTimes, elapsed } from '../chat.ts'
import { bareHalves, type Halves } from '../halves.ts'
import { type Destination, startStdio } from '../openssh-client.ts'
import type { Rig, Scenario } from '../rig.ts'
import type { Line, Row } from '../rows.ts'
import type { Scope } from '../scope.ts'
import { openStage, type Stage } from '../stage.ts'
import { median, percentile } from '../statistics.ts'

export const distance: Scenario = {
  name: 'distance',
  title: 'Over a distance',
  run: async (rig) => [
    ...(await rig.scope.nested(async (scope) => warm(rig, scope, await distant(rig, WARM_ROUND_TRIP_MS)))),
    ...(await rig.scope.nested(async (scope) => cold(rig, scope, await distant(rig, COLD_ROUND_TRIP_MS)))),
  ],
}

const WARM_ROUND_TRIP_MS = 30
const COLD_ROUND_TRIP_MS = 40
const HALF_TARGET_MS = 17
const COLD_TARGET = 0.6
const LINE = '0.12'
const TOKENS = 8
/** Tokens per second, as in latency.ts. */
const SPEED = 100

async function distant(rig: Rig, roundTripMs: number): Promise<Destination> {
  const { port: targetPort } = await rig.sshd()
  const backend = await rig.backend()
  return rig.destination(await backend.proxy({ targetPort, oneWayMs: roundTripMs / 2 }))
}

async function warm(rig: Rig, scope: Scope, destination: Destination): Promise<Line[]> {
  const { chat, backend } = await openStage(rig, LINE, scope, { destination })
  const forward = await rig.forward(scope, destination)
  const socket = scope.own(await connectBare(forward.port), (open) => void open.destroy())
  const bare: Halves[] = []
  const ours: AnswerTimes[] = []
  await chat.ask({ label: 'warm', tokens: TOKENS })
  for (let round = 0; round < rig.settings.prompts; round += 1) {
    bare.push(await bareHalves(backend, socket, `distant-bare-${round}`))
    ours.push((await chat.ask({ label: `distant-ours-${round}`, tokens: TOKENS }, SPEED)).times)
  }
  const row = (figure: string, half: keyof Halves, values: readonly number[]): Row => ({
    figure: `${WARM_ROUND_TRIP_MS} ms, warm: ${figure}`,
    unit: 'ms',
    ours: median(values),
    also: { p90: percentile(values, 90) },
    beside: [{ what: 'bare socket through `ssh -L`', value: median(bare.map((halves) => halves[half])) }],
    target: { atMost: HALF_TARGET_MS },
  })
  return [
    row(
      'key → request at the server',
      'out',
      ours.map((times) => elapsed(times, 'keyAt', 'parsedAt')),
    ),
    row(
      "server's first byte → transcript",
      'back',
      ours.map((times) => elapsed(times, 'firstByteAt', 'firstWordsAt')),
    ),
  ]
}

async function cold(rig: Rig, scope: Scope, destination: Destination): Promise<Line[]> {
  const stage = await openStage(rig, LINE, scope, { destination })
  const atOnce: number[] = []
  const written: number[] = []
  const bare: number[] = []
  for (let round = 0; round < rig.settings.coldTunnels; round += 1) {
    bare.push(await throughNewSsh(rig, destination))
    if (round > 0) await startHostAnew(stage)
    atOnce.push(await firstWords(stage, `cold-${round}`))
    await startHostAnew(stage)
    await stage.chat.begin()
    written.push(await firstWords(stage, `begun-${round}`))
  }
  const row = (what: string, values: readonly number[]): Row => ({
    figure: `${COLD_ROUND_TRIP_MS} ms, ${what}: key → first words in the transcript`,
    unit: 'ms',
    ours: median(values),
    beside: [{ what: '`ssh -W` to the first byte', value: median(bare) }],
    target: { timesFirst: COLD_TARGET },
  })
  return [
    row('no connection yet, the prompt sent at once', atOnce),
    row('no connection yet, the prompt written first', written),
  ]
}

async function firstWords({ chat }: Stage, label: string): Promise<number> {
  const { times } = await chat.ask({ label, tokens: TOKENS }, SPEED)
  return elapsed(times, 'keyAt', 'firstWordsAt')
}

/** A new host has no connection. It is ready, and knows the chat, before the next key. */
async function startHostAnew({ editor, chat }: Stage): Promise<void> {
  await editor.lua("vim.cmd('Ollama close') vim.cmd('Ollama restart')")
  await chat.open()
}

async function throughNewSsh(rig: Rig, destination: Destination): Promise<number> {
  const backend = await rig.backend()
  await backend.answerWith({ label: 'new-ssh', tokens: TOKENS }, 'unbounded')
  const { ssh } = await rig.openssh()
  const child = startStdio(ssh, destination, backend.port)
  const { sentAt, firstByteAt } = await askBare({ readable: child.stdout, writable: child.stdin }, 'hello')
  child.kill()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return firstByteAt - sentAt
}
