import { describe, expect, it } from 'vitest'
import { parsePsTime } from '../../../bench/processes.ts'
import { combine, isMet, type Row } from '../../../bench/rows.ts'
import { parseStartupLog } from '../../../bench/scenarios/startup.ts'
import { differences, maximum, median, percentile } from '../../../bench/statistics.ts'

describe('statistics', () => {
  it('finds ranks, between two of them by interpolation', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1])).toBe(2.5)
    expect(percentile([1, 2, 3, 4, 5], 99)).toBeCloseTo(4.96)
    expect(maximum([1, 9, 3])).toBe(9)
    expect(median([])).toBeNaN()
  })

  it('pairs what was sent with what arrived', () => {
    expect(differences([1, 2, 3], [1.5, 2.25])).toEqual([0.5, 0.25])
  })
})

describe('rows', () => {
  const row: Row = { figure: 'a', unit: 'ms', ours: 4, beside: [{ what: 'bare', value: 4 }] }

  it('judges by a limit, or by a multiple of what stands first beside it', () => {
    expect(isMet(row)).toBeUndefined()
    expect(isMet({ ...row, target: { atMost: 3 } })).toBe(false)
    expect(isMet({ ...row, target: { timesFirst: 1.3 } })).toBe(true)
    expect(isMet({ ...row, ours: Number.NaN, target: { atMost: 3 } })).toBe(false)
  })

  it('takes the median of rounds, and of a failed figure the rounds that have it', () => {
    const rounds = [1, 9, 3].map((ours) => [
      { ...row, ours, also: { max: ours * 2 }, beside: [{ what: 'bare', value: ours + 1 }] },
    ])
    const combined = combine([...rounds, [{ figure: 'a', reason: 'no' }], [{ figure: 'b', reason: 'never' }]])
    expect(combined).toEqual([
      { ...row, ours: 3, also: { max: 6 }, beside: [{ what: 'bare', value: 4 }] },
      { figure: 'b', reason: 'never' },
    ])
  })
})

describe('what programs tell', () => {
  it('reads the times of ps', () => {
    expect(parsePsTime('  0:01.25\n')).toBe(1.25)
    expect(parsePsTime('01:02:03')).toBe(3723)
    expect(parsePsTime('2-00:00:01')).toBe(172_801)
  })

  it("reads Neovim's log of its startup", () => {
    const log = [
      '003.100  000.200  000.150: sourcing /x/plugin/ollama-remote.lua',
      '003.300  000.200  000.200: sourcing /x/plugin/other.lua',
      '006.880  000.006: --- NVIM STARTED ---',
    ].join('\n')
    expect(parseStartupLog(log)).toEqual({ totalMs: 6.88, sourcingMs: 0.15 })
    expect(parseStartupLog('006.880  000.006: --- NVIM STARTED ---\n').sourcingMs).toBe(0)
  })
})
