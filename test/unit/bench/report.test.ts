import { describe, expect, it } from 'vitest'
import { between, jsonLine, markdownTable, terminalTable } from '../../../bench/report.ts'
import type { Line } from '../../../bench/rows.ts'

const lines: Line[] = [
  {
    figure: 'a | b',
    unit: 'ms',
    ours: 1.23456,
    also: { max: 123.4 },
    beside: [{ what: 'bare', value: 12.34 }],
    target: { atMost: 1 },
  },
  { figure: 'c', unit: 's', ours: 2, beside: [{ what: 'curl', value: 2 }], target: { timesFirst: 1.3 } },
  { figure: 'd', reason: 'there is no curl' },
]
const result = { scenario: 'name', title: 'Title', lines }

describe('report', () => {
  it('puts figure, reference, ours and target side by side', () => {
    expect(terminalTable(result)).toBe(
      [
        'Title',
        '  figure  beside it     ours                  target            met',
        '  a | b   12.3 ms bare  1.23 ms (max 123 ms)  <= 1 ms           **no**',
        '  c       2 s curl      2 s                   <= 1.3 x curl     yes',
        '  d                     not measured          there is no curl',
        '',
      ].join('\n'),
    )
  })

  it('tells a program the same in one line', () => {
    const line = jsonLine(result)
    expect(line).not.toContain('\n')
    expect(JSON.parse(line)).toMatchObject({
      scenario: 'name',
      figures: [{ ours: 1.235, met: false }, { met: true }, { figure: 'd' }],
    })
  })

  it('makes a table of Markdown that a bar in a figure does not break', () => {
    const rows = markdownTable([result]).split('\n')
    expect(rows).toHaveLength(6)
    expect(rows[3]).toBe('| a \\| b | 12.3 ms bare | 1.23 ms (max 123 ms) | ≤ 1 ms | **no** |')
  })

  it('replaces what is between the markers, again and again', () => {
    const markers = ['<!-- from -->', '<!-- to -->'] as const
    const once = between('before <!-- from --> old <!-- to --> after', markers, 'new')
    expect(once).toBe('before <!-- from -->\nnew\n<!-- to --> after')
    expect(between(once, markers, 'new')).toBe(once)
    expect(() => between('nothing', markers, 'new')).toThrow('markers')
  })
})
