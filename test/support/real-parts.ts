// Runs tests against real programs where those were found. The finding is in global-setup.ts.
import { describe, inject } from 'vitest'
import type { Missing } from '../../scripts/provision/debian.ts'
import type { Neovim } from '../../scripts/provision/neovim.ts'
import type { Openssh } from '../../scripts/provision/openssh.ts'
import type { Tool } from '../../scripts/provision/terminal-tools.ts'
import type { RealParts } from './global-setup.ts'

/** A Neovim to test with; `label` is the release line that it stands for. */
export type LabelledNeovim = { label: '0.10' | '0.12'; nvim: Neovim }

const LABELS = ['0.10', '0.12'] as const

/** A `describe` whose body gets a real OpenSSH for `startSshd({ openssh })`; told loudly and skipped without one. */
export function describeWithSshd(name: string, body: (openssh: Openssh) => void): void {
  const openssh = part('openssh')
  if (openssh.kind === 'missing') skip(name, openssh)
  else describe(name, () => body(openssh))
}

/** One `describe` for each of Neovim 0.10 and 0.12, named `NAME (Neovim 0.10)`; told loudly and skipped without it. */
export function describeWithNeovim(name: string, body: (nvim: Neovim, label: '0.10' | '0.12') => void): void {
  for (const label of LABELS) {
    const title = `${name} (Neovim ${label})`
    const nvim = part(label)
    if (nvim.kind === 'missing') skip(title, nvim)
    else describe(title, () => body(nvim, label))
  }
}

/** As `describeWithNeovim`, with a real fzf and a real tmux too; told loudly and skipped without either. */
export function describeWithFzf(name: string, body: (nvim: Neovim, tools: { fzf: Tool; tmux: Tool }) => void): void {
  const fzf = part('fzf')
  const tmux = part('tmux')
  if (fzf.kind === 'missing') skip(name, fzf)
  else if (tmux.kind === 'missing') skip(name, tmux)
  else describeWithNeovim(name, (nvim) => body(nvim, { fzf, tmux }))
}

/** The Neovims that were found, oldest first. */
export function neovims(): LabelledNeovim[] {
  return LABELS.flatMap((label) => {
    const nvim = part(label)
    return nvim.kind === 'found' ? [{ label, nvim }] : []
  })
}

/** A skipped test must never look like a passed one, and never happen unseen on CI. */
function skip(name: string, missing: Missing): void {
  if (process.env.CI === 'true') throw new Error(`${name} cannot run: ${missing.reason}`)
  process.stderr.write(`SKIPPED: ${name}, because ${missing.reason}\n`)
  describe.skip(name, () => {})
}

function part<Name extends keyof RealParts>(name: Name): RealParts[Name] | Missing {
  const parts: RealParts | undefined = inject('realParts')
  return parts?.[name] ?? { kind: 'missing', reason: 'test/support/global-setup.ts did not run' }
}
