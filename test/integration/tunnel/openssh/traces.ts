// What the ssh program may leave behind: processes and files.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest'
import { descendants } from '../../../support/process-tree.ts'

/** Living processes under `root` that are an ssh, or the shell that watches one. */
export function sshProcesses(root = process.pid): number[] {
  return descendants(root).filter(isSsh)
}

export function isSsh(pid: number): boolean {
  return /(^|\/)ssh\0|\/ollama-remote-/.test(commandOf(pid))
}

/** Names of files in a runtime folder, and ids of processes. */
export function traces(runtime: string): string[] {
  return [...readdirSync(runtime), ...sshProcesses().map(String)]
}

/**
 * A folder for sockets, of the `describe` that this is called in; after each of its tests nothing is left in it and no ssh lives.
 * To be called before `setStage`, so that the servers are closed by then.
 */
export function setRuntimeFolder(): { readonly path: string } {
  let path: string
  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), 'run-'))
    vi.stubEnv('XDG_RUNTIME_DIR', path)
  })
  afterEach(() => expect.poll(() => traces(path)).toEqual([]))
  afterAll(() => {
    vi.unstubAllEnvs()
    rmSync(path, { recursive: true })
  })
  return {
    get path() {
      return path
    },
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
