// What a process has cost so far, by its id: /proc where there is one, else ps.
import { readFile } from 'node:fs/promises'
import { run } from '../scripts/provision/command.ts'

/** Linux counts in these for every processor it runs on today. */
const TICKS_PER_SECOND = 100

/** Seconds of processor time, user's and system's, that `work` costs each process. */
export async function costOf(pids: readonly number[], work: () => Promise<unknown>): Promise<number[]> {
  const before = await Promise.all(pids.map(cpuSeconds))
  await work()
  const after = await Promise.all(pids.map(cpuSeconds))
  return after.map((seconds, index) => seconds - (before[index] ?? Number.NaN))
}

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return parsePsTime(await ps(pid, 'time='))
  // The program's name may hold spaces and brackets: the fields begin after the last bracket, with the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Megabytes in memory. */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined)
  const kilobytes = status === undefined ? await ps(pid, 'rss=') : /^VmRSS:\s*(\d+)/m.exec(status)?.[1]
  return Number(kilobytes) / 1024
}

/** Reads what ps tells as `[[days-]hours:]minutes:seconds[.fraction]`. */
export function parsePsTime(text: string): number {
  const [clock = '', days = '0'] = text.trim().split('-').reverse()
  return clock.split(':').reduce((total, part) => total * 60 + Number(part), 0) + Number(days) * 86_400
}

async function ps(pid: number, column: string): Promise<string> {
  return (await run('ps', ['-o', column, '-p', String(pid)])).stdout.trim()
}
