/** Writes the lines of an answer: headers with the first one, cut as the script wants, never faster than the client reads. */

import type { ServerResponse } from 'node:http'
import type { SplitMode } from './behaviour.ts'
import { sleep, systemClock } from './clock.ts'
import { goJson } from './go-text.ts'
import { bareHeaders, NDJSON_TYPE } from './reply.ts'
import { createSplitter, type Splitter } from './split.ts'

/** How much an unbounded answer gathers before it writes. */
const BATCH_CHARACTERS = 65_536

/**
 * Node's libuv tells a plain end, not ECONNRESET, when the RST arrives together with the last bytes; so the client
 * gets the time to read them first.
 */
const TIME_TO_READ_MS = 25

export interface AnswerStreamOptions {
  readonly splitMode: SplitMode
  /** Gather many lines per write instead of one write per line. */
  readonly batched: boolean
}

export class AnswerStream {
  readonly #response: ServerResponse
  readonly #gone: AbortSignal
  readonly #splitter: Splitter
  readonly #batch: number
  #gathered = ''
  #lines = 0

  constructor(response: ServerResponse, gone: AbortSignal, options: AnswerStreamOptions) {
    this.#response = response
    this.#gone = gone
    this.#splitter = createSplitter(options.splitMode)
    this.#batch = options.batched ? BATCH_CHARACTERS : 0
  }

  /** Whether the answer has a first line, after which errors can only be lines. */
  get started(): boolean {
    return this.#lines > 0
  }

  /** Adds a line; false when the caller must wait for `drained` before the next one. */
  line(value: object): boolean {
    this.#lines += 1
    this.#gathered += `${goJson(value)}\n`
    return this.#gathered.length < this.#batch || this.#writeGathered()
  }

  drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#gone.aborted) return reject(this.#gone.reason)
      // Also lets the event loop turn: an endless answer would otherwise never hear that the client left.
      if (!this.#response.writableNeedDrain) return setImmediate(resolve)
      const onDrain = (): void => {
        this.#gone.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = (): void => {
        this.#response.removeListener('drain', onDrain)
        reject(this.#gone.reason)
      }
      this.#response.once('drain', onDrain)
      this.#gone.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Gives all that was added to the client, and nothing more. */
  flush(): void {
    this.#writeGathered()
    for (const chunk of this.#splitter.flush()) this.#write(chunk)
  }

  /** The proper end, with the terminator of the chunked body. */
  end(): void {
    this.flush()
    this.#open()
    this.#response.end()
  }

  /** RST after all that was added has left. */
  async reset(): Promise<void> {
    await this.#delivered()
    await sleep(systemClock, TIME_TO_READ_MS, this.#gone)
    this.#response.socket?.resetAndDestroy()
  }

  /** FIN after all that was added has left, without the terminator of the chunked body. */
  async breakOff(): Promise<void> {
    await this.#delivered()
    this.#response.socket?.destroySoon()
  }

  #writeGathered(): boolean {
    if (this.#gathered === '') return true
    const bytes = Buffer.from(this.#gathered)
    this.#gathered = ''
    let ready = true
    for (const chunk of this.#splitter.push(bytes)) ready = this.#write(chunk)
    return ready
  }

  #write(chunk: Buffer): boolean {
    this.#open()
    return this.#response.write(chunk)
  }

  #open(): void {
    if (this.#response.headersSent) return
    bareHeaders(this.#response)
    this.#response.statusCode = 200
    this.#response.setHeader('Content-Type', NDJSON_TYPE)
  }

  /** An empty write is acknowledged after all earlier ones were handed to the kernel. */
  #delivered(): Promise<void> {
    this.flush()
    return new Promise((resolve) => {
      const { socket } = this.#response
      if (socket === null || socket.destroyed) return resolve()
      socket.write('', () => resolve())
    })
  }
}
