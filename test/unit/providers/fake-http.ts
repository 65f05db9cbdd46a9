// A server without a network: routes answered by functions, bodies written by the test, and a count of what still runs.
import type { Http, HttpRequest, HttpResponse } from '../../../src/providers/provider.ts'

export interface Scripted {
  status?: number
  contentType?: string
  body: string | FakeBody
}

export type Route = (request: HttpRequest) => Scripted | Promise<Scripted>

export class FakeHttp implements Http {
  readonly requests: HttpRequest[] = []
  /** Requests that wait for headers, or whose body was neither read to its end nor closed. */
  running = 0
  mostRunning = 0
  readonly #routes: Record<string, Route>

  /** @param routes by `METHOD /path`; what is not there is answered as gin does. */
  constructor(routes: Record<string, Route>) {
    this.#routes = routes
  }

  /** The paths asked for, in order. */
  get paths(): string[] {
    return this.requests.map(({ path }) => path)
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted()
    this.requests.push(request)
    this.mostRunning = Math.max(this.mostRunning, ++this.running)
    try {
      const route = this.#routes[`${request.method} ${request.path}`] ?? notFound
      const {
        status = 200,
        contentType = 'application/json; charset=utf-8',
        body,
      } = await abortable(Promise.resolve(route(request)), request.signal)
      return {
        status,
        contentType,
        body: this.#counted(typeof body === 'string' ? [Buffer.from(body)] : body, request.signal),
      }
    } catch (thrown) {
      this.running -= 1
      throw thrown
    }
  }

  async *#counted(
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    const iterator = toAsync(chunks)
    try {
      for (;;) {
        const { value, done } = await abortable(iterator.next(), signal)
        if (done) return
        yield value
      }
    } finally {
      this.running -= 1
    }
  }
}

/** A body that the test writes while it is read. */
export class FakeBody implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = []
  #end: 'open' | 'ended' | Error = 'open'
  #wake = () => {}

  write(...lines: unknown[]): this {
    for (const line of lines)
      this.#chunks.push(Buffer.from(typeof line === 'string' ? line : `${JSON.stringify(line)}\n`))
    this.#wake()
    return this
  }

  end(): this {
    this.#end = 'ended'
    this.#wake()
    return this
  }

  fail(error: Error): this {
    this.#end = error
    this.#wake()
    return this
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk) yield chunk
      else if (this.#end === 'ended') return
      else if (this.#end !== 'open') throw this.#end
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}

function notFound(): Scripted {
  return { status: 404, contentType: 'text/plain', body: '404 page not found' }
}

async function* toAsync(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason)
    if (signal.aborted) return giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
