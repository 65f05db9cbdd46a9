/** Time in the hand of a test. */

import type { Clock } from './clock.ts'

export interface ManualClock extends Clock {
  /** Moves the time and runs the timers that became due. */
  advance(ms: number): void
  /** How many timers wait. */
  readonly timers: number
}

/** A clock that stands still until it is advanced. */
export function manualClock(): ManualClock {
  const pending = new Map<object, { due: number; callback: () => void }>()
  let now = 0
  return {
    timeOrigin: Date.UTC(2026, 7, 21, 10),
    now: () => now,
    get timers() {
      return pending.size
    },
    setTimeout(callback, ms) {
      const handle = {}
      pending.set(handle, { due: now + ms, callback })
      return handle
    },
    clearTimeout: (handle) => void pending.delete(handle as object),
    advance(ms) {
      now += ms
      for (const [handle, timer] of pending) {
        if (timer.due > now) continue
        pending.delete(handle)
        timer.callback()
      }
    },
  }
}
