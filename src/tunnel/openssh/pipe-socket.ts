// A stream that another process carries, as a well-behaved Duplex: a pipe ends as cleanly when that process dies as when
// the far end has said all, so every end is judged before it is passed on.
import type { Readable, Writable } from 'node:stream'
import { CarriedStream } from '../carried-stream.ts'

/** The two ends of a pipe; for a socket they are the same. */
export interface Pipe {
  readonly input: Writable
  readonly output: Readable
  /** Lets go of it at once. */
  end(): void
}

export class PipeSocket extends CarriedStream {
  readonly #pipe: Pipe
  readonly #judge: () => Promise<Error | undefined>

  /** @param judge why the end that came is a loss; `undefined` when the far end meant it. Never rejects. */
  constructor(pipe: Pipe, judge: () => Promise<Error | undefined>) {
    super()
    this.#pipe = pipe
    this.#judge = judge
    const { input, output } = pipe
    output.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) output.pause()
    })
    output.on('end', () => void this.#onEnd())
    output.on('error', (error) => void this.#onBroken(error))
    output.on('close', () => {
      if (!output.readableEnded) void this.#onBroken(closedError())
    })
    if (!Object.is(input, output)) input.on('error', (error) => void this.#onBroken(error))
    output.pause()
  }

  async #onEnd(): Promise<void> {
    const lost = await this.#judge()
    if (lost) this.destroy(lost)
    else if (!this.destroyed) this.push(null)
  }

  async #onBroken(error: Error): Promise<void> {
    if (this.destroyed) return
    this.destroy((await this.#judge()) ?? error)
  }

  override _read(): void {
    this.#pipe.output.resume()
  }

  /** A write that fails says nothing of its own: the end of the pipe tells why. */
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#pipe.input.write(chunk, (error) => {
      if (!error) return callback()
      this.#judge().then((lost) => callback(lost ?? error))
    })
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#pipe.input.end()
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#pipe.end()
    callback(error)
  }
}

function closedError(): Error {
  return Object.assign(new Error('The stream was closed'), { code: 'ECONNRESET' })
}
