// `make faults`: runs every row of the fault matrix, all cuts and all kills, and writes doc/reliability.md from what was seen.
// With `--write` it writes from the last run only. ONLY=words runs the rows with these words in their names and writes
// nothing; CUTS_SEED=n repeats a run of cuts, KILLS_SEED=n one of kills.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { between } from '../../bench/report.ts'
import { PROJECT_ROOT } from '../../scripts/project-root.ts'
import type { CutsSeen } from './cuts.ts'
import type { Seen } from './fault.ts'
import type { KillsSeen } from './kills.ts'
import { cutsTable, killsTable, matrixTable } from './report.ts'
import { RESULTS, readResults } from './results.ts'

const DOCUMENT = join(PROJECT_ROOT, 'doc/reliability.md')
const MATRIX = ['<!-- matrix: begin -->', '<!-- matrix: end -->'] as const
const CUTS = ['<!-- cuts: begin -->', '<!-- cuts: end -->'] as const
const KILLS = ['<!-- kills: begin -->', '<!-- kills: end -->'] as const
const { ONLY: only } = process.env

if (!process.argv.includes('--write')) run()
if (only) say('Nothing is written: the document holds all rows.')
else write()

function run(): void {
  rmSync(RESULTS, { recursive: true, force: true })
  const vitest = join(PROJECT_ROOT, 'node_modules/vitest/vitest.mjs')
  const args = [vitest, 'run', '--project', 'faults', ...(only ? ['-t', only] : [])]
  const { status } = spawnSync(process.execPath, args, { cwd: PROJECT_ROOT, stdio: 'inherit' })
  process.exitCode = status ?? 1
}

function write(): void {
  const matrix = readResults<Seen>('matrix')
  const day = new Date().toISOString().slice(0, 10)
  let text = readFileSync(DOCUMENT, 'utf8')
  const failed = matrix.filter(({ problems }) => problems.length > 0).length
  const skipped = matrix.filter(({ notRun }) => notRun !== undefined).length
  const summary = `Made on ${day} by \`make faults\`: ${matrix.length} rows, ${failed} of them not as they must be, ${skipped} not run here.`
  text = between(text, MATRIX, `${summary}\n\n${matrixTable(matrix)}`)
  text = between(text, CUTS, cutsTable([...readResults<CutsSeen>('cuts'), ...readResults<CutsSeen>('cuts-in-neovim')]))
  text = between(text, KILLS, killsTable(readResults<KillsSeen>('kills')))
  writeFileSync(DOCUMENT, text)
  say(`${summary} Written to doc/reliability.md.`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
