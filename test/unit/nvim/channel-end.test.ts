// The end of Neovim's channel: told however it ends, and not before what was written last was taken.
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { withOneEnd } from '../../../src/nvim/channel-end.ts'

/** As node-client's decoder: what it does with a part takes many turns of the promises, and nothing else. */
async function take(reader: AsyncIterable<Buffer>, taken: string[]): Promise<void> {
  for await (const part of reader) {
    for (let turn = 0; turn < 500; turn++) await Promise.resolve()
    taken.push(String(part))
  }
}

describe('what was written just before the end is taken before the end is told', () => {
  test.each([
    ['it closes', (source: PassThrough) => source.end()],
    ['it breaks', (source: PassThrough) => source.destroy(new Error('read ECONNRESET'))],
  ])('%s', async (_, end) => {
    const source = new PassThrough()
    const reader = withOneEnd(source)
    const taken: string[] = []
    const atEnd = new Promise<string>((resolve) => reader.once('end', () => resolve(taken.join(''))))
    const all = take(reader, taken)
    // More than a stream holds before it wants a rest.
    const parts = Array.from({ length: 40 }, (_, nth) => `${nth}${'.'.repeat(8_000)};`)
    for (const part of parts) source.write(part)
    await new Promise((resolve) => setImmediate(resolve))
    end(source)
    expect(await atEnd).toBe(parts.join(''))
    await all
  })
})
