import { describe, expect, it } from 'vitest'
import { PhaseFeed, withPhases } from '../../../src/providers/phases.ts'
import type { StreamPart } from '../../../src/providers/provider.ts'
import { settle } from '../core/fake-clock.ts'

const WORD: StreamPart = { type: 'text', text: 'a' }
const FINISH: StreamPart = { type: 'finish', reason: 'stop', usage: {} }

describe('PhaseFeed', () => {
  it('hands out each change once, in order', async () => {
    const feed = new PhaseFeed()
    for (const phase of ['connecting', 'connecting', 'loading', 'reading', 'loading'] as const) feed.push(phase)
    await feed.arrival()
    expect(feed.take()).toEqual(['connecting', 'loading', 'reading', 'loading'])
    feed.push('loading')
    expect(feed.take()).toEqual([])
  })

  it('wakes who waits for the next one', async () => {
    const feed = new PhaseFeed()
    let woken = false
    const arrival = feed.arrival().then(() => {
      woken = true
    })
    await settle()
    expect(woken).toBe(false)
    feed.push('loading')
    await arrival
    expect(feed.take()).toEqual(['loading'])
  })
})

describe('withPhases', () => {
  it('tells phases until the first part, and none after it', async () => {
    const { answer, feed, woven, told } = weaving()
    const first = woven.next()
    feed.push('loading')
    expect(await first).toEqual({ done: false, value: { type: 'phase', phase: 'loading' } })
    const second = woven.next()
    await settle()
    expect(told).toEqual([])
    answer.resolve(WORD)
    expect((await second).value).toEqual(WORD)
    expect(told).toEqual(['first'])
    feed.push('reading')
    expect((await woven.next()).value).toEqual(FINISH)
    expect((await woven.next()).done).toBe(true)
    expect(told).toEqual(['first', 'closed', 'leave'])
  })

  it('tells phases that came before it was read', async () => {
    const { answer, feed, woven } = weaving()
    feed.push('connecting')
    feed.push('authenticating')
    expect((await woven.next()).value).toEqual({ type: 'phase', phase: 'connecting' })
    expect((await woven.next()).value).toEqual({ type: 'phase', phase: 'authenticating' })
    answer.resolve(WORD)
    expect((await woven.next()).value).toEqual(WORD)
  })

  it('throws what the answer throws, also when it failed while a phase was read', async () => {
    const { answer, feed, woven, told } = weaving()
    feed.push('loading')
    await woven.next()
    const failure = new Error('boom')
    answer.reject(failure)
    await settle()
    await expect(woven.next()).rejects.toBe(failure)
    expect(told).toEqual(['closed', 'first', 'leave'])
  })

  it('is over when the answer is, without a part', async () => {
    const feed = new PhaseFeed()
    const told: string[] = []
    const empty = (async function* (): AsyncGenerator<StreamPart> {})()
    const hooks = { onFirst: () => told.push('first'), onLeave: () => told.push('leave') }
    expect(await withPhases(empty, feed, hooks).next()).toEqual({ done: true, value: undefined })
    expect(told).toEqual(['first', 'leave'])
  })

  it('lets a reader leave at a phase, though the answer still waits', async () => {
    const { feed, woven, told } = weaving()
    feed.push('loading')
    await woven.next()
    await woven.return(undefined)
    expect(told).toEqual(['leave', 'closed'])
  })

  it('closes the answer when its reader leaves at a part', async () => {
    const { answer, woven, told } = weaving()
    answer.resolve(WORD)
    await woven.next()
    await woven.return(undefined)
    expect(told).toEqual(['first', 'leave', 'closed'])
  })
})

/** An answer whose first part the test gives; leaving it rejects what it waits for, as an aborted request does. */
function weaving() {
  const told: string[] = []
  const feed = new PhaseFeed()
  let settleFirst: { resolve: (part: StreamPart) => void; reject: (error: Error) => void } | undefined
  const first = new Promise<StreamPart>((resolve, reject) => {
    settleFirst = { resolve, reject }
  })
  const parts = (async function* () {
    try {
      yield await first
      yield FINISH
    } finally {
      told.push('closed')
    }
  })()
  const answer = settleFirst as NonNullable<typeof settleFirst>
  const onLeave = () => {
    told.push('leave')
    answer.reject(new Error('aborted'))
  }
  return { answer, feed, told, woven: withPhases(parts, feed, { onFirst: () => told.push('first'), onLeave }) }
}
