// `make try`: the main job on this machine, with a demonstration server or a real one. See the README.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PROJECT_ROOT } from './project-root.ts'
import { findNeovim } from './provision/neovim.ts'
import { startDemonstration } from './try/demonstration.ts'
import { runHeadless } from './try/headless.ts'
import { runInTerminal } from './try/interactive.ts'
import { realServer } from './try/real-server.ts'
import type { Scene, World } from './try/world.ts'

const { SSH, PROMPT, MODEL } = process.env

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`make try failed: ${error instanceof Error ? error.message : String(error)}\n`)
  return 1
})

async function main(): Promise<number> {
  const nvim = await findNeovim('any')
  if (nvim.kind === 'missing') throw new Error(nvim.reason)
  const caches = join(PROJECT_ROOT, '.cache')
  mkdirSync(caches, { recursive: true })
  const folder = mkdtempSync(join(caches, 'try-'))
  const world: World = SSH ? realServer(SSH, MODEL) : await startDemonstration(folder)
  const scene: Scene = { nvim, folder, world }
  try {
    const inTerminal = process.stdin.isTTY && process.stdout.isTTY && !PROMPT
    return await (inTerminal ? runInTerminal(scene) : runHeadless(scene, PROMPT || 'hello'))
  } finally {
    await world.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
