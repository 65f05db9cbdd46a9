import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { neovimArguments, neovimEnvironment, type Scene } from './world.ts'

/** Hands the terminal to Neovim with a chat open; resolves to its exit code. */
export async function runInTerminal(scene: Scene): Promise<number> {
  const { setup, description } = scene.world
  const open = `vim.cmd('Ollama chat') vim.notify([==[${description}]==])`
  const atStart = `autocmd VimEnter * ++once lua vim.schedule(function() ${open} end)`
  const child = spawn(scene.nvim.path, [...neovimArguments(setup), '--cmd', atStart], {
    stdio: 'inherit',
    env: neovimEnvironment(scene),
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
