// Runs once before all tests: finds the real parts, so that test files need not. What tests do with them is in real-parts.ts.
import type { TestProject } from 'vitest/node'
import type { Missing } from '../../scripts/provision/debian.ts'
import { findNeovim, type Neovim } from '../../scripts/provision/neovim.ts'
import { findOpenssh, type Openssh } from '../../scripts/provision/openssh.ts'
import { findTool, type Tool } from '../../scripts/provision/terminal-tools.ts'

/** All real parts, as found once for the whole run. */
export type RealParts = {
  '0.10': Neovim | Missing
  '0.12': Neovim | Missing
  openssh: Openssh | Missing
  fzf: Tool | Missing
  tmux: Tool | Missing
}

declare module 'vitest' {
  interface ProvidedContext {
    realParts: RealParts
  }
}

const HANDOVER = 'OLLAMA_REMOTE_TEST_PARTS'

/** Called by Vitest once for each project that names this file, with fresh module state each time. */
export async function setup(project: TestProject): Promise<void> {
  process.env[HANDOVER] ??= JSON.stringify(await discover())
  project.provide('realParts', JSON.parse(process.env[HANDOVER]) as RealParts)
}

// One after the other: two of them share the lists of one suite.
async function discover(): Promise<RealParts> {
  const old = await findNeovim('0.10')
  const recent = await findNeovim('0.12')
  const openssh = await findOpenssh()
  return { '0.10': old, '0.12': recent, openssh, fzf: await findTool('fzf'), tmux: await findTool('tmux') }
}
