// Bytes to lines. What a line means is its reader's; nothing here knows JSON or HTTP.
import { PluginError } from './errors.ts'

export interface FramingOptions {
  /** Longest line in bytes, its newline not counted. 16 MiB when left out. */
  maxLineBytes?: number
}

const DEFAULT_MAX_LINE_BYTES = 16 * 1024 * 1024
const NEWLINE = 0x0a

/**
 * Splits a byte stream into lines at `\n`, without it and without a carriage return before it. Empty lines are lines.
 * The lines that one chunk completes come as one batch, never an empty one: a fast stream costs a turn of the event loop
 * for each chunk, not for each line.
 * A multi-byte character may be cut anywhere; a line may be megabytes long; the last line may lack its newline.
 * @throws PluginError API_PROTOCOL when a line grows past `maxLineBytes`; whatever `chunks` throws.
 */
export async function* lineBatches(
  chunks: AsyncIterable<Uint8Array>,
  { maxLineBytes = DEFAULT_MAX_LINE_BYTES }: FramingOptions = {},
): AsyncGenerator<string[]> {
  const decoder = new TextDecoder()
  // The open line's pieces are joined once, when it ends: a long line costs its length, not its square.
  let open: string[] = []
  let openBytes = 0
  for await (const chunk of chunks) {
    if (openBytes + chunk.byteLength > maxLineBytes) refuseLongLine(chunk, openBytes, maxLineBytes)
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n')
    open.push(first)
    const rest = others.pop()
    if (rest !== undefined) {
      const batch = [open.join(''), ...others]
      open = [rest]
      yield batch.map(withoutReturn)
    }
    const newline = chunk.lastIndexOf(NEWLINE)
    openBytes = newline === -1 ? openBytes + chunk.byteLength : chunk.byteLength - newline - 1
  }
  open.push(decoder.decode())
  const last = open.join('')
  if (last !== '') yield [last]
}

/** Measured in the bytes as they came, so that the limit does not depend on how they were cut. */
function refuseLongLine(chunk: Uint8Array, openBytes: number, maxLineBytes: number): void {
  let lineBytes = openBytes
  let start = 0
  while (start < chunk.byteLength) {
    const newline = chunk.indexOf(NEWLINE, start)
    const end = newline === -1 ? chunk.byteLength : newline
    lineBytes += end - start
    if (lineBytes > maxLineBytes) {
      throw new PluginError('API_PROTOCOL', `The server sent a line of more than ${maxLineBytes} bytes`, {
        hint: 'Check the url of this server: is it the one that shall answer?',
      })
    }
    if (newline !== -1) lineBytes = 0
    start = end + 1
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
