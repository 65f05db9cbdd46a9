// What streams have in common that something else than a socket of ours carries: undici and TLS may treat them as a socket.
import { Duplex } from 'node:stream'

const HIGH_WATER_MARK_BYTES = 65_536

/** The link below has its own keep-alive and no Nagle, and what carries the stream holds its own handle. */
export abstract class CarriedStream extends Duplex {
  constructor() {
    super({ highWaterMark: HIGH_WATER_MARK_BYTES, allowHalfOpen: false })
  }

  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  setTimeout(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}
