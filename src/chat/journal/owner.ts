// Whose a journal is: a process, known again also when its number was given to another. Not here: what is written of it.
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import * as z from 'zod'

export const ownerSchema = z.object({
  pid: z.int().positive(),
  /** Which start of the machine, and when the process began in it; absent where the system does not tell. */
  start: z.string().optional(),
  /** Name of the machine. */
  host: z.string(),
})

export type Owner = z.output<typeof ownerSchema>

/** What is known of what an owner wrote. */
export interface Trace {
  /** When it was last written, in milliseconds since the epoch. */
  touched: number
  now: number
}

/**
 * Of a process on another machine, which shares the folder, nothing can be asked: it counts as living until it has written
 * nothing for so long. Whoever is taken for dead wrongly goes on in a journal of its own, so nothing is lost by that either.
 */
const ELSEWHERE_LIVES_MS = 24 * 60 * 60 * 1_000

/** The process with this number; the running one when none is given. */
export async function ownerOf(pid: number = process.pid): Promise<Owner> {
  const start = await startOf(pid)
  return { pid, ...(start === undefined ? {} : { start }), host: hostname() }
}

/** Whether the process still runs. */
export async function isAlive(owner: Owner, { touched, now }: Trace): Promise<boolean> {
  if (owner.host !== hostname()) return now - touched < ELSEWHERE_LIVES_MS
  if (owner.start !== undefined) return (await startOf(owner.pid)) === owner.start
  try {
    return process.kill(owner.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

export function isSameOwner(one: Owner, other: Owner): boolean {
  return one.pid === other.pid && one.start === other.start && one.host === other.host
}

/** `undefined` when there is no such process, when it has ended and nobody has taken note, or when the system does not tell. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // The name before it, in parentheses, may hold anything.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : `${boot.trim()} ${fields[18]}`
  } catch {
    return undefined
  }
}
