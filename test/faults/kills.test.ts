// All the kills. doc/reliability.md is made of what is written here; `make test` has a sample of them.
import { expect, test } from 'vitest'
import { neovims } from '../support/real-parts.ts'
import { runKills } from './kills.ts'
import { keepResults } from './results.ts'

const KILLS = Number(process.env.KILLS) || 200
/** With and without autosave. */
const LANES = 2

test('kills of Neovim, its host, and both', async () => {
  const nvim = neovims().at(-1)?.nvim
  if (!nvim) return
  const seed = Number(process.env.KILLS_SEED) || Date.now() % 1_000_000
  process.stdout.write(`KILLS_SEED=${seed}\n`)
  const seen = await runKills({ nvim, kills: KILLS, lanes: LANES, seed })
  keepResults('kills', seen)
  expect(seen.flatMap(({ wrong }) => wrong)).toEqual([])
  expect(seen.reduce((sum, { kills }) => sum + kills, 0)).toBe(KILLS)
}, 3_600_000)
