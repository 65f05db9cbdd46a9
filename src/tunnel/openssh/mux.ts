// Speaks with an ssh that is a master, over its control socket, by PROTOCOL.mux of OpenSSH's sources (version 4):
// is it alive, forward a socket, forget the forward. Sessions, which need file descriptors to be passed, are not here.
import { connect, type Socket } from 'node:net'

/** Where a forward leads: a host and port, or the path of a unix socket. */
export interface ForwardTarget {
  host: string
  port: number
}

/** A conversation with a master. It ends when the master does. */
export interface Mux {
  /** Resolves when the master answers. @throws Error when it is gone, or as the signal says. */
  alive(signal?: AbortSignal): Promise<void>
  /** Lets the master listen on a unix socket and forward what comes. @throws Error with the master's reason. */
  forward(socket: string, target: ForwardTarget, signal?: AbortSignal): Promise<void>
  /** @throws Error with the master's reason. */
  forget(socket: string, target: ForwardTarget): Promise<void>
  /** Resolves when the conversation is over, whoever ended it. */
  readonly closed: Promise<void>
  end(): void
}

const HELLO = 0x00000001
const ALIVE_CHECK = 0x10000004
const OPEN_FORWARD = 0x10000006
const CLOSE_FORWARD = 0x10000007
const OK = 0x80000001
const ALIVE = 0x80000005
const VERSION = 4
const FORWARD_LOCAL = 1
/** PORT_STREAMLOCAL: the name beside it is that of a unix socket. */
const UNIX_PORT = 0xfffffffe
/** No answer of a master is nearly as long. */
const MAX_MESSAGE_BYTES = 1 << 18

/** @throws Error when nobody listens there, or what listens is no master. */
export function connectMux(path: string, signal?: AbortSignal): Promise<Mux> {
  return new Conversation(connect(path)).greet(signal)
}

interface Waiter {
  resolve: (answer: Buffer) => void
  reject: (error: unknown) => void
}

class Conversation implements Mux {
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiter>()
  #received = Buffer.alloc(0)
  #lastId = 0
  #error: Error = new Error('The ssh master is gone')

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => {
      this.#error = error
    })
    socket.on('end', () => socket.destroy())
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const { reject } of this.#waiting.values()) reject(this.#error)
        this.#waiting.clear()
        resolve()
      })
    })
  }

  /** The master greets by itself, whatever we say. */
  async greet(signal?: AbortSignal): Promise<Mux> {
    try {
      const greeting = this.#answerTo(0, signal)
      this.#send([HELLO, VERSION])
      const version = (await greeting).readUInt32BE(4)
      if (version !== VERSION) throw new Error(`The ssh master speaks version ${version} of its protocol`)
      return this
    } catch (error) {
      this.end()
      throw error
    }
  }

  async alive(signal?: AbortSignal): Promise<void> {
    const answer = await this.#ask(ALIVE_CHECK, [], signal)
    if (answer.readUInt32BE(0) !== ALIVE) throw refusal(answer)
  }

  async forward(socket: string, target: ForwardTarget, signal?: AbortSignal): Promise<void> {
    const answer = await this.#ask(OPEN_FORWARD, forwardOf(socket, target), signal)
    if (answer.readUInt32BE(0) !== OK) throw refusal(answer)
  }

  async forget(socket: string, target: ForwardTarget): Promise<void> {
    const answer = await this.#ask(CLOSE_FORWARD, forwardOf(socket, target))
    if (answer.readUInt32BE(0) !== OK) throw refusal(answer)
  }

  end(): void {
    this.#socket.destroy()
  }

  #ask(type: number, rest: readonly (number | string)[], signal?: AbortSignal): Promise<Buffer> {
    const id = ++this.#lastId
    const answer = this.#answerTo(id, signal)
    this.#send([type, id, ...rest])
    return answer
  }

  /** An answer that comes after nobody waits for it is passed over. */
  #answerTo(id: number, signal?: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      if (this.#socket.destroyed) return reject(this.#error)
      const giveUp = () => {
        this.#waiting.delete(id)
        reject(signal?.reason)
      }
      const settled = () => signal?.removeEventListener('abort', giveUp)
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#waiting.set(id, {
        resolve: (answer) => {
          settled()
          resolve(answer)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      })
    })
  }

  #send(parts: readonly (number | string)[]): void {
    const body = Buffer.concat(parts.map(encode))
    this.#socket.write(Buffer.concat([encode(body.length), body]))
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4) {
      const length = this.#received.readUInt32BE(0)
      if (length < 8 || length > MAX_MESSAGE_BYTES) {
        this.#error = new Error('What listens there is no ssh master')
        this.#socket.destroy()
        return
      }
      if (this.#received.length < 4 + length) return
      const message = this.#received.subarray(4, 4 + length)
      this.#received = this.#received.subarray(4 + length)
      const id = message.readUInt32BE(0) === HELLO ? 0 : message.readUInt32BE(4)
      this.#waiting.get(id)?.resolve(message)
      this.#waiting.delete(id)
    }
  }
}

function forwardOf(socket: string, { host, port }: ForwardTarget): (number | string)[] {
  return [FORWARD_LOCAL, socket, UNIX_PORT, host, host.startsWith('/') ? UNIX_PORT : port]
}

function encode(part: number | string): Buffer {
  if (typeof part === 'number') {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(part)
    return bytes
  }
  const text = Buffer.from(part)
  return Buffer.concat([encode(text.length), text])
}

/** `type, request id, reason` of a refusal or a failure. */
function refusal(answer: Buffer): Error {
  const length = answer.length >= 12 ? answer.readUInt32BE(8) : 0
  return new Error(answer.toString('utf8', 12, 12 + length) || 'The ssh master refused')
}
