/**
 * The way of one prompt through a warm tunnel, on one machine. In turns: a bare kept-alive socket through `ssh -L`, one
 * without SSH, and the plugin, each asking a short answer whose first token comes at once and whose others follow as a model's do. The server's process tells when the request
 * was wholly there and when it wrote the answer's first byte; Neovim tells when that text stood in the transcript.
 * `curl -N`, kept alive through `ssh -L` and without SSH, tells its own time from request to first byte.
 */
import type { Backend } from '../backend-client.ts'
import { connectBare } from '../bare-client.ts'
import { type AnswerTimes, elapsed } from '../chat.ts'
import { curlPrompts } from '../curl.ts'
import { bareHalves, type Halves } from '../halves.ts'
import { type NeovimLine, type Rig, type Scenario, withEachNeovim } from '../rig.ts'
import type { Line, Reference, Row } from '../rows.ts'
import type { Scope } from '../scope.ts'
import { openStage } from '../stage.ts'
import { median, percentile } from '../statistics.ts'

export const latency: Scenario = {
  name: 'latency',
  title: 'One prompt through a warm tunnel, on one machine',
  run: (rig) => withEachNeovim((line) => rig.scope.nested((scope) => measure(rig, line, scope))),
}

interface Round {
  tunnelled: Halves
  direct: Halves
  ours: AnswerTimes
}

interface CurlMedians {
  tunnelled: number
  direct: number
}

const TOKENS = 8
/** Tokens per second: the answer must not be over when its first words are shown, for an end hurries everything. */
const SPEED = 100

async function measure(rig: Rig, line: NeovimLine, scope: Scope): Promise<Line[]> {
  const { chat, backend } = await openStage(rig, line, scope)
  const forward = await rig.forward(scope, await rig.destination())
  const open = async (port: number) => scope.own(await connectBare(port), (socket) => void socket.destroy())
  const [tunnelled, direct] = [await open(forward.port), await open(backend.port)]
  const oneRound = async (name: string): Promise<Round> => ({
    tunnelled: await bareHalves(backend, tunnelled, `${line}-tunnelled-${name}`),
    direct: await bareHalves(backend, direct, `${line}-direct-${name}`),
    ours: (await chat.ask({ label: `${line}-ours-${name}`, tokens: TOKENS }, SPEED)).times,
  })
  await oneRound('warm')
  const rounds: Round[] = []
  for (let round = 0; round < rig.settings.prompts; round += 1) rounds.push(await oneRound(String(round)))
  const curl = (port: number) => curlFirstByte(backend, port, rig.settings.prompts)
  return rows(line, rounds, { tunnelled: await curl(forward.port), direct: await curl(backend.port) })
}

async function curlFirstByte(backend: Backend, port: number, count: number): Promise<number> {
  await backend.answerWith({ label: 'curl', tokens: TOKENS }, 'unbounded')
  // The first one opens the connection.
  const [, ...kept] = await curlPrompts(port, count + 1)
  return median(kept.map(({ firstByte }) => firstByte))
}

function rows(line: NeovimLine, rounds: readonly Round[], curl: CurlMedians): Row[] {
  const bare = (half: keyof Halves): Reference[] => [
    { what: 'bare socket through `ssh -L`', value: median(rounds.map(({ tunnelled }) => tunnelled[half])) },
    { what: 'without SSH', value: median(rounds.map(({ direct }) => direct[half])) },
  ]
  const ours = (from: keyof AnswerTimes, to: keyof AnswerTimes) => {
    const values = rounds.map((round) => elapsed(round.ours, from, to))
    return { unit: 'ms' as const, ours: median(values), also: { p90: percentile(values, 90) } }
  }
  const curls = [
    { what: '`curl -N` through `ssh -L`', value: curl.tunnelled },
    { what: 'without SSH', value: curl.direct },
  ]
  return [
    {
      figure: `${line}: key → request at the server`,
      ...ours('keyAt', 'parsedAt'),
      beside: bare('out'),
      target: { atMost: 3 },
    },
    {
      figure: `${line}: server's first byte → transcript`,
      ...ours('firstByteAt', 'firstWordsAt'),
      beside: bare('back'),
      target: { atMost: 1.5 },
    },
    { figure: `${line}: key → first words in the transcript`, ...ours('keyAt', 'firstWordsAt'), beside: curls },
  ]
}
