// Turns the lines of scenarios into a table for people, a line of JSON for programs, and the table of doc/performance.md.
import { isMet, type Line, type Row, type Unit } from './rows.ts'

export interface Result {
  scenario: string
  title: string
  lines: readonly Line[]
}

const COLUMNS = ['figure', 'beside it', 'ours', 'target', 'met']

/** The table on a terminal: columns of equal width under the scenario's title. */
export function terminalTable({ title, lines }: Result): string {
  const rows = [COLUMNS, ...lines.map(cells)]
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const aligned = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return [title, ...rows.map((row) => `  ${aligned(row)}`.trimEnd()), ''].join('\n')
}

/** One line of JSON for each scenario. */
export function jsonLine({ scenario, lines }: Result): string {
  const figures = lines.map((line) => ('ours' in line ? { ...line, met: isMet(line) } : line))
  return JSON.stringify({ scenario, figures }, (_key, value) => (typeof value === 'number' ? rounded(value) : value))
}

/** All scenarios as one Markdown table. */
export function markdownTable(results: readonly Result[]): string {
  const head = [`| ${COLUMNS.join(' | ')} |`, `|${COLUMNS.map(() => '---').join('|')}|`]
  const body = results.flatMap(({ title, lines }) => [
    `| **${title}** | | | | |`,
    ...lines.map((line) => `| ${cells(line).map(escaped).join(' | ')} |`),
  ])
  return [...head, ...body].join('\n')
}

/** Replaces what stands between the two markers. @throws Error when the text lacks one. */
export function between(text: string, [begin, end]: readonly [string, string], content: string): string {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the document lacks its markers ${begin} and ${end}`)
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
}

function cells(line: Line): string[] {
  if (!('ours' in line)) return [line.figure, '', 'not measured', line.reason, '']
  const { figure, unit, ours, beside = [] } = line
  const references = beside.map(({ what, value }) => `${amount(value, unit)} ${what}`)
  return [figure, references.join('; '), `${amount(ours, unit)}${alsoText(line)}`, targetText(line), metText(line)]
}

function alsoText({ also = {}, unit }: Row): string {
  const parts = Object.entries(also).map(([name, value]) => `${name} ${amount(value, unit)}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

function targetText({ target, unit, beside }: Row): string {
  if (target === undefined) return ''
  if ('atMost' in target) return `<= ${target.atMost}${unit && ` ${unit}`}`
  return `<= ${target.timesFirst} x ${beside?.[0]?.what ?? ''}`
}

function metText(row: Row): string {
  const met = isMet(row)
  if (met === undefined) return ''
  return met ? 'yes' : '**no**'
}

/** Three digits are what such measurements are good for; what was not measured is a dash. */
function amount(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return '–'
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return `${value.toFixed(digits)}${unit && ` ${unit}`}`
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('<=', '≤')
}
