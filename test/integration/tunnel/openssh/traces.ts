// What the ssh program may leave behind: processes and files.
import { readdirSync, readFileSync } from 'node:fs'
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

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
