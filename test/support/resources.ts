// What a process holds open, counted: whatever was opened and closed again must leave the count where it was.
import { readdirSync, readlinkSync } from 'node:fs'
import { descendants } from './process-tree.ts'

/** Names that Node gives to what keeps it running, with how many there are of each; `fd:…` are open files and sockets. */
export type Resources = Readonly<Record<string, number>>

/** Come and go with what else a test's process does: reading a file, the runner's own words. */
const PASSING =
  /^(FSReq|CloseReq|Immediate|TTYWrap|PipeWrap$|MessagePort|WorkerThread|RandomBytes|fd:(\/|pipe|anon_inode))/

export function resources(): Resources {
  const names = [
    ...process.getActiveResourcesInfo(),
    ...openFiles(),
    ...descendants(process.pid).map(() => 'ChildProcess'),
  ]
  const counts: Record<string, number> = {}
  for (const name of names) if (!PASSING.test(name)) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** What there is more of than before; empty when nothing is left behind. */
export function leftBehind(before: Resources): Resources {
  const more = Object.entries(resources()).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
  return Object.fromEntries(more.filter(([, count]) => count > 0))
}

/** Only where the system tells. */
function openFiles(): string[] {
  try {
    return readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [`fd:${readlinkSync(`/proc/self/fd/${fd}`).replace(/:.*/, '')}`]
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}
