// A command on the server, its stdin and stdout as a channel whose end waits for the command's: only then is it known
// whether it worked. Which commands are run is not known here.
import type { PluginError } from '../../core/errors.ts'
import type { Channel } from './channel-socket.ts'

/** What is used of an ssh2 channel in which a command runs. */
export interface RawExecChannel extends Channel {
  readonly stderr: { on(event: 'data', listener: (chunk: Buffer) => void): unknown }
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'exit', listener: (code: number | null) => void): unknown
}

/** What is used of an ssh2 client that is logged in. */
export interface ExecClient {
  exec(command: string, callback: (error: Error | undefined, channel: RawExecChannel) => void): unknown
}

const MAX_WORDS = 400

export class ExecChannel implements Channel {
  readonly #raw: RawExecChannel
  readonly #onEnd: (() => void)[] = []
  #hasSpoken = false
  #code: number | null = null
  #words = ''

  constructor(raw: RawExecChannel) {
    this.#raw = raw
    raw.on('exit', (code) => {
      this.#code = code
    })
    // Unread, it would keep the channel open.
    raw.stderr.on('data', (chunk) => {
      this.#words = (this.#words + chunk.toString('utf8')).slice(-MAX_WORDS)
    })
    // A command that has nothing more to say may still wait for more to hear.
    raw.on('end', () => raw.end())
  }

  /** How it failed, in words, when it failed before it gave a byte; known once it is closed. */
  failure(say: (words: string) => PluginError): PluginError | undefined {
    if (this.#hasSpoken || this.#code === 0) return undefined
    const said = this.#words.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
    return say(said === '' ? `it ended with ${this.#code ?? 'a signal'}` : said)
  }

  get outgoing(): { readonly state: string } {
    return this.#raw.outgoing
  }

  on(event: 'data', listener: (chunk: Buffer) => void): this
  on(event: 'end' | 'close', listener: () => void): this
  on(event: 'error', listener: (error: Error) => void): this
  on(event: string, listener: (...values: never[]) => void): this {
    const call = listener as (value?: unknown) => void
    switch (event) {
      case 'data':
        this.#raw.on('data', (chunk) => {
          this.#hasSpoken = true
          call(chunk)
        })
        break
      case 'end':
        this.#onEnd.push(call)
        break
      case 'close':
        this.#raw.on('close', () => {
          for (const end of this.#onEnd.splice(0)) end()
          call()
        })
        break
      default:
        this.#raw.on('error', call)
    }
    return this
  }

  removeAllListeners(event: 'data'): void {
    this.#raw.removeAllListeners(event)
  }
  pause(): void {
    this.#raw.pause()
  }
  resume(): void {
    this.#raw.resume()
  }
  write(chunk: Buffer, callback: () => void): boolean {
    return this.#raw.write(chunk, callback)
  }
  end(): void {
    this.#raw.end()
  }
  close(): void {
    this.#raw.close()
  }
}
