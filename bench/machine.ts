// What was measured on, in words that name no machine.
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { findProgram, run } from '../scripts/provision/command.ts'
import { NEOVIM_LINES, type Rig } from './rig.ts'

/** One sentence: processors, system, versions of all parts. A part that is absent is left out. */
export async function describeMachine(rig: Rig): Promise<string> {
  const neovims = await Promise.all(
    NEOVIM_LINES.map((line) =>
      rig.neovim(line).then(
        ({ version }) => version,
        () => undefined,
      ),
    ),
  )
  const openssh = await rig.openssh().then(
    ({ version }) => version,
    () => undefined,
  )
  const parts = [
    `${availableParallelism()} shared cores`,
    await systemName(),
    `Node ${process.versions.node}`,
    ...neovims.map((version) => version && `Neovim ${version}`),
    openssh && `OpenSSH ${openssh} (server)`,
    await curlVersion(),
  ]
  return parts.filter(Boolean).join(', ')
}

async function systemName(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^PRETTY_NAME="?([^"\n]+?)(?: \([^)]*\))?"?$/m.exec(text)?.[1] ?? process.platform
}

async function curlVersion(): Promise<string | undefined> {
  const curl = await findProgram('curl')
  const told = curl && (await run(curl, ['--version'])).stdout
  return told && `curl ${/^curl (\S+)/.exec(told)?.[1]}`
}
