import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { FakeClock } from './fake-clock.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('systemClock', () => {
  it('tells the time since the epoch', () => {
    vi.setSystemTime(1_234_567)
    expect(systemClock.now()).toBe(1_234_567)
  })

  it('sleeps as long as it is told, and leaves no listener behind', async () => {
    const { signal } = new AbortController()
    let awake = false
    const sleep = systemClock.sleep(100, signal).then(() => {
      awake = true
    })
    await vi.advanceTimersByTimeAsync(99)
    expect(awake).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await sleep
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('sleeps without a signal', async () => {
    const sleep = systemClock.sleep(5)
    await vi.advanceTimersByTimeAsync(5)
    await expect(sleep).resolves.toBeUndefined()
  })

  it('rejects with the reason when aborted, and leaves neither timer nor listener behind', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const sleep = systemClock.sleep(100, controller.signal)
    controller.abort(reason)
    await expect(sleep).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })

  it('does not begin when already aborted', async () => {
    const reason = new Error('enough')
    await expect(systemClock.sleep(100, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('FakeClock', () => {
  it('wakes sleepers in order of their time, also those that come on the way', async () => {
    vi.useRealTimers()
    const clock = new FakeClock()
    const woken: string[] = []
    const napper = async (name: string, ...naps: number[]) => {
      for (const nap of naps) {
        await clock.sleep(nap)
        woken.push(`${name}@${clock.now()}`)
      }
    }
    void napper('a', 30, 30)
    void napper('b', 20, 20)
    await clock.advance(50)
    expect(woken).toEqual(['b@20', 'a@30', 'b@40'])
    expect({ now: clock.now(), timers: clock.timers }).toEqual({ now: 50, timers: 1 })
  })
})
