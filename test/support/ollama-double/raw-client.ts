/** A client that sees the bytes: for tests of the double itself, and for hostile input to other servers. */

import { connect, type Socket } from 'node:net'

/** All that came until the connection closed, and how it closed. */
export interface RawReply {
  readonly head: string
  readonly status: number
  /** After the head, still chunked when it was. */
  readonly rawBody: Buffer
  /** The chunks of a chunked body, else the whole body as one. */
  readonly chunks: readonly Buffer[]
  readonly body: string
  /** The terminator of the chunked body, or the announced length, was seen. */
  readonly complete: boolean
  readonly errorCode: string | undefined
}

export interface RawRequest {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown
}

export function requestText(request: RawRequest): string {
  const { body } = request
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const method = request.method ?? (body === undefined ? 'GET' : 'POST')
  const headers = { Host: '127.0.0.1:11434', 'Content-Length': String(Buffer.byteLength(text)), ...request.headers }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n${text}`
}

/** Sends one request on its own connection and reads until the server closes it. */
export function exchangeRaw(port: number, request: RawRequest): Promise<RawReply> {
  const closing = { ...request, headers: { Connection: 'close', ...request.headers } }
  return readAll(sendRaw(port, closing))
}

/** Sends one request and leaves the socket to the caller. */
export function sendRaw(port: number, request: RawRequest): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.write(requestText(request))
  return socket
}

export function readAll(socket: Socket): Promise<RawReply> {
  const received: Buffer[] = []
  let errorCode: string | undefined
  return new Promise((resolve) => {
    socket.on('data', (bytes: Buffer) => received.push(bytes))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      errorCode = error.code
    })
    socket.on('close', () => resolve(parseReply(Buffer.concat(received), errorCode)))
  })
}

function parseReply(bytes: Buffer, errorCode: string | undefined): RawReply {
  const end = bytes.indexOf('\r\n\r\n')
  const head = end === -1 ? '' : bytes.subarray(0, end).toString('latin1')
  const rawBody = end === -1 ? bytes : bytes.subarray(end + 4)
  const chunked = /transfer-encoding: chunked/i.test(head)
  const { chunks, complete } = chunked ? dechunk(rawBody) : plain(rawBody, head)
  const body = Buffer.concat(chunks).toString('utf8')
  return { head, status: Number(head.split(' ')[1] ?? 0), rawBody, chunks, body, complete, errorCode }
}

function plain(rawBody: Buffer, head: string): { chunks: Buffer[]; complete: boolean } {
  const announced = /content-length: (\d+)/i.exec(head)?.[1]
  return { chunks: [rawBody], complete: announced !== undefined && rawBody.length === Number(announced) }
}

function dechunk(rawBody: Buffer): { chunks: Buffer[]; complete: boolean } {
  const chunks: Buffer[] = []
  let at = 0
  while (at < rawBody.length) {
    const lineEnd = rawBody.indexOf('\r\n', at)
    const size = lineEnd === -1 ? Number.NaN : Number.parseInt(rawBody.subarray(at, lineEnd).toString('latin1'), 16)
    if (Number.isNaN(size)) break
    if (size === 0) return { chunks, complete: true }
    chunks.push(rawBody.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  return { chunks, complete: false }
}
