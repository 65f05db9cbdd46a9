// HTTP on one kept-alive socket with nothing around it: what the way itself costs. It asks the Ollama double only.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { monotonic } from './monotonic.ts'

/** Moments of one request, of the monotonic clock, in milliseconds. */
export interface BareTimes {
  sentAt: number
  firstByteAt: number
  endedAt: number
}

/** Both directions; of a socket it is twice the same. */
export interface Connection {
  readable: Readable
  writable: Writable
}

/** The end of a chunked body. */
const TERMINATOR = '0\r\n\r\n'

export async function connectBare(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

/** The body of a prompt, as the plugin's host would send it. */
export function promptBody(text: string): string {
  return JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: text }], stream: true })
}

/** Asks one prompt and reads the whole answer. */
export async function askBare({ readable, writable }: Connection, text: string): Promise<BareTimes> {
  const body = promptBody(text)
  const head = [
    'POST /api/chat HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  const times: BareTimes = { sentAt: monotonic(), firstByteAt: Number.NaN, endedAt: Number.NaN }
  const ended = answerEnd(readable, times)
  writable.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  await ended
  return times
}

function answerEnd(readable: Readable, times: BareTimes): Promise<void> {
  return new Promise((resolve, reject) => {
    let tail = ''
    const finish = (act: () => void): void => {
      readable.off('data', onData)
      readable.off('close', onClose)
      act()
    }
    const onData = (chunk: Buffer): void => {
      if (Number.isNaN(times.firstByteAt)) times.firstByteAt = monotonic()
      tail = (tail + chunk.subarray(-TERMINATOR.length).toString('latin1')).slice(-TERMINATOR.length)
      if (tail !== TERMINATOR) return
      times.endedAt = monotonic()
      finish(resolve)
    }
    const onClose = (): void => finish(() => reject(new Error('the connection closed before its answer ended')))
    readable.on('data', onData)
    readable.on('close', onClose)
  })
}
