// The beginning of a saved chat, for whoever looks for one: of a long file, only that much is read.
import { open } from 'node:fs/promises'
import { readFailure } from './failures.ts'

const CHUNK_BYTES = 64 * 1024
/** No preview needs more of lines without an end. */
const MOST_BYTES = 512 * 1024
const BLOCK = /^<!-- ◆ [a-z]/m

/** Whole lines of what the transcript shows. @throws PluginError STORE_NOT_FOUND, STORE_UNREADABLE */
export async function excerpt(path: string, lines: number): Promise<string> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw readFailure(error, path)
  })
  try {
    const chunks: Buffer[] = []
    let bytes = 0
    let isWhole = false
    while (!isWhole && bytes < MOST_BYTES && linesIn(chunks) <= lines) {
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(CHUNK_BYTES), position: bytes })
      chunks.push(buffer.subarray(0, bytesRead))
      bytes += bytesRead
      isWhole = bytesRead === 0
    }
    return shown(Buffer.concat(chunks).toString('utf8'), lines, isWhole)
  } catch (error) {
    throw readFailure(error, path)
  } finally {
    await handle.close()
  }
}

function shown(text: string, lines: number, isWhole: boolean): string {
  const all = text.slice(0, BLOCK.exec(text)?.index).split('\n')
  // A line that was cut may be cut within a character.
  const whole = isWhole || all.length === 1 || all.length > lines ? all : all.slice(0, -1)
  return whole
    .slice(0, lines)
    .join('\n')
    .replace(/\uFFFD+$/u, '')
    .trimEnd()
}

function linesIn(chunks: readonly Buffer[]): number {
  return chunks.reduce((count, chunk) => count + chunk.filter((byte) => byte === 0x0a).length, 0)
}
