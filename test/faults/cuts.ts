// Cuts answers until there were so many cuts, in lanes side by side. What a lane is stands in cut-lane.ts.

import type { Openssh } from '../../scripts/provision/openssh.ts'
import { descendants } from '../support/process-tree.ts'
import { type LaneOptions, openLane } from './cut-lane.ts'
import { Random } from './random.ts'

export interface CutsOptions extends LaneOptions {
  /** Of the server, for the table. */
  name: string
  cuts: number
  lanes: number
  /** The moments are the same for the same seed, as far as machines allow. */
  seed: number
  openssh: Openssh
}

export interface CutsSeen {
  name: string
  seed: number
  cuts: number
  answers: number
  equal: number
  marked: number
  wrong: readonly string[]
  leaks: readonly string[]
}

export async function runCuts({ name, cuts, lanes, seed, openssh, ...how }: CutsOptions): Promise<CutsSeen> {
  const before = resources()
  const seen = { name, seed, cuts: 0, answers: 0, equal: 0, marked: 0, wrong: [] as string[], leaks: [] as string[] }
  const runLane = async (number: number) => {
    const lane = await openLane(openssh, new Random(seed + number), how)
    while (seen.cuts < cuts) {
      const { cuts: made, result, why } = await lane.answer()
      seen.cuts += made
      seen.answers += 1
      if (result === 'wrong') seen.wrong.push(why ?? '')
      else seen[result] += 1
    }
    seen.leaks.push(...(await lane.close()))
  }
  await Promise.all(Array.from({ length: lanes }, (_, number) => runLane(number)))
  const after = resources()
  if (after.servers > before.servers) seen.leaks.push(`${after.servers - before.servers} ports are listened on`)
  if (after.processes > before.processes) seen.leaks.push(`${after.processes - before.processes} processes are left`)
  return seen
}

function resources(): { servers: number; processes: number } {
  const servers = process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length
  return { servers, processes: descendants(process.pid).length }
}
