// Finds and ends the children of a process that we started. Linux only, as the unpacked servers are.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_AGAIN_MS = 5

/** Ids of all living descendants of `root`, parents before children; zombies do not count. */
export function descendants(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const { pid, parent } of livingProcesses()) children.set(parent, [...(children.get(parent) ?? []), pid])
  const found: number[] = []
  for (
    let level = children.get(root) ?? [];
    level.length > 0;
    level = level.flatMap((pid) => children.get(pid) ?? [])
  ) {
    found.push(...level)
  }
  return found
}

/** Ids of all living processes that were started with this in their environment, and whose environment we may read. */
export function startedWith(variable: RegExp): number[] {
  return livingProcesses().flatMap(({ pid }) => (variable.test(readOrEmpty(`/proc/${pid}/environ`)) ? [pid] : []))
}

/** Kills the processes and resolves when they are gone; rejects when `signal` is sooner. */
export async function killAll(
  pids: readonly number[],
  signal: AbortSignal = AbortSignal.timeout(5_000),
): Promise<void> {
  for (const pid of pids) kill(pid, 'SIGKILL')
  while (pids.some(isAlive)) await delay(LOOK_AGAIN_MS, undefined, { signal })
}

/** Whether the process is there and not a zombie. */
export function isAlive(pid: number): boolean {
  return readStat(String(pid)) !== undefined
}

/** Sends a signal; a process that is gone already is fine. */
export function kill(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function livingProcesses(): { pid: number; parent: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(name) ?? [])
}

function readStat(name: string): { pid: number; parent: number } | undefined {
  // The program's name may hold spaces and brackets: the fields begin after the last bracket.
  const [state = '', parent] = readOrEmpty(`/proc/${name}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  return ['', 'Z', 'X'].includes(state) ? undefined : { pid: Number(name), parent: Number(parent) }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
