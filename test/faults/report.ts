// Makes the tables of doc/reliability.md from what was seen. Pure.
import type { CutsSeen } from './cuts.ts'
import type { Seen } from './fault.ts'
import type { KillsSeen } from './kills.ts'

/** The table of the matrix. Times are rounded so that one run's table looks like the next one's. */
export function matrixTable(rows: readonly Seen[]): string {
  const head = [
    'fault',
    'how it is made',
    'when',
    'known after',
    'what is read',
    'left in the chat',
    'by itself',
    'next prompt',
  ]
  return table(head, rows.map(row))
}

function row(seen: Seen): string[] {
  const { name, how, moment, notRun } = seen
  if (notRun !== undefined) return [name, how, moment, 'not run here', notRun, '', '', '']
  const { knownMs, code, read = '', left = '', byItself = '', nextPrompt = '', problems } = seen
  const told = code === undefined ? read : `\`${code}\` ${read}`
  const failed = problems.length === 0 ? '' : ` **Not as it must be: ${problems.join('; ')}**`
  return [
    name,
    how,
    moment,
    knownMs === undefined ? 'never' : time(knownMs),
    `${told}${failed}`,
    left,
    byItself,
    nextPrompt,
  ]
}

/** The table of the cuts. */
export function cutsTable(runs: readonly CutsSeen[]): string {
  const head = ['server', 'cuts', 'answers', 'whole and equal', 'marked, nothing lost', 'wrong', 'left behind']
  return table(
    head,
    runs.map(({ name, cuts, answers, equal, marked, wrong, leaks }) => [
      name,
      ...[cuts, answers, equal, marked, wrong.length].map(String),
      leaks.length === 0 ? 'nothing' : `**${leaks.join('; ')}**`,
    ]),
  )
}

/** The table of the kills. */
export function killsTable(runs: readonly KillsSeen[]): string {
  return table(
    [
      'killed',
      'autosave',
      'kills',
      'nothing lost',
      'something of the last second',
      'the most that was lost',
      'the machine was late then by',
      'more than a second',
    ],
    runs.map(({ victim, isSaved, kills, some, mostMs, lateMs, wrong }) => [
      victim,
      isSaved ? 'on' : 'off',
      String(kills),
      String(kills - some),
      String(some - wrong.length),
      `${(Math.ceil(mostMs / 100) / 10).toFixed(1)} s`,
      `${(Math.ceil(lateMs / 10) / 100).toFixed(2)} s`,
      wrong.length === 0 ? 'never' : `**${wrong.length}**`,
    ]),
  )
}

/** Classes below a second, whole seconds above. */
export function time(ms: number): string {
  const class_ = [100, 300, 1_000].find((limit) => ms < limit)
  return class_ === undefined ? `${Math.round(ms / 1_000)} s` : `< ${class_ / 1_000} s`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ').trim()
}
