// The wire to Neovim over stdin and stdout. What the requests mean is rpc/'s.
import { Writable } from 'node:stream'
import { attach, type NeovimClient } from 'neovim'
import { withOneEnd } from './channel-end.ts'

/**
 * Attaches to the Neovim that started this process.
 * From here on nothing else can reach stdout: one stray byte there breaks the channel for good.
 */
export function attachToParent(log: (message: string) => void): NeovimClient {
  const write = process.stdout.write.bind(process.stdout)
  const writer = new Writable({ write: (chunk, _encoding, done) => void write(chunk, () => done()) })
  // Without Neovim nothing can be told any more, which is no reason to crash: the end of stdin tells of it, and chats are saved.
  process.stdout.on('error', () => {})
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write
  return attach({ reader: withOneEnd(process.stdin), writer, options: { logger: quietLogger(log) as never } })
}

/** node-client takes a winston logger, would load winston otherwise, and then patches the global console. */
function quietLogger(log: (message: string) => void) {
  const nothing = () => {}
  const tell = (message: unknown) => log(String(message))
  return { level: 'error', info: nothing, debug: nothing, warn: nothing, error: tell }
}
