// Kills Neovims and hosts until there were so many kills, in lanes side by side. What a lane is stands in kill-lane.ts.
import type { NeovimBinary } from '../support/nvim-driver.ts'
import { type KillOutcome, openKillLane, VICTIMS } from './kill-lane.ts'
import { Random } from './random.ts'

export interface KillsOptions {
  nvim: NeovimBinary
  kills: number
  lanes: number
  /** The moments are the same for the same seed, as far as machines allow. */
  seed: number
}

/** The kills of one kind. */
export interface KillsSeen {
  victim: KillOutcome['victim']
  kills: number
  /** In how many of them something of the last second was missing. */
  some: number
  /** The most that was missing, in milliseconds before the kill. */
  mostMs: number
  wrong: string[]
}

export async function runKills({ nvim, kills, lanes, seed }: KillsOptions): Promise<KillsSeen[]> {
  const seen = VICTIMS.map((victim): KillsSeen => ({ victim, kills: 0, some: 0, mostMs: 0, wrong: [] }))
  let left = kills
  const runLane = async (number: number) => {
    const lane = await openKillLane(nvim, new Random(seed + number), number)
    try {
      while (left-- > 0) add(seen, await lane.kill())
    } finally {
      await lane.close()
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, number) => runLane(number)))
  return seen
}

function add(seen: readonly KillsSeen[], { victim, lostMs, wrong }: KillOutcome): void {
  const row = seen.find((one) => one.victim === victim)
  if (!row) return
  row.kills += 1
  if (lostMs > 0) row.some += 1
  row.mostMs = Math.max(row.mostMs, lostMs)
  if (wrong !== undefined) row.wrong.push(wrong)
}
