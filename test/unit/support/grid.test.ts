import { describe, expect, test } from 'vitest'
import { Grid } from '../../support/grid.ts'

function gridWith(...lines: string[]): Grid {
  const grid = new Grid()
  grid.take([['grid_resize', [1, 6, lines.length]]])
  grid.take([['grid_line', ...lines.map((line, row) => [1, row, 0, [...line].map((sign) => [sign]), false])]])
  return grid
}

describe('Grid', () => {
  test('draws cells, with their repetitions, from a column on', () => {
    const grid = gridWith('')
    grid.take([['grid_line', [1, 0, 1, [['a', 0, 3], ['b']], false]]])
    expect(grid.text()).toBe(' aaab')
  })

  test('keeps a wide character as one, without a hole behind it', () => {
    const grid = gridWith('')
    grid.take([['grid_line', [1, 0, 0, [['漢'], [''], ['!']], false]]])
    expect(grid.text()).toBe('漢!')
  })

  test('scrolls a region up, and leaves the rest of the screen', () => {
    const grid = gridWith('1xx', '2xx', '3xx', '4xx')
    grid.take([['grid_scroll', [1, 0, 3, 0, 1, 1, 0]]])
    expect(grid.text()).toBe('2xx\n3xx\n3xx\n4xx')
  })

  test('scrolls a region down', () => {
    const grid = gridWith('1', '2', '3', '4')
    grid.take([['grid_scroll', [1, 1, 4, 0, 6, -1, 0]]])
    expect(grid.text()).toBe('1\n2\n2\n3')
  })

  test('keeps what fits when resized, and nothing when cleared', () => {
    const grid = gridWith('abc', 'def')
    grid.take([['grid_resize', [1, 2, 3]]])
    expect(grid.text()).toBe('ab\nde\n')
    grid.take([['grid_clear', [1]]])
    expect(grid.text()).toBe('\n\n')
  })

  test('tells of the flush and of the cursor', () => {
    const grid = gridWith('abc')
    expect(grid.take([['grid_cursor_goto', [1, 0, 2]]])).toBe(false)
    expect(grid.take([['flush', []]])).toBe(true)
    expect(grid.cursor).toEqual({ row: 0, column: 2 })
  })
})
