// A ProxyCommand as a Duplex: what is written goes to its stdin, what is read comes from its stdout. It ends with the
// stream, and all that it started too. The only door of this folder to node:child_process.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { Duplex, type Readable } from 'node:stream'
import { type ErrorCode, PluginError } from '../../core/errors.ts'

/** Characters of its last words that are shown. */
const MAX_WORDS = 400
/** Milliseconds from the request to end until the command is ended by force. */
const GRACE_MS = 1_000

/**
 * Runs the command, and beside it a shell that waits for the end of descriptor 3. That end comes by itself when this
 * process dies, however violently; a command that does not heed the end of its input would else live on.
 */
const WATCHED =
  '(trap "" TERM; read -r _; kill -TERM 0; sleep 1; kill -KILL 0) <&3 >/dev/null 2>&1 & exec 3<&-; exec /bin/sh -c "$1"'

export class ProxyCommandStream extends Duplex {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #alias: string
  #words = ''
  #force: NodeJS.Timeout | undefined
  #isGone = false

  /** @param command with all tokens expanded. */
  constructor(command: string, alias: string) {
    super({ allowHalfOpen: false })
    this.#alias = alias
    // A process group of its own, so that what the shell starts can be ended with it.
    const stdio = ['pipe', 'pipe', 'pipe', 'pipe'] as const
    const options = { detached: true, stdio: [...stdio], windowsHide: true }
    const child = spawn('/bin/sh', ['-c', WATCHED, 'sh', command], options) as ChildProcessWithoutNullStreams
    const lifeline = child.stdio[3] as Readable | null
    lifeline?.on('error', () => {})
    child.once('exit', () => lifeline?.destroy())
    this.#child = child
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause()
    })
    child.stdout.pause()
    child.stdout.on('end', () => this.#end())
    child.stderr.on('data', (chunk: Buffer) => {
      this.#words = (this.#words + chunk.toString('utf8')).slice(-MAX_WORDS)
    })
    // A command that no longer reads can carry nothing; why it is so, it says when it ends.
    child.stdin.on('error', () => this.#end())
    child.on('error', (error) => this.destroy(this.#ended(error.message)))
    child.on('close', (code, signal) => this.#closed(code, signal))
  }

  /** What a socket has: everything written goes out, then it closes. */
  destroySoon(): void {
    if (this.writableEnded) this.destroy()
    else this.end(() => this.destroy())
  }

  override _read(): void {
    this.#child.stdout.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#child.stdin.write(chunk, () => callback())
  }

  override _final(callback: () => void): void {
    this.#child.stdin.end(() => callback())
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#end()
    callback(error)
  }

  #end(): void {
    if (this.#isGone || this.#force) return
    this.#kill('SIGTERM')
    this.#force = setTimeout(() => this.#kill('SIGKILL'), GRACE_MS)
  }

  #closed(code: number | null, signal: NodeJS.Signals | null): void {
    const byOthers = this.#force ? 'it closed its end' : `it was ended by ${signal}`
    const error = this.#ended(signal === null ? `it ended with ${code}` : byOthers)
    this.#isGone = true
    clearTimeout(this.#force)
    // What it started in the background may have closed its outputs and live on.
    this.#kill('SIGKILL')
    this.destroy(error)
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch {
      // Gone already.
    }
  }

  #ended(how: string): PluginError {
    const said = this.#words.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
    const words = said === '' ? how : `${said} (${how})`
    return new PluginError(meaningOf(words), `The ProxyCommand for ${this.#alias} carries no longer: ${words}`, {
      hint: `See whether it works in a terminal: ssh -v ${this.#alias}`,
    })
  }
}

/** Often it is an ssh of its own: what that one was refused must not be tried again by itself. */
function meaningOf(words: string): ErrorCode {
  if (/IDENTIFICATION HAS CHANGED/.test(words)) return 'SSH_HOST_KEY_CHANGED'
  if (/Host key verification failed/.test(words)) return 'SSH_HOST_KEY_UNKNOWN'
  if (/Permission denied \(|Too many authentication failures/.test(words)) return 'SSH_AUTH_FAILED'
  return /\(it ended with 12[67]\)$|^it ended with 12[67]$/.test(words) ? 'SSH_CONFIG_INVALID' : 'SSH_UNREACHABLE'
}
