/** The time of the double: real by default, replaceable by a test. Nothing here knows HTTP. */

export interface Clock {
  /** Monotonic milliseconds with fractions, as `performance.now()`. */
  now(): number
  /** Milliseconds since 1970 at the moment when `now()` was 0. */
  readonly timeOrigin: number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(handle: unknown): void
}

// Taken when the module loads, so that a test with fake global timers does not freeze the server.
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout, performance: realPerformance } = globalThis
const realNow = realPerformance.now.bind(realPerformance)

export const systemClock: Clock = {
  now: realNow,
  timeOrigin: Date.now() - realNow(),
  setTimeout: (callback, ms) => realSetTimeout(callback, ms),
  clearTimeout: (handle) => realClearTimeout(handle as NodeJS.Timeout),
}

/** Milliseconds since 1970, with fractions. */
export function wallTime(clock: Clock): number {
  return clock.timeOrigin + clock.now()
}

/** Waits `ms`; rejects with the signal's reason, and clears its timer, as soon as the signal aborts. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    if (ms <= 0) return resolve()
    const onAbort = (): void => {
      clock.clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, Math.ceil(ms))
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/**
 * Yields the items at `perSecond`, without drift: item number i is due at start + i / perSecond, however late its
 * predecessors were, so that one timer tick can let several items pass.
 */
export async function* paced<Item>(
  items: Iterable<Item>,
  perSecond: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const start = clock.now()
  let index = 0
  for (const item of items) {
    const due = start + (index * 1000) / perSecond
    for (let now = clock.now(); now < due; now = clock.now()) await sleep(clock, due - now, signal)
    signal.throwIfAborted()
    yield item
    index += 1
  }
}
