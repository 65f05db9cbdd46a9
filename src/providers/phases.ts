// Phases learnt beside an answer, woven into its parts until the first word has come.
import type { Phase, StreamPart } from './provider.ts'

/** Where whoever learns a phase puts it. A phase equal to the last one is not told again. */
export class PhaseFeed {
  readonly #pending: Phase[] = []
  #last: Phase | undefined
  #wake: (() => void) | undefined

  readonly push = (phase: Phase): void => {
    if (phase === this.#last) return
    this.#last = phase
    this.#pending.push(phase)
    this.#wake?.()
  }

  /** What came since the last call. */
  take(): Phase[] {
    return this.#pending.splice(0)
  }

  /** Resolves when there is something to take. */
  async arrival(): Promise<void> {
    if (this.#pending.length > 0) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }
}

/**
 * The answer's parts with the feed's phases before them.
 * From the answer's first part on the feed is left alone, so that a running answer costs nothing more.
 * @param hooks `onFirst` is called before the first part is handed on. `onLeave` is called at the end, however it came:
 *   it must end a request that still waits, since a generator that waits cannot be closed.
 */
export async function* withPhases(
  answer: AsyncGenerator<StreamPart>,
  feed: PhaseFeed,
  { onFirst, onLeave }: { onFirst: () => void; onLeave: () => void },
): AsyncGenerator<StreamPart> {
  const first = answer.next()
  // A rejection is handled where `first` is awaited below, which may be some phases later.
  first.catch(() => {})
  const settled = first.then(
    () => 'settled' as const,
    () => 'settled' as const,
  )
  try {
    while ((await Promise.race([settled, feed.arrival()])) !== 'settled') {
      for (const phase of feed.take()) yield { type: 'phase', phase }
    }
    onFirst()
    const { value, done } = await first
    if (done) return
    yield value
    yield* answer
  } finally {
    onLeave()
    await answer.return(undefined)
  }
}
