// How far a pull is, whatever a server reports.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterReport, asked, isStalled, type PullProgress, STALL_MS, shown } from '../../../src/models/pull-progress.ts'
import type { PullReport } from '../../../src/providers/provider.ts'

const MB = 1_000_000
const TICK_MS = 60

describe('the bars of a pull', () => {
  it('know a layer when it is told, and all of it when the server is at the next', () => {
    const begun = fold([tick('a', 0), tick('a', 97)])
    expect(shown(begun, 60)).toMatchObject({ total: 100 * MB, completed: 97 * MB })
    const next = afterReport(begun, tick('b', 0), 120)
    expect(shown(next, 120)).toMatchObject({
      ...{ total: 200 * MB, completed: 100 * MB },
      layers: [
        { digest: 'a', total: 100 * MB, completed: 100 * MB },
        { digest: 'b', total: 100 * MB, completed: 0 },
      ],
    })
  })

  it('are full when the server verifies, which tells neither rate nor time left', () => {
    const figures = shown(fold([tick('a', 50), { status: 'verifying sha256 digest' }]), 120)
    expect(figures).toEqual({
      ...{ status: 'verifying sha256 digest', total: 100 * MB, completed: 100 * MB },
      layers: [{ digest: 'a', total: 100 * MB, completed: 100 * MB }],
    })
  })

  it('stand where they were while the server goes back and comes again', () => {
    const figures = [50, 20, 40, 60].map(
      (_, index, all) => shown(fold(all.slice(0, index + 1).map(at('a'))), 0).completed,
    )
    expect(figures).toEqual([50 * MB, 50 * MB, 50 * MB, 60 * MB])
  })

  it('know nothing before the first layer', () => {
    expect(shown(fold([{ status: 'pulling manifest' }]), 0)).toEqual({ status: 'pulling manifest' })
  })
})

describe('rate and time left', () => {
  it('are of the last seconds', () => {
    const { progress, now } = steady({ seconds: 10, perSecond: MB, total: 100 * MB })
    expect(shown(progress, now).rate).toBeGreaterThan(0.98 * MB)
    expect(shown(progress, now).rate).toBeLessThan(1.02 * MB)
    expect(shown(progress, now).left_ms).toBeCloseTo(90_000, -3)
  })

  it('fall to nothing when nothing comes, without a report', () => {
    const { progress, now } = steady({ seconds: 10, perSecond: MB, total: 100 * MB })
    expect(shown(progress, now + 3_000).rate).toBeLessThan(0.5 * MB)
    expect(shown(progress, now + 6_000)).toMatchObject({ rate: 0 })
    expect(shown(progress, now + 6_000)).not.toHaveProperty('left_ms')
  })

  it('do not count what the server had already', () => {
    const { progress, now } = steady({ seconds: 4, perSecond: MB, total: 100 * MB, from: 60 * MB })
    expect(shown(progress, now).rate).toBeLessThan(1.1 * MB)
  })

  it('do not count twice what came before the tunnel was lost', () => {
    const { progress, now } = steady({ seconds: 10, perSecond: MB, total: 100 * MB })
    const again = steady({
      seconds: 5,
      perSecond: MB,
      total: 100 * MB,
      from: 10 * MB,
      begun: asked(now + 60_000, progress),
    })
    expect(shown(again.progress, again.now).rate).toBeLessThan(1.1 * MB)
    expect(again.progress.received).toBeLessThan(15.1 * MB)
  })

  it('leave the time steady when the rate jumps', () => {
    let { progress, now } = steady({ seconds: 20, perSecond: MB, total: 1_000 * MB })
    const before = shown(progress, now).left_ms ?? 0
    let completed = 20 * MB
    for (let index = 0; index < 16; index += 1) {
      now += TICK_MS
      completed += TICK_MS * 3_000
      progress = afterReport(progress, layer('a', 1_000 * MB, completed), now)
    }
    expect(shown(progress, now).left_ms).toBeGreaterThan(before * 0.8)
  })
})

