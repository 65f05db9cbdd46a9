// Finds fzf and tmux for tests: the user's own, or unpacked ones. How to unpack is in debian.ts.
import { join } from 'node:path'
import { systemDistribution } from './apt.ts'
import { findProgram, run } from './command.ts'
import { type Missing, unpack } from './debian.ts'

/** `version` as in `0.38.0` or `3.3a`. */
export type Tool = { kind: 'found'; path: string; version: string }

type ToolName = 'fzf' | 'tmux'

/** Not the system's own suite: one fixed version gives every Debian the same tests. */
const SUITE = 'trixie'
const VERSION_ARGUMENT: Record<ToolName, string> = { fzf: '--version', tmux: '-V' }
const LIBRARIES =
  /^(libc6|libgcc-s1|libtinfo6|libevent-core-2\.1-7t64|libutempter0|libjemalloc2|libstdc\+\+6|libsystemd0|libcap2)$/

/** Looks at PATH, then unpacks from Debian. */
export async function findTool(name: ToolName): Promise<Tool | Missing> {
  const own = await findProgram(name)
  const found = own === undefined ? undefined : await examine(name, own)
  if (found) return found
  const distribution = await systemDistribution().catch(() => undefined)
  if (distribution?.id !== 'debian') {
    return { kind: 'missing', reason: `${name} can be unpacked on Debian only; install it` }
  }
  const unpacked = await unpack({
    suite: SUITE,
    name,
    label: name,
    roots: [name],
    wanted: (packageName) => packageName === name || LIBRARIES.test(packageName),
    programs: [`usr/bin/${name}`],
  })
  if (unpacked.kind === 'missing') return { ...unpacked, reason: `${unpacked.reason}; or install ${name}` }
  const path = join(unpacked.folder, 'usr/bin', name)
  return (await examine(name, path)) ?? { kind: 'missing', reason: `the ${name} in ${unpacked.folder} does not start` }
}

async function examine(name: ToolName, path: string): Promise<Tool | undefined> {
  const outcome = await run(path, [VERSION_ARGUMENT[name]])
  const version = /\d+\.\d+[\w.]*/.exec(outcome.stdout)?.[0]
  return outcome.code === 0 && version !== undefined ? { kind: 'found', path, version } : undefined
}
