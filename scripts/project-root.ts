import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json: found from this file upwards, so that it holds for sources and for bundles of them. */
export const PROJECT_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)))

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'plugin'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('not inside a checkout of ollama-remote.nvim')
  return findRoot(parent)
}
