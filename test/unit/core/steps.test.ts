import { expect, it } from 'vitest'
import { atOnce, inSlices, SLICE_LENGTH } from '../../../src/core/steps.ts'

function* work(steps: number, length: number): Generator<number, string> {
  for (let step = 0; step < steps; step++) yield length
  return 'done'
}

/** How often the event loop came round meanwhile. */
async function rounds(steps: Generator<number, string>): Promise<number> {
  let count = 0
  const go = () => {
    count++
    next = setImmediate(go)
  }
  let next = setImmediate(go)
  expect(await inSlices(steps)).toBe('done')
  clearImmediate(next)
  return count
}

it('does all at once, or lets others go on meanwhile', async () => {
  expect(atOnce(work(3, SLICE_LENGTH))).toBe('done')
  expect(await rounds(work(20, SLICE_LENGTH / 2))).toBeGreaterThan(5)
  expect(await rounds(work(100_000, 0))).toBeGreaterThan(5)
})

it('waits for nobody when there is little to do', async () => {
  expect(await rounds(work(3, SLICE_LENGTH / 10))).toBe(0)
})

it('fails as its steps do', async () => {
  const next = () => {
    throw new Error('no')
  }
  await expect(inSlices({ next })).rejects.toThrow('no')
})
