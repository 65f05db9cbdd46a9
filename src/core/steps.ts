// Long work on text in steps, which lets everything else go on between them. What is done in a step is not known here.

/** Each step tells how much it had to do, in UTF-16 units. */
export type Steps<Result> = Iterator<number, Result>

/**
 * So much is done in a row: some milliseconds. It is no time, for on a busy machine that is over with nothing done, and who
 * has little to do is never to wait.
 */
export const SLICE_LENGTH = 250_000
/** What a step takes besides, so that many small ones are some work too. */
const STEP_LENGTH = 100

/** Does all at once. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** Does all, in slices. */
export async function inSlices<Result>(steps: Steps<Result>): Promise<Result> {
  for (let length = 0; ; ) {
    const { done, value } = steps.next()
    if (done) return value
    length += value + STEP_LENGTH
    if (length < SLICE_LENGTH) continue
    await new Promise((resolve) => setImmediate(resolve))
    length = 0
  }
}
