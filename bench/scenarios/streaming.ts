/**
 * Answers at 50, 500 and 5,000 tokens/s and as fast as they come, into an editor with a screen and highlighting.
 * During the first answer of each speed a timer of 2 ms tells how late the editor's main loop is, and keys in an uneven
 * rhythm how long one takes from its sending to its mapping, beside the same editor idle; during the second one nothing
 * is watched, and the system tells what editor and host cost. Beside the answers as fast as they come stands `curl -N`
 * through `ssh -L`, in turns. Every answer is compared with what the server sent.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, elapsed } from '../chat.ts'
import { curlPrompts } from '../curl.ts'
import { costOf } from '../processes.ts'
import { type NeovimLine, type Rig, type Scenario, withEachNeovim } from '../rig.ts'
import type { Line, Row } from '../rows.ts'
import { delayRows, type Limits } from '../sample-rows.ts'
import { sample } from '../sampling.ts'
import type { Scope } from '../scope.ts'
import { openStage, type Stage } from '../stage.ts'
import { median } from '../statistics.ts'

export const streaming: Scenario = {
  name: 'streaming',
  title: 'Streaming, highlighting on',
  run: (rig) => withEachNeovim((line) => rig.scope.nested((scope) => measure(rig, line, scope))),
}

/** Tokens per second, and what was promised at that speed. */
const SPEEDS: readonly { speed: number; limits: Limits; cpuSeconds?: number }[] = [
  { speed: 50, limits: {} },
  { speed: 500, limits: { loop: 5, keys: 5 }, cpuSeconds: 0.3 },
  { speed: 5_000, limits: {} },
]
const IDLE_MS = 2_000

interface Pair {
  ours: number
  curl: number
  whole: boolean
}

async function measure(rig: Rig, line: NeovimLine, scope: Scope): Promise<Line[]> {
  const stage = await openStage(rig, line, scope)
  const { chat, editor, pids } = stage
  const answers: Answer[] = [await chat.ask({ label: `${line}-warm`, tokens: 200 })]
  const idle = await sample(editor, () => delay(IDLE_MS))
  const rows: Row[] = []
  for (const { speed, limits, cpuSeconds } of SPEEDS) {
    const tokens = speed * rig.settings.streamSeconds
    const ask = async (name: string) => {
      const answer = await chat.ask({ label: `${line}-${name}-${speed}`, tokens }, speed)
      answers.push(answer)
    }
    const watched = await sample(editor, () => ask('watched'))
    const costs = await costOf(pids, () => ask('unwatched'))
    const figure = `${line}: ${speed.toLocaleString('en')} tokens/s`
    rows.push(...delayRows(figure, watched, idle, limits), cpuRow(figure, costs, { tokens, limit: cpuSeconds }))
  }
  const pairs = await bursts(rig, stage, scope)
  return [...rows, burstRow(rig, line, pairs), wholeRow(line, [...answers, ...pairs])]
}

async function bursts(rig: Rig, { chat, backend }: Stage, scope: Scope): Promise<Pair[]> {
  const forward = await rig.forward(scope, await rig.destination())
  const pairs: Pair[] = []
  for (let burst = 0; burst < rig.settings.bursts; burst += 1) {
    await chat.openAnew()
    const plan = { label: `burst-${burst}`, tokens: rig.settings.burstTokens }
    const { times, whole } = await chat.ask(plan)
    await backend.answerWith(plan, 'unbounded')
    const [curl] = await curlPrompts(forward.port, 1)
    pairs.push({ ours: elapsed(times, 'keyAt', 'lastWordsAt'), curl: curl?.total ?? Number.NaN, whole })
  }
  return pairs
}

function cpuRow(
  figure: string,
  costs: readonly number[],
  { tokens, limit }: { tokens: number; limit: number | undefined },
): Row {
  const [editor = Number.NaN, host = Number.NaN] = costs.map((seconds) => (seconds / tokens) * 1000)
  return {
    figure: `${figure}: CPU of editor and host per 1,000 tokens`,
    unit: 's',
    ours: editor + host,
    also: { editor, host },
    ...(limit === undefined ? {} : { target: { atMost: limit } }),
  }
}

function burstRow(rig: Rig, line: NeovimLine, pairs: readonly Pair[]): Row {
  return {
    figure: `${line}: ${rig.settings.burstTokens.toLocaleString('en')} tokens as fast as they come: key → last word`,
    unit: 'ms',
    ours: median(pairs.map(({ ours }) => ours)),
    beside: [{ what: '`curl -N` through `ssh -L`', value: median(pairs.map(({ curl }) => curl)) }],
    target: { timesFirst: 1.3 },
  }
}

function wholeRow(line: NeovimLine, answers: readonly { whole: boolean }[]): Row {
  return {
    figure: `${line}: answers, of ${answers.length}, that are not exactly what was sent`,
    unit: '',
    ours: answers.filter(({ whole }) => !whole).length,
    target: { atMost: 0 },
  }
}
