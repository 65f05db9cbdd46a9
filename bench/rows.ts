// What a scenario hands back, and how several rounds of it become one. How it is printed is in report.ts.
import { median } from './statistics.ts'

export type Unit = 'ms' | 's' | 'MB' | ''

/** One line of the table. */
export interface Row {
  figure: string
  unit: Unit
  ours: number
  /** Other values of the same measurement, by name. */
  also?: Readonly<Record<string, number>>
  /** What stands beside it, measured in the same run; a target may be a multiple of the first. */
  beside?: readonly Reference[]
  target?: Target
}

export interface Reference {
  what: string
  value: number
}

export type Target = { atMost: number } | { timesFirst: number }

/** A figure that could not be taken, and why. */
export interface Gap {
  figure: string
  reason: string
}

export type Line = Row | Gap

/** Whether the figure is as it should be; undefined where nothing was promised. */
export function isMet({ ours, target, beside }: Row): boolean | undefined {
  if (target === undefined) return undefined
  const limit = 'atMost' in target ? target.atMost : target.timesFirst * (beside?.[0]?.value ?? Number.NaN)
  return Number.isNaN(limit) ? undefined : ours <= limit
}

/** The median round of each figure; a figure that only some rounds could take is that of those rounds. */
export function combine(rounds: readonly (readonly Line[])[]): Line[] {
  const figures = [...new Set(rounds.flat().map(({ figure }) => figure))]
  return figures.flatMap((figure) => {
    const lines = rounds.flat().filter((line) => line.figure === figure)
    const rows = lines.filter((line) => 'ours' in line)
    const [first] = rows
    return first ? [middle(first, rows)] : lines.slice(0, 1)
  })
}

function middle(first: Row, rows: readonly Row[]): Row {
  const combined = { ...first, ours: median(rows.map(({ ours }) => ours)) }
  if (first.also) {
    const names = Object.keys(first.also)
    combined.also = Object.fromEntries(
      names.map((name) => [name, median(rows.flatMap(({ also }) => also?.[name] ?? []))]),
    )
  }
  if (first.beside) {
    combined.beside = first.beside.map(({ what }, index) => ({
      what,
      value: median(rows.flatMap(({ beside }) => beside?.[index]?.value ?? [])),
    }))
  }
  return combined
}