describe('a stall', () => {
  it('is no byte for 15 s, though the server reports', () => {
    let progress = fold([tick('a', 5), tick('a', 6)])
    for (let now = 1_000; now < STALL_MS; now += 1_000) progress = afterReport(progress, tick('a', 6), now)
    expect(isStalled(progress, STALL_MS)).toBe(false)
    expect(isStalled(progress, STALL_MS + TICK_MS)).toBe(true)
    expect(isStalled(afterReport(progress, tick('a', 7), STALL_MS + TICK_MS), STALL_MS + TICK_MS)).toBe(false)
  })

  it('is a registry that does not answer, and never a server that verifies', () => {
    expect(isStalled(asked(0), STALL_MS)).toBe(true)
    expect(isStalled(fold([tick('a', 5), { status: 'verifying sha256 digest' }]), 600_000)).toBe(false)
  })

  it('is not where the server goes back and comes again', () => {
    const progress = afterReport(afterReport(fold([tick('a', 90)]), tick('a', 10), 20_000), tick('a', 11), 21_000)
    expect(isStalled(progress, 22_000)).toBe(false)
  })
})

describe('whatever is reported', () => {
  const report: fc.Arbitrary<PullReport | 'asked'> = fc.oneof(
    fc.record({
      status: fc.constantFrom('pulling manifest', 'pulling a', 'verifying sha256 digest', 'odd', 'success', ''),
      layer: fc.option(
        fc.record({ digest: fc.constantFrom('a', 'b', 'c'), total: fc.nat(1_000), completed: fc.nat(2_000) }),
        { nil: undefined as never },
      ),
    }) as fc.Arbitrary<PullReport>,
    fc.constant('asked' as const),
  )

  it('no bar goes back or beyond its end, and no figure is absurd', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(report, fc.nat(20_000))), (reports) => {
        let progress = asked(0)
        let now = 0
        const most = new Map<string, number>()
        let sum = 0
        for (const [next, wait] of reports) {
          now += wait
          progress = next === 'asked' ? asked(now, progress) : afterReport(progress, next, now)
          const { completed = 0, total = 0, rate = 0, left_ms = 0, layers = [] } = shown(progress, now)
          expect(completed).toBeGreaterThanOrEqual(sum)
          expect(completed).toBeLessThanOrEqual(total)
          for (const bar of layers) {
            expect(bar.completed).toBeGreaterThanOrEqual(most.get(bar.digest) ?? 0)
            expect(bar.completed).toBeLessThanOrEqual(bar.total)
            most.set(bar.digest, bar.completed)
          }
          for (const figure of [rate, left_ms]) expect(Number.isFinite(figure) && figure >= 0).toBe(true)
          sum = completed
        }
      }),
    )
  })

  it('the samples of a long pull with many reports stay few', () => {
    const { progress } = steady({ seconds: 30, perSecond: MB, total: 1_000 * MB, every: 5 })
    expect(progress.samples.length).toBeLessThan(110)
  })
})

function layer(digest: string, total: number, completed: number): PullReport {
  return { status: `pulling ${digest}`, layer: { digest, total, completed } }
}

function tick(digest: string, megabytes: number): PullReport {
  return layer(digest, 100 * MB, megabytes * MB)
}

function at(digest: string) {
  return (megabytes: number) => tick(digest, megabytes)
}

function fold(reports: readonly PullReport[], begun: PullProgress = asked(0)): PullProgress {
  return reports.reduce((progress, report, index) => afterReport(progress, report, index * TICK_MS), begun)
}

interface Steady {
  seconds: number
  perSecond: number
  total: number
  from?: number
  begun?: PullProgress
  /** Between two reports, in milliseconds. */
  every?: number
}

function steady({ seconds, perSecond, total, from = 0, begun = asked(0), every = TICK_MS }: Steady) {
  let progress = begun
  let now = begun.moved
  for (let index = 0; index * every <= seconds * 1_000; index += 1, now += every) {
    progress = afterReport(progress, layer('a', total, from + (index * every * perSecond) / 1_000), now)
  }
  return { progress, now: now - every }
}
