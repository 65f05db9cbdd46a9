/** One request on its way: the recorded request, the response, and the signal of the client's departure. */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { goSyntaxError } from './go-text.ts'

export interface RecordedRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Parsed JSON; undefined when empty or not JSON. */
  readonly body: unknown
  /** The clock's `now()` when the request was wholly parsed. */
  readonly at: number
  readonly connectionId: number
}

export interface Exchange {
  readonly request: RecordedRequest
  readonly response: ServerResponse
  /** Aborts when the connection closes before the response is complete. */
  readonly gone: AbortSignal
  /** Why the body is not usable, in Go's words. */
  readonly bodyError: string | undefined
}

export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

export async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export function parseBody(raw: string): { body: unknown; bodyError: string | undefined } {
  if (raw === '') return { body: undefined, bodyError: 'missing request body' }
  try {
    return { body: JSON.parse(raw), bodyError: undefined }
  } catch (cause) {
    return { body: undefined, bodyError: goSyntaxError(raw, cause) }
  }
}

/**
 * The life of the client as a signal.
 * A half-closed connection counts as gone too: Go's server cancels the request when it reads the end of the input.
 */
export function departureOf(response: ServerResponse): AbortSignal {
  const departure = new AbortController()
  const { socket } = response
  const leave = (): void => {
    if (!response.writableFinished) departure.abort(new ClientGone('the client closed the connection'))
    socket?.removeListener('end', leave)
  }
  socket?.once('end', leave)
  response.once('close', leave)
  return departure.signal
}
