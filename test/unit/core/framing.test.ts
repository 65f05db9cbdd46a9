import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lineBatches } from '../../../src/core/framing.ts'

const encoder = new TextEncoder()

async function* from(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks
}

async function collect(chunks: Iterable<Uint8Array>, maxLineBytes?: number): Promise<string[]> {
  const found: string[] = []
  for await (const batch of lineBatches(from(chunks), maxLineBytes === undefined ? {} : { maxLineBytes })) {
    expect(batch.length).toBeGreaterThan(0)
    found.push(...batch)
  }
  return found
}

/** Cuts bytes at the given places, which may coincide and so make empty chunks. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b)
  return [...sorted, bytes.length].map((end, index) => bytes.subarray(sorted[index - 1] ?? 0, end))
}

const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom('\n', '\r', '\r\n', 'ä', '≠', '𝄞', '\0', '\u2028', '{"a":1}'),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map((parts) => parts.join(''))

/** What the lines are by definition. */
function expected(text: string): string[] {
  const parts = text.split('\n')
  const last = parts.pop()
  return [...parts.map((line) => line.replace(/\r$/, '')), ...(last ? [last] : [])]
}

describe('lineBatches', () => {
  test('splits, keeps empty lines, tolerates CR LF and a last line without newline', async () => {
    expect(await collect([encoder.encode('a\r\n\nb\rc\nlast')])).toEqual(['a', '', 'b\rc', 'last'])
    expect(await collect([])).toEqual([])
    expect(await collect([encoder.encode('a\n')])).toEqual(['a'])
  })

  test('every cutting of the same bytes gives the same lines', async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, fc.array(fc.nat(400), { maxLength: 20 }), async (text, places) => {
        const bytes = encoder.encode(text)
        const wanted = expected(text.replace(/^\uFEFF/, '')) // a byte order mark at the start is no text
        expect(await collect(cut(bytes, places))).toEqual(wanted)
        expect(await collect([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(wanted)
      }),
    )
  })

  test('the limit of a line counts bytes, wherever they are cut', async () => {
    const fits = encoder.encode('äää\nb\n')
    const tooLong = encoder.encode('b\näääc\nd')
    for (let place = 0; place <= 9; place++) {
      expect(await collect(cut(fits, [place]), 6)).toEqual(['äää', 'b'])
      await expect(collect(cut(tooLong, [place]), 6)).rejects.toMatchObject({ code: 'API_PROTOCOL' })
    }
    await expect(collect([encoder.encode('unended line')], 6)).rejects.toMatchObject({ code: 'API_PROTOCOL' })
  })

  test('a line of megabytes in small chunks costs its length, not its square', async () => {
    const chunk = encoder.encode('x'.repeat(64))
    const started = performance.now()
    const [line] = await collect(Array.from({ length: 100_000 }, () => chunk))
    expect(line?.length).toBe(6_400_000)
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  test('leaving the iteration closes the source', async () => {
    let closed = false
    async function* source() {
      try {
        for (;;) yield encoder.encode('a\n')
      } finally {
        closed = true
      }
    }
    for await (const _ of lineBatches(source())) break
    expect(closed).toBe(true)
  })
})
