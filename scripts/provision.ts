// Command line: `node scripts/run.mjs scripts/provision.ts` fetches all real parts that tests want and tells what is where.
import type { Missing } from './provision/debian.ts'
import { findNeovim } from './provision/neovim.ts'
import { findOpenssh } from './provision/openssh.ts'
import { findTool } from './provision/terminal-tools.ts'

const parts: [string, () => Promise<{ kind: 'found'; version: string } | Missing>][] = [
  ['Neovim 0.10', () => findNeovim('0.10')],
  ['Neovim 0.12', () => findNeovim('0.12')],
  ['OpenSSH', () => findOpenssh()],
  ['fzf', () => findTool('fzf')],
  ['tmux', () => findTool('tmux')],
]
for (const [name, find] of parts) {
  const part = await find()
  if (part.kind === 'missing') process.exitCode = 1
  process.stdout.write(
    `${name}: ${part.kind === 'missing' ? `MISSING, ${part.reason}` : JSON.stringify(part, null, 2)}\n`,
  )
}
