/** Whole replies as gin sends them: exact content types, no header that Ollama does not send. */

import type { ServerResponse } from 'node:http'
import { goJson } from './go-text.ts'

export const JSON_TYPE = 'application/json; charset=utf-8'
/** Errors before the first stream line lack the charset. */
export const BARE_JSON_TYPE = 'application/json'
export const NDJSON_TYPE = 'application/x-ndjson'
export const TEXT_TYPE = 'text/plain; charset=utf-8'
/** gin's own 404 and 405. */
export const BARE_TEXT_TYPE = 'text/plain'

/** Go's server sends a Content-Length for bodies that fit its buffer and chunks longer ones. */
const GO_BUFFER_BYTES = 2_048

export interface Reply {
  readonly status: number
  /** Absent when the body is empty. */
  readonly type?: string
  readonly body: string
}

export function json(value: unknown, status = 200): Reply {
  return { status, type: JSON_TYPE, body: goJson(value) }
}

export function failure(status: number, error: string): Reply {
  return json({ error }, status)
}

export function text(status: number, body: string, type: string = BARE_TEXT_TYPE): Reply {
  return { status, type, body }
}

/** Removes what Node adds by itself and a Go server does not send. */
export function bareHeaders(response: ServerResponse): void {
  response.removeHeader('Connection')
}

export function send(response: ServerResponse, reply: Reply): void {
  if (response.destroyed || response.headersSent) return
  bareHeaders(response)
  response.statusCode = reply.status
  if (reply.type !== undefined) response.setHeader('Content-Type', reply.type)
  const bytes = Buffer.from(reply.body)
  if (bytes.length > GO_BUFFER_BYTES) response.setHeader('Transfer-Encoding', 'chunked')
  response.end(bytes)
}
