// A few of the kills; `make faults` does all of them.
import { expect, test } from 'vitest'
import { runKills } from '../../faults/kills.ts'
import { neovims } from '../../support/real-parts.ts'

const KILLS = 10

test('a kill of Neovim or its host costs at most the last second', async () => {
  const nvim = neovims().at(-1)?.nvim
  if (!nvim) return
  const seed = Number(process.env.KILLS_SEED) || Date.now() % 1_000_000
  const seen = await runKills({ nvim, kills: KILLS, lanes: 1, seed })
  expect(
    seen.flatMap(({ wrong }) => wrong),
    `KILLS_SEED=${seed}`,
  ).toEqual([])
}, 180_000)
