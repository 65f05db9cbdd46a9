import { join } from 'node:path'
import type { UserConfig } from '../../src/config/schema.ts'
import { PROJECT_ROOT } from '../project-root.ts'
import type { Neovim } from '../provision/neovim.ts'

/** The server that is talked to. */
export interface World {
  /** What a user would give to setup(). */
  setup: UserConfig
  /** One line that says what answers; shorter than a narrow screen. */
  description: string
  /** Milliseconds after which a run is stuck; absent where a model may take its time. */
  patienceMs?: number
  stop(): Promise<void>
}

/** All that a run needs: a Neovim, a folder of its own, a server. */
export interface Scene {
  nvim: Neovim
  folder: string
  world: World
}

/** Arguments for a Neovim that knows nothing of the user's own configuration but has the plugin. */
export function neovimArguments(setup: UserConfig): string[] {
  // JSON's strings are Lua's long-bracket content here, so nothing in them is ever code.
  const options = `vim.json.decode([==[${JSON.stringify(setup)}]==])`
  const lua = `require('ollama-remote').setup(${options})`
  return [
    '--clean',
    '-n',
    '--cmd',
    'let mapleader = " "',
    '--cmd',
    `set runtimepath^=${fnameescape(PROJECT_ROOT)}`,
    '-c',
    `lua ${lua}`,
  ]
}

/** The environment of such a Neovim: its files stay in the run's folder. */
export function neovimEnvironment({ nvim, folder }: Scene): NodeJS.ProcessEnv {
  const { NVIM: _outer, ...inherited } = process.env
  return {
    ...inherited,
    ...nvim.environment,
    XDG_CONFIG_HOME: join(folder, 'config'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CACHE_HOME: join(folder, 'cache'),
  }
}

function fnameescape(path: string): string {
  return path.replace(/[ \\,]/g, '\\$&')
}
