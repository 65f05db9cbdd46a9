// Starts the ssh program, and sees to its end however this process ends. The only door of this folder to
// node:child_process; what ssh is told and what it says are not understood here.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { type Clock, systemClock } from '../../core/clock.ts'

/** How a process ended; `missing` when there is no such program. */
export type Ending = 'missing' | { code: number | null; signal: string | null }

export interface StartOptions {
  /** Added to our own environment. */
  environment?: Readonly<Record<string, string>> | undefined
  /** Told of each line on standard error. */
  onLine: (line: string) => void
  clock?: Clock | undefined
}

/** A process that runs until it ends by itself or `end()` is called. */
export interface KeptProcess {
  readonly pid: number | undefined
  /** Never rejects; all lines were told before. */
  readonly ended: Promise<Ending>
  /** Asks it to go, and kills it when it does not; idempotent. */
  end(): void
}

/** A process whose standard input and output are a stream to somewhere. */
export interface PipedProcess extends KeptProcess {
  readonly input: Writable
  readonly output: Readable
}

/** Time that a process has to go by itself, in milliseconds. */
const GRACE_MS = 2_000

/**
 * The folder and the command are its arguments. Standard input is held by us: it ends when we do, even by SIGKILL, and
 * then the command is ended and the folder removed.
 */
const WATCH = `
exec 3<&0
folder=$1
shift
"$@" </dev/null 3<&- &
command=$!
(read -r _ <&3; kill "$command") >/dev/null 2>&1 &
watcher=$!
wait "$command"
code=$?
kill "$watcher" 2>/dev/null
rm -rf -- "$folder"
exit "$code"
`

/** Where there is no sh to watch, the death of this process by violence leaves the command running. */
const CAN_WATCH = process.platform !== 'win32'

/** Runs a command that neither reads nor writes, in a session of its own: no terminal is there for it to ask at. */
export function startKept(command: readonly string[], folder: string, options: StartOptions): KeptProcess {
  const [program = '', ...rest] = CAN_WATCH ? ['/bin/sh', '-c', WATCH, 'sh', folder, ...command] : command
  const child = spawn(program, rest, {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, ...options.environment },
    detached: CAN_WATCH,
    windowsHide: true,
  })
  return watch(child, options)
}

/** Runs a command that is a stream; it ends when its input does. */
export function startPiped(command: readonly string[], options: StartOptions): PipedProcess {
  const [program = '', ...rest] = command
  const child = spawn(program, rest, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
    detached: CAN_WATCH,
    windowsHide: true,
  })
  return { ...watch(child, options), input: child.stdin, output: child.stdout }
}

function watch(
  child: ChildProcessByStdio<Writable, Readable | null, Readable>,
  { onLine, clock = systemClock }: StartOptions,
): KeptProcess {
  const isOver = new AbortController()
  tellLines(child.stderr, onLine)
  child.stdin.on('error', () => {})
  const ended = new Promise<Ending>((resolve) => {
    child.once('error', () => resolve('missing'))
    child.once('close', (code, signal) => resolve(code === NOT_FOUND ? 'missing' : { code, signal }))
  })
  void ended.then(() => {
    isOver.abort()
    child.stdin.destroy()
  })
  const end = () => {
    if (child.stdin.destroyed) return
    child.stdin.destroy()
    clock.sleep(GRACE_MS, isOver.signal).then(
      () => killGroup(child.pid),
      () => {},
    )
  }
  return { pid: child.pid, ended, end }
}

/** What a shell answers for a command that is not there. */
const NOT_FOUND = 127

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(CAN_WATCH ? -pid : pid, 'SIGKILL')
  } catch {
    // It went meanwhile.
  }
}

function tellLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}
