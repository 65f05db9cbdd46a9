// Keeps what was seen for the report, which is made by another process.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROJECT_ROOT } from '../../scripts/project-root.ts'

export const RESULTS = join(PROJECT_ROOT, '.cache/faults')

type Name = 'matrix' | 'cuts' | 'cuts-in-neovim' | 'kills'

export function keepResults(name: Name, rows: readonly unknown[]): void {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, `${name}.json`), JSON.stringify(rows, null, 1))
}

export function readResults<Row>(name: Name): Row[] {
  return JSON.parse(readFileSync(join(RESULTS, `${name}.json`), 'utf8')) as Row[]
}
