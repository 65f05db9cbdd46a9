// What scenarios share: the real parts, each started when the first scenario needs it and ended with the run.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findNeovim, type Neovim } from '../scripts/provision/neovim.ts'
import { findOpenssh } from '../scripts/provision/openssh.ts'
import type { UserConfig } from '../src/config/schema.ts'
import { type Sshd, startSshd } from '../test/support/sshd.ts'
import { startBackend } from './backend-client.ts'
import { type Destination, destinationOf, type Forward, startForward } from './openssh-client.ts'
import type { Gap, Line } from './rows.ts'
import type { Scope } from './scope.ts'
import type { Settings } from './settings.ts'

export const NEOVIM_LINES = ['0.12', '0.10'] as const
export type NeovimLine = (typeof NEOVIM_LINES)[number]

/** One thing to measure; a file of its own each. */
export interface Scenario {
  name: string
  title: string
  run(rig: Rig): Promise<Line[]>
}

export class Rig {
  readonly settings: Settings
  readonly scope: Scope
  readonly openssh = once(() => found(findOpenssh()))
  readonly sshd = once(() => this.#startSshd())
  readonly backend = once(async () => this.scope.own(await startBackend(), (backend) => backend.stop()))
  /** A folder for one Neovim's files and the like, removed with the run. */
  readonly folder = () => mkdtemp(join(tmpdir(), 'ollama-bench-')).then((path) => this.scope.own(path, remove))
  readonly #neovims = {
    '0.12': once(() => found(findNeovim('0.12'))),
    '0.10': once(() => found(findNeovim('0.10'))),
  }

  constructor(settings: Settings, scope: Scope) {
    this.settings = settings
    this.scope = scope
  }

  /** @throws Error with the reason when there is no such Neovim here. */
  neovim(line: NeovimLine): Promise<Neovim> {
    return this.#neovims[line]()
  }

  /** The sshd as a client sees it, through a proxy's port or its own. */
  async destination(port?: number): Promise<Destination> {
    const sshd = await this.sshd()
    return destinationOf(sshd, port ?? sshd.port)
  }

  /** `ssh -L` to the server behind `destination`. */
  async forward(scope: Scope, destination: Destination): Promise<Forward> {
    const { ssh } = await this.openssh()
    const forward = await startForward(ssh, destination, (await this.backend()).port)
    return scope.own(forward, ({ stop }) => stop())
  }

  /** What a user would configure to reach the server behind `destination`. */
  async setup({ host, port, user, identityFile, knownHostsFile }: Destination): Promise<UserConfig> {
    const ssh = { host, port, user, identity_file: identityFile, known_hosts: knownHostsFile }
    const url = `http://127.0.0.1:${(await this.backend()).port}`
    return {
      servers: { bench: { ssh, url } },
      default_model: 'bench:demo',
      title: 'first-line',
      node: process.execPath,
    }
  }

  async #startSshd(): Promise<Sshd> {
    const sshd = await startSshd({ openssh: await this.openssh() })
    return this.scope.own(sshd, ({ stop }) => stop())
  }
}

/** Measures with each Neovim; one that is absent or fails leaves a gap and does not spare the other. */
export async function withEachNeovim(measure: (line: NeovimLine) => Promise<Line[]>): Promise<Line[]> {
  const lines: Line[] = []
  for (const line of NEOVIM_LINES) {
    lines.push(...(await measure(line).catch((error: unknown) => [gap(`Neovim ${line}`, error)])))
  }
  return lines
}

export function gap(figure: string, error: unknown): Gap {
  const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return { figure, reason }
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    return made
  }
}

async function found<Part extends { kind: 'found' }>(
  looking: Promise<Part | { kind: 'missing'; reason: string }>,
): Promise<Part> {
  const part = await looking
  if (part.kind === 'missing') throw new Error(part.reason)
  return part as Part
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 5 })
}
