// Starts short-lived programs and finds them on PATH. Servers with a life of their own (sshd, ssh-agent) are not started here.
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

/** What a program left behind; `code` is null when it could not be started, was killed, or took too long. */
export type Outcome = { code: number | null; stdout: string; stderr: string }

/** `timeoutMs` in milliseconds (default 30 s), after which the program is killed; `environment` is added to our own. */
export type CommandOptions = { cwd?: string; environment?: Record<string, string>; timeoutMs?: number }

const DEFAULT_TIMEOUT_MS = 30_000
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024

/** Runs a program to its end, without a shell. Never rejects: failure is in the outcome. */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const settings = {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    maxBuffer: OUTPUT_LIMIT_BYTES,
    killSignal: 'SIGKILL' as const,
  }
  return new Promise((resolve) => {
    const child = execFile(program, [...args], settings, (error, stdout, stderr) => {
      if (!error) return resolve({ code: 0, stdout, stderr })
      const started = typeof error.code === 'number'
      resolve({ code: started ? Number(error.code) : null, stdout, stderr: stderr || error.message })
    })
    child.stdin?.end()
  })
}

/**
 * As `run`, and answers the standard output.
 * @throws Error with the program's name and the last lines of its standard error when its code is not 0.
 */
export async function runOrThrow(program: string, args: readonly string[], options?: CommandOptions): Promise<string> {
  const outcome = await run(program, args, options)
  if (outcome.code === 0) return outcome.stdout
  const tail = outcome.stderr.trim().split('\n').slice(-3).join(' | ')
  throw new Error(`${program} ended with ${outcome.code ?? 'no code'}: ${tail}`)
}

/** The first executable of that name in PATH or else in `more` folders; an absolute name is only checked. */
export async function findProgram(name: string, more: readonly string[] = []): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(isAbsolute), ...more]
  const candidates = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))
  for (const candidate of candidates) {
    const usable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (usable) return candidate
  }
  return undefined
}
