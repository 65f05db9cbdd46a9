// A channel of ssh2 as a well-behaved Duplex. A raw channel ignores errors given to destroy(), forgets write callbacks
// when it closes, and ends cleanly when the whole link is lost. Nothing here knows of ssh2 itself.
import { CarriedStream } from '../carried-stream.ts'

/** What is used of an ssh2 channel. */
export interface Channel {
  readonly outgoing: { readonly state: string }
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  removeAllListeners(event: 'data'): unknown
  pause(): unknown
  resume(): unknown
  write(chunk: Buffer, callback: () => void): boolean
  end(): unknown
  close(): unknown
}

export class ChannelSocket extends CarriedStream {
  readonly #channel: Channel
  readonly #lost: () => Error | undefined
  #isClosed = false
  /** The end was passed on, though perhaps not read yet. */
  #isEnded = false
  #pendingWrite: ((error?: Error) => void) | undefined

  /** @param lost why the whole link is gone; `undefined` while it stands. */
  constructor(channel: Channel, lost: () => Error | undefined) {
    super()
    this.#channel = channel
    this.#lost = lost
    channel.on('data', (chunk) => {
      if (!this.push(chunk)) channel.pause()
    })
    channel.on('end', () => this.#onEnd())
    channel.on('error', (error) => this.destroy(error))
    channel.on('close', () => this.#onClose())
    channel.pause()
  }

  /** When the link is lost, ssh2 ends its channels before it says so: a cut answer would look like a whole one. */
  #onEnd(): void {
    const lost = this.#lost()
    if (lost) {
      this.destroy(lost)
    } else {
      this.#isEnded = true
      this.push(null)
    }
  }

  #onClose(): void {
    this.#isClosed = true
    const error = this.#lost() ?? closedError()
    this.#settleWrite(error)
    if (!this.#isEnded) this.destroy(error)
  }

  #settleWrite(error?: Error): void {
    const settle = this.#pendingWrite
    this.#pendingWrite = undefined
    settle?.(error)
  }

  override _read(): void {
    if (!this.#isClosed) this.#channel.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#isClosed || this.#channel.outgoing.state !== 'open') {
      callback(this.#lost() ?? closedError())
      return
    }
    this.#pendingWrite = callback
    this.#channel.write(chunk, () => {
      if (this.#pendingWrite === callback) this.#settleWrite()
    })
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (!this.#isClosed) this.#channel.end()
    callback()
  }

  /** The close message goes out at once; what still arrives is read away, or ssh2 never lets go of the channel. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isClosed) {
      this.#channel.removeAllListeners('data')
      this.#channel.close()
      this.#channel.resume()
    }
    this.#settleWrite(error ?? closedError())
    callback(error)
  }

  /** What a socket has: everything written goes out, then it closes. */
  destroySoon(): void {
    if (this.writableEnded) this.destroy()
    else this.end(() => this.destroy())
  }
}

function closedError(): Error {
  return Object.assign(new Error('The channel was closed'), { code: 'ECONNRESET' })
}
