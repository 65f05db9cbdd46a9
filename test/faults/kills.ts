// Kills Neovims and hosts until there were so many kills, in lanes side by side. What a lane is stands in kill-lane.ts.
import type { NeovimBinary } from '../support/nvim-driver.ts'
import { type KillOutcome, openKillLane, VICTIMS } from './kill-lane.ts'
import { Random } from './random.ts'

export interface KillsOptions {
  nvim: NeovimBinary
  /** Half of them of chats that are saved by themselves. */
  kills: number
  /** Of each half. */
  lanes: number
  /** The moments are the same for the same seed, as far as machines allow. */
  seed: number
}

/** The kills of one kind. */
export interface KillsSeen {
  victim: KillOutcome['victim']
  /** Whether the chats were saved by themselves. */
  isSaved: boolean
  kills: number
  /** In how many of them something of the last second was missing. */
  some: number
  /** The most that was missing, in milliseconds before the kill. */
  mostMs: number
  /** By how much the machine itself was late then. */
  lateMs: number
  /** What was missing then. */
  lost: string
  wrong: string[]
}

export async function runKills({ nvim, kills, lanes, seed }: KillsOptions): Promise<KillsSeen[]> {
  const seen = [true, false].flatMap((isSaved) => VICTIMS.map((victim) => nothingSeen(victim, isSaved)))
  const half = Math.ceil(kills / 2)
  const left = { saved: half, unsaved: kills - half }
  const runLane = async (number: number) => {
    const isSaved = number < lanes
    const which = isSaved ? 'saved' : 'unsaved'
    const lane = await openKillLane({ nvim, random: new Random(seed + number), number, isSaved })
    try {
      while (left[which]-- > 0) add(seen, isSaved, await lane.kill())
    } finally {
      await lane.close()
    }
  }
  await Promise.all(Array.from({ length: 2 * lanes }, (_, number) => runLane(number)))
  return seen
}

function nothingSeen(victim: KillOutcome['victim'], isSaved: boolean): KillsSeen {
  return { victim, isSaved, kills: 0, some: 0, mostMs: 0, lateMs: 0, lost: '', wrong: [] }
}

function add(
  seen: readonly KillsSeen[],
  isSaved: boolean,
  { victim, lostMs, lateMs, lost = '', wrong }: KillOutcome,
): void {
  const row = seen.find((one) => one.victim === victim && one.isSaved === isSaved)
  if (!row) return
  row.kills += 1
  if (lostMs > 0) row.some += 1
  if (lostMs >= row.mostMs) Object.assign(row, { mostMs: lostMs, lateMs, lost })
  if (wrong !== undefined) row.wrong.push(wrong)
}
