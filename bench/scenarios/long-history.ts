/**
 * Streaming at 100 and 500 tokens/s under a long conversation: answers of 400 lines each come first, as fast as they
 * can, until the transcript is as long as wanted. Measured as in streaming.ts.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type NeovimLine, type Rig, type Scenario, withEachNeovim } from '../rig.ts'
import type { Line, Row } from '../rows.ts'
import { delayRows } from '../sample-rows.ts'
import { sample } from '../sampling.ts'
import type { Scope } from '../scope.ts'
import { openStage } from '../stage.ts'
import { historyPlans } from '../text.ts'

export const longHistory: Scenario = {
  name: 'long-history',
  title: 'Streaming under a long history, highlighting on',
  run: (rig) => withEachNeovim((line) => rig.scope.nested((scope) => measure(rig, line, scope))),
}

const SPEEDS = [100, 500]
const IDLE_MS = 2_000
const LIMIT_MS = 6

async function measure(rig: Rig, line: NeovimLine, scope: Scope): Promise<Line[]> {
  const { chat, editor } = await openStage(rig, line, scope)
  for (const plan of historyPlans(rig.settings.historyLines)) await chat.ask(plan)
  const lines = await editor.lua<number>('return vim.api.nvim_buf_line_count(Bench.transcript())')
  const idle = await sample(editor, () => delay(IDLE_MS))
  const rows: Row[] = []
  for (const speed of SPEEDS) {
    const plan = { label: `${line}-long-at-${speed}`, tokens: speed * rig.settings.streamSeconds }
    const streamed = await sample(editor, () => chat.ask(plan, speed))
    const highlighting = await editor.lua<string>('return Bench.highlighting()')
    const figure = `${line}: ${speed} tokens/s under ${lines.toLocaleString('en')} lines (${highlighting})`
    rows.push(...delayRows(figure, streamed, idle, { loop: LIMIT_MS }))
  }
  return rows
}
