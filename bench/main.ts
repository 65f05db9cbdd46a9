// `make bench`: measures beside bare references, prints a table and a line of JSON for each scenario, and exits with 0.
// ONLY=name runs one scenario, BENCH_QUICK=1 few rounds, BENCH_FULL=1 many, BENCH_ROUNDS=n the median of n whole runs;
// `--write` puts the table into doc/performance.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROJECT_ROOT } from '../scripts/project-root.ts'
import { describeMachine } from './machine.ts'
import { between, jsonLine, markdownTable, type Result, terminalTable } from './report.ts'
import { gap, Rig, type Scenario } from './rig.ts'
import { combine, type Line } from './rows.ts'
import { bigChat } from './scenarios/big-chat.ts'
import { coldStart } from './scenarios/cold-start.ts'
import { distance } from './scenarios/distance.ts'
import { latency } from './scenarios/latency.ts'
import { longHistory } from './scenarios/long-history.ts'
import { memory } from './scenarios/memory.ts'
import { savedChats } from './scenarios/saved-chats.ts'
import { startup } from './scenarios/startup.ts'
import { streaming } from './scenarios/streaming.ts'
import { updates } from './scenarios/updates.ts'
import { Scope } from './scope.ts'
import { settingsOf } from './settings.ts'

const SCENARIOS: readonly Scenario[] = [
  startup,
  coldStart,
  latency,
  streaming,
  longHistory,
  bigChat,
  savedChats,
  updates,
  memory,
  distance,
]
const MARKERS = ['<!-- bench: begin -->', '<!-- bench: end -->'] as const
const DOCUMENT = join(PROJECT_ROOT, 'doc/performance.md')

const args = process.argv.slice(2)
const only = args.find((arg) => !arg.startsWith('-')) ?? process.env.ONLY
const rounds = Math.max(1, Number(process.env.BENCH_ROUNDS) || 1)
const chosen = SCENARIOS.filter(({ name }) => !only || name === only)

if (chosen.length === 0) say(`no scenario is named ${only}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`)
const scope = new Scope()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => leave(130))
process.once('uncaughtException', (error) => {
  say(`make bench: ${error.stack ?? error.message}`)
  leave(0)
})
await run(new Rig(settingsOf(process.env), scope))
  .catch((error: unknown) => say(`make bench: ${error instanceof Error ? error.message : String(error)}`))
  .finally(() => scope.close())

function leave(code: number): void {
  void scope.close().finally(() => process.exit(code))
}

async function run(rig: Rig): Promise<void> {
  if (chosen.length === 0) return
  const machine = await describeMachine(rig)
  say(`${machine}\n`)
  const results: Result[] = []
  for (const scenario of chosen) results.push(await measured(rig, scenario))
  if (args.includes('--write')) write(machine, results)
}

async function measured(rig: Rig, { name, title, run: measure }: Scenario): Promise<Result> {
  const all: Line[][] = []
  for (let round = 0; round < rounds; round += 1) {
    all.push(await measure(rig).catch((error: unknown) => [gap(name, error)]))
  }
  const result = { scenario: name, title, lines: combine(all) }
  say(terminalTable(result))
  say(jsonLine(result))
  say('')
  return result
}

function write(machine: string, results: readonly Result[]): void {
  if (only) throw new Error('the document holds all scenarios: write it without ONLY')
  const day = new Date().toISOString().slice(0, 10)
  const runs = rounds === 1 ? 'one run' : `the median of ${rounds} runs`
  const content = `Measured on ${day}, ${runs}: ${machine}.\n\n${markdownTable(results)}`
  writeFileSync(DOCUMENT, between(readFileSync(DOCUMENT, 'utf8'), MARKERS, content))
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
