import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Writer, type Written } from '../../../../src/chat/picture/writer.ts'
import { FakeClock, settled } from '../fake-clock.ts'

/** A writer whose writes are answered by hand, or at once with a number of lines. */
function setUp(lines?: number) {
  const clock = new FakeClock(0)
  const writes: Array<[at: number, text: string]> = []
  const errors: unknown[] = []
  const open: Array<{ resolve: (written: Written) => void; reject: (error: unknown) => void }> = []
  const writer = new Writer({
    clock,
    append: (text) => {
      writes.push([clock.now(), text])
      if (lines !== undefined) return Promise.resolve({ lines })
      return new Promise((resolve, reject) => open.push({ resolve, reject }))
    },
    onError: (error) => errors.push(error),
  })
  return { clock, writes, errors, open, writer }
}

/** Pushes `text` every `everyMs` for `forMs`. */
async function stream({ clock, writer }: ReturnType<typeof setUp>, everyMs: number, forMs: number): Promise<void> {
  for (let at = 0; at < forMs; at += everyMs) {
    writer.push('x')
    await clock.advance(everyMs)
  }
}

describe('Writer', () => {
  test('writes the first text in the same turn of the event loop', () => {
    const { writer, writes } = setUp(1)
    writer.push('a')
    expect(writes).toEqual([[0, 'a']])
  })

  test('writes what has come every 33 ms', async () => {
    const rig = setUp(1)
    await stream(rig, 10, 100)
    expect(rig.writes).toEqual([
      [0, 'x'],
      [33, 'xxx'],
      [66, 'xxx'],
      [99, 'xxx'],
    ])
  })

  test('writes to a long transcript less often, to a very long one every 250 ms', async () => {
    const long = setUp(10_000)
    await stream(long, 40, 240)
    expect(long.writes).toEqual([
      [0, 'x'],
      [100, 'xx'],
      [200, 'xx'],
    ])
    const veryLong = setUp(1_000_000)
    await stream(veryLong, 100, 600)
    expect(veryLong.writes).toEqual([
      [0, 'x'],
      [250, 'xx'],
      [500, 'xx'],
    ])
  })

  test('after a pause the next text goes at once', async () => {
    const { writer, writes, clock } = setUp(1)
    writer.push('a')
    await clock.advance(500)
    writer.push('b')
    expect(writes).toEqual([
      [0, 'a'],
      [500, 'b'],
    ])
    expect(clock.sleeping).toBe(0)
  })

  test('has one write under way; meanwhile the text grows, and the interval counts from its start', async () => {
    const { writer, writes, clock, open } = setUp()
    writer.push('a')
    writer.push('b')
    await clock.advance(20)
    writer.push('c')
    open[0]?.resolve({ lines: 1 })
    await clock.advance(12)
    expect(writes).toEqual([[0, 'a']])
    await clock.advance(1)
    expect(writes).toEqual([
      [0, 'a'],
      [33, 'bc'],
    ])
  })

  test('flush writes what is pending without waiting, and resolves when it is written', async () => {
    const { writer, writes, clock, open } = setUp()
    let isFlushed = false
    await writer.flush()
    writer.push('a')
    writer.push('b')
    void writer.flush().then(() => {
      isFlushed = true
    })
    await clock.advance(5)
    open[0]?.resolve({ lines: 1 })
    await settled()
    expect(writes).toEqual([
      [0, 'a'],
      [5, 'b'],
    ])
    writer.push('c')
    expect(isFlushed).toBe(false)
    open[1]?.resolve({ lines: 1 })
    await settled()
    expect(isFlushed).toBe(true)
    await clock.advance(32)
    expect(writes).toHaveLength(2)
    await clock.advance(1)
    expect(writes[2]).toEqual([38, 'c'])
  })

  test('flush ends a wait that is under way', async () => {
    const { writer, writes, clock } = setUp(1)
    writer.push('a')
    await clock.advance(10)
    writer.push('b')
    await writer.flush()
    expect(writes).toEqual([
      [0, 'a'],
      [10, 'b'],
    ])
    expect(clock.sleeping).toBe(0)
  })

  test('once gone, drops everything quietly', async () => {
    const { writer, writes, open, errors } = setUp()
    writer.push('a')
    writer.push('b')
    const flushed = writer.flush()
    open[0]?.resolve('gone')
    await flushed
    writer.push('c')
    await writer.flush()
    expect([writer.state, writes, errors]).toEqual(['gone', [[0, 'a']], []])
  })

  test('a failed write is told once, and then everything dropped', async () => {
    const { writer, writes, open, errors } = setUp()
    writer.push('a')
    writer.push('b')
    const flushed = writer.flush()
    open[0]?.reject('broken')
    await flushed
    writer.push('c')
    expect([writer.state, writes, errors]).toEqual(['failed', [[0, 'a']], ['broken']])
  })

  test('whatever is done in whatever order, all text is written once and in order', async () => {
    const actions = fc.array(fc.oneof(fc.constantFrom('push', 'flush', 'push'), fc.nat(60)), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(actions, fc.nat(30_000), async (list, lines) => {
        const { writer, writes, clock } = setUp(lines)
        const flushes: Array<Promise<void>> = []
        let pushed = ''
        for (const [index, action] of list.entries()) {
          if (action === 'push') {
            writer.push(`${index} `)
            pushed += `${index} `
          } else if (action === 'flush') {
            const wanted = pushed
            flushes.push(writer.flush().then(() => expect(writes.map(([, text]) => text).join('')).toContain(wanted)))
          } else await clock.advance(action as number)
        }
        await clock.advance(300)
        await Promise.all(flushes)
        expect(writes.map(([, text]) => text).join('')).toBe(pushed)
        expect(clock.sleeping).toBe(0)
      }),
    )
  })
})
