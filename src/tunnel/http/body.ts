// A body that is read to its last byte, also when it breaks. What a failure means is http-errors.ts's.
import type { Readable } from 'node:stream'

/**
 * Gives everything that came before the end or the failure. A stream's own iterator gives nothing more once it has
 * failed; yet an answer and its failure often come in one segment, before anybody could read. Listens at once.
 */
export function everythingOf(body: Readable): AsyncGenerator<Uint8Array, void, void> {
  let end: { error?: unknown } | undefined
  let wake = () => {}
  const finish = (error?: unknown) => {
    end ??= error === undefined ? {} : { error }
    wake()
  }
  body.on('readable', () => wake())
  body.on('end', () => finish())
  body.on('error', finish)
  body.on('close', () => finish(new Error('The stream was closed before its end')))
  return chunks()

  async function* chunks(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        const chunk = body.read() as Uint8Array | null
        if (chunk !== null) yield chunk
        else if (end) break
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      body.destroy()
    }
    if ('error' in end) throw end.error
  }
}
