// A long-lived child whose output is kept, so that a test can wait for a line instead of sleeping.
import { type ChildProcess, spawn } from 'node:child_process'

/** A started server. `exited` resolves when it and its output have ended, and never rejects. */
export type WatchedProcess = {
  child: ChildProcess
  log(): string
  waitFor(pattern: RegExp, options?: WaitOptions): Promise<RegExpExecArray>
  exited: Promise<void>
  ended(): boolean
}

/** `after` is an offset in `log()` from which to look (default 0); `signal` ends the wait (default: after 10 s). */
export type WaitOptions = { after?: number; signal?: AbortSignal }

const PATIENCE_MS = 10_000

/** Starts a program with both outputs gathered into one log. A program that cannot be started counts as ended. */
export function startWatched(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
): WatchedProcess {
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const watchers = new Set<() => void>()
  const tellWatchers = () => {
    for (const watcher of watchers) watcher()
  }
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      text += `${error.message}\n`
      resolve()
    })
    // Not `exit`: the last words may come after it.
    child.once('close', () => resolve())
  })
  let ended = false
  void exited.then(() => {
    ended = true
    tellWatchers()
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      tellWatchers()
    })
  }
  const waitFor = (pattern: RegExp, options: WaitOptions = {}) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const signal = options.signal ?? AbortSignal.timeout(PATIENCE_MS)
      const finish = (act: () => void) => {
        watchers.delete(look)
        signal.removeEventListener('abort', look)
        act()
      }
      const look = () => {
        const match = pattern.exec(text.slice(options.after ?? 0))
        if (match) return finish(() => resolve(match))
        if (!ended && !signal.aborted) return
        const why = ended ? 'ended' : 'was waited for too long'
        finish(() => reject(new Error(`${program} ${why} without ${pattern}; its log:\n${text}`)))
      }
      watchers.add(look)
      signal.addEventListener('abort', look)
      look()
    })
  return { child, log: () => text, waitFor, exited, ended: () => ended }
}

/** Ends a watched process and resolves when it is gone; one that ended already is fine. */
export async function endWatched(watched: WatchedProcess, signal: NodeJS.Signals): Promise<void> {
  if (!watched.ended()) watched.child.kill(signal)
  await watched.exited
}
