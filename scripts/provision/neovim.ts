// Finds the Neovims that tests and benchmarks run: the user's own, or unpacked ones. How to unpack is in debian.ts.
import { join } from 'node:path'
import { systemDistribution } from './apt.ts'
import { findProgram, run } from './command.ts'
import { type Missing, unpack } from './debian.ts'

/** A release line of Neovim, or whatever is new enough for the plugin. */
export type WantedNeovim = '0.10' | '0.12' | 'any'

/** `version` as in `0.12.4`; `environment` has to be added to the environment of every process that starts `path`. */
export type Neovim = { kind: 'found'; path: string; version: string; environment: Record<string, string> }

type Line = Exclude<WantedNeovim, 'any'>

/** Debian's suites that carry the release lines. */
const SUITES: Record<Line, string> = { '0.10': 'trixie', '0.12': 'sid' }
const VARIABLES: Record<Line, string> = { '0.10': 'NVIM_0_10', '0.12': 'NVIM_0_12' }
const NOT_NEEDED = /^(gcc-\d+-base|libc-gconv-modules-extra)$/

/**
 * Looks at $NVIM_0_10 or $NVIM_0_12, then at PATH, then unpacks from Debian.
 * A variable that names no Neovim is an error to be told, not to be passed over; one of another line stands in for it.
 */
export async function findNeovim(wanted: WantedNeovim): Promise<Neovim | Missing> {
  const line: Line = wanted === 'any' ? '0.12' : wanted
  const variable = VARIABLES[line]
  const named = process.env[variable]
  if (wanted !== 'any' && named) {
    const found = await examine(named, {})
    if (!found || !matches(found.version, 'any')) {
      return { kind: 'missing', reason: `${variable} names ${named}, which is no Neovim >= 0.10; correct or unset it` }
    }
    if (!matches(found.version, wanted)) tellStandIn(found.version, line)
    return found
  }
  const own = await findProgram('nvim')
  const found = own && (await examine(own, {}))
  if (found && matches(found.version, wanted)) return found
  return unpackNeovim(line)
}

/** Whether a version such as `0.10.4` is of the wanted line. */
export function matches(version: string, wanted: WantedNeovim): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (wanted === 'any') return major > 0 || minor >= 10
  return `${major}.${minor}` === wanted
}

async function unpackNeovim(line: Line): Promise<Neovim | Missing> {
  const advice = `put Neovim ${line} on PATH, or set ${VARIABLES[line]} to its path`
  const distribution = await systemDistribution().catch(() => undefined)
  if (distribution?.id !== 'debian') {
    return { kind: 'missing', reason: `Neovim ${line} can be unpacked on Debian only; ${advice}` }
  }
  const unpacked = await unpack({
    suite: SUITES[line],
    name: 'neovim',
    label: `Neovim ${line}`,
    roots: ['neovim'],
    wanted: (name) => !NOT_NEEDED.test(name),
    programs: ['usr/bin/nvim'],
  })
  if (unpacked.kind === 'missing') return { kind: 'missing', reason: `${unpacked.reason}; ${advice}` }
  const shared = join(unpacked.folder, 'usr/share/nvim')
  const environment = { VIM: shared, VIMRUNTIME: join(shared, 'runtime') }
  const found = await examine(join(unpacked.folder, 'usr/bin/nvim'), environment)
  if (!found) return { kind: 'missing', reason: `the Neovim in ${unpacked.folder} does not start; remove that folder` }
  // Debian's sid moves on; a newer Neovim is still the newest there is to test.
  if (!matches(found.version, line)) tellStandIn(found.version, line)
  return found
}

function tellStandIn(version: string, line: Line): void {
  process.stderr.write(`Neovim ${version} stands in for ${line}\n`)
}

async function examine(path: string, environment: Record<string, string>): Promise<Neovim | undefined> {
  const outcome = await run(path, ['--version'], { environment })
  const version = /^NVIM v(\d+\.\d+\.\d+)/.exec(outcome.stdout)?.[1]
  return version === undefined ? undefined : { kind: 'found', path, version, environment }
}
