// The stream that Neovim writes to, with one end however it ends. What stands in it is node-client's.
import { PassThrough, type Readable } from 'node:stream'

/**
 * A Neovim that ends with something unread breaks the channel instead of closing it. Both are its end, which is told after all
 * that was written before.
 */
export function withOneEnd(source: Readable): Readable {
  const reader = new PassThrough()
  // Never held back: what is still in a stream that breaks is lost.
  source.on('data', (part: Uint8Array) => reader.write(part))
  source.once('end', () => reader.end())
  source.once('error', () => reader.end())
  return reader
}
