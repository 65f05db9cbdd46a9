/**
 * What the host holds in memory: when it has started, after one answer, and after many prompts in chats of ten prompts
 * each, one chat after the other, without a pause. What grew in the second half of them tells whether it is flat; it is
 * judged after thousands of prompts only, since V8 lets garbage lie until its heap has doubled. Beside it stands a Node
 * process that does nothing.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { residentMegabytes } from '../processes.ts'
import type { Rig, Scenario } from '../rig.ts'
import type { Line } from '../rows.ts'
import type { Scope } from '../scope.ts'
import { openStage, type Stage } from '../stage.ts'

export const memory: Scenario = {
  name: 'memory',
  title: "The host's memory",
  run: (rig) => rig.scope.nested((scope) => measure(rig, scope)),
}

const PROMPTS_PER_CHAT = 10
const TOKENS = 60
const TARGET_MB = 110
/** What Node's heap gains and loses by itself. */
const FLAT_MB = 8
const ENOUGH_TO_JUDGE = 5_000

async function measure(rig: Rig, scope: Scope): Promise<Line[]> {
  const { memoryRequests } = rig.settings
  const stage = await openStage(rig, '0.12', scope)
  const host = stage.pids[1]
  const started = await residentMegabytes(host)
  await stage.chat.ask({ label: 'first', tokens: TOKENS })
  const one = await residentMegabytes(host)
  await prompts(stage, 0, memoryRequests / 2)
  const half = await residentMegabytes(host)
  await prompts(stage, memoryRequests / 2, memoryRequests)
  const all = await residentMegabytes(host)
  const many = memoryRequests.toLocaleString('en')
  return [
    {
      figure: `after its start (Node ${process.versions.node})`,
      unit: 'MB',
      ours: started,
      beside: [{ what: 'Node that does nothing', value: await idleNode(scope) }],
    },
    { figure: 'after one answer', unit: 'MB', ours: one },
    { figure: `after ${many} prompts`, unit: 'MB', ours: all, target: { atMost: TARGET_MB } },
    {
      figure: `grown in the second half of ${many} prompts`,
      unit: 'MB',
      ours: all - half,
      ...(memoryRequests < ENOUGH_TO_JUDGE ? {} : { target: { atMost: FLAT_MB } }),
    },
  ]
}

async function prompts({ chat }: Stage, from: number, to: number): Promise<void> {
  for (let prompt = from; prompt < to; prompt += 1) {
    if (prompt % PROMPTS_PER_CHAT === 0) await chat.openAnew()
    await chat.ask({ label: `prompt-${prompt}`, tokens: TOKENS })
  }
}

async function idleNode(scope: Scope): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log()'])
  scope.own(child, () => void child.kill())
  await once(child.stdout, 'data')
  return residentMegabytes(child.pid ?? -1)
}
