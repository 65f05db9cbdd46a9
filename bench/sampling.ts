// Watches an editor while something happens in it: how late its main loop is, how late keys are. What that costs is in
// processes.ts, and measured apart, for the watching costs too.
import { setTimeout as delay } from 'node:timers/promises'
import type { Editor } from './editor.ts'
import { differences } from './statistics.ts'

export interface Sample<Value> {
  value: Value
  /** How late a timer of the editor's main loop was, each time, in milliseconds. */
  loop: number[]
  /** From a key's sending to its mapping, in milliseconds. */
  keys: number[]
}

/** Keys come in an uneven rhythm, so that none beats in time with a timer of the plugin. */
const KEY_EVERY_MS = { least: 11, spread: 20 }

/** Runs `work` and watches the editor meanwhile. */
export async function sample<Value>(editor: Editor, work: () => Promise<Value>): Promise<Sample<Value>> {
  await editor.lua('Bench.start()')
  const sent: number[] = []
  const typing = new AbortController()
  const typed = typeKeys(editor, sent, typing.signal)
  try {
    const value = await work()
    typing.abort()
    await typed
    const { delays, keys } = await editor.lua<{ delays: number[]; keys: number[] }>('return Bench.stop()')
    return { value, loop: delays, keys: differences(sent, keys) }
  } finally {
    typing.abort()
  }
}

async function typeKeys(editor: Editor, sent: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    sent.push(editor.input('<F5>'))
    const pause = KEY_EVERY_MS.least + Math.random() * KEY_EVERY_MS.spread
    await delay(pause, undefined, { signal }).catch(() => {})
  }
}
