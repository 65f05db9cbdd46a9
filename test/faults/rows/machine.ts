// Faults of the user's own machine: its sleep, its network, and the plugin's own processes.
import { kill } from '../../support/process-tree.ts'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'

/** A stand-in for the hours that a lid is shut; the unit tests of the connection have the hour itself. */
const SLEEP_MS = 8_000

/** Nothing of the host runs, and the link is forgotten by everybody on the way. */
async function sleep({ world, proxy }: Stage, meanwhile: () => unknown = () => proxy.abandon()): Promise<void> {
  const host = await world.hostPid()
  kill(host, 'SIGSTOP')
  await meanwhile()
  await new Promise((resolve) => setTimeout(resolve, SLEEP_MS))
  kill(host, 'SIGCONT')
}

export const machineFaults: readonly Fault[] = [
  {
    name: 'sleep, and the link is dead on waking',
    how: `the host stands still for ${SLEEP_MS / 1000} s; its connection is forgotten on the way, new ones pass`,
    moment: 'idle, then a prompt',
    codes: ['SSH_DISCONNECTED'],
    within: 15,
    strike: (stage) => sleep(stage),
  },
  {
    name: 'sleep, and the server has hung up meanwhile',
    how: `the host stands still for ${SLEEP_MS / 1000} s; its connection is reset`,
    moment: 'idle, then a prompt',
    codes: [],
    within: 3,
    strike: (stage) => sleep(stage, () => stage.proxy.cut()),
  },
  {
    name: 'sleep in mid-answer, and the link is dead on waking',
    how: `the host stands still for ${SLEEP_MS / 1000} s; its connection is forgotten on the way, new ones pass`,
    moment: 'in mid-answer',
    codes: ['SSH_DISCONNECTED'],
    within: 3,
    strike: (stage) => sleep(stage),
    // The time counts from the waking.
    gestures: () => {},
  },
  {
    name: 'sleep in mid-answer, and the link lives',
    how: `the host stands still for ${SLEEP_MS / 1000} s, and the rest of the answer comes meanwhile`,
    moment: 'in mid-answer',
    codes: [],
    within: 1,
    strike: (stage) => sleep(stage, () => stage.world.step(3)),
    gestures: () => {},
  },
  {
    name: 'host process killed in mid-answer',
    how: 'SIGKILL',
    moment: 'in mid-answer',
    codes: [],
    words: /The host ended/,
    within: 1,
    strike: async ({ world }) => kill(await world.hostPid(), 'SIGKILL'),
  },
  {
    name: 'Neovim killed in mid-answer',
    how: 'SIGKILL',
    moment: 'in mid-answer',
    codes: [],
    within: 3,
    isTheEnd: true,
    strike: () => {},
  },
]
