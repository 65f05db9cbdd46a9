import { describe, expect, it } from 'vitest'
import { LinkWatch, type Occasion } from '../../../src/tunnel/link-watch.ts'
import { FakeClock } from './fakes.ts'

function rig() {
  const clock = new FakeClock()
  const machine = { addresses: 'eth0 10.0.0.2' }
  const watch = new LinkWatch({ clock, addresses: () => machine.addresses })
  const told: Occasion[] = []
  const watched = { look: (occasion: Occasion) => told.push(occasion) }
  const walk = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) await clock.pass(500)
  }
  return { clock, machine, watch, told, watched, walk }
}

describe('the watch over links', () => {
  it('tells within a tick that the machine has slept, and is silent in ordinary time', async () => {
    const { clock, watch, told, watched, walk } = rig()
    watch.add(watched)
    await walk(60_000)
    expect(told).toEqual([])
    await clock.pass(3_600_000)
    expect(told).toEqual(['waking'])
    await walk(60_000)
    expect(told).toEqual(['waking'])
  })

  it('takes a busy moment for no sleep', async () => {
    const { clock, watch, told, watched } = rig()
    watch.add(watched)
    await clock.pass(5_400)
    expect(told).toEqual([])
  })

  it('tells once that the network has changed', async () => {
    const { machine, watch, told, watched, walk } = rig()
    watch.add(watched)
    await walk(5_000)
    machine.addresses = 'wlan0 192.168.1.7'
    await walk(3_000)
    expect(told).toEqual(['network'])
    await walk(10_000)
    expect(told).toEqual(['network'])
  })

  it('tells of focus, but not of every flicker of it', async () => {
    const { clock, watch, told, watched } = rig()
    watch.add(watched)
    watch.focus()
    watch.focus()
    expect(told).toEqual(['focus'])
    await clock.pass(3_000)
    watch.focus()
    expect(told).toEqual(['focus', 'focus'])
  })

  it('ticks only while something is watched', async () => {
    const { clock, watch, told, watched } = rig()
    expect(clock.sleepers).toBe(0)
    const ends = [watch.add(watched), watch.add({ look: () => {} })]
    expect(clock.sleepers).toBe(1)
    ends[0]?.()
    ends[0]?.()
    expect(clock.sleepers).toBe(1)
    ends[1]?.()
    expect(clock.sleepers).toBe(0)
    await clock.pass(3_600_000)
    watch.focus()
    expect(told).toEqual([])
    watch.add(watched)
    await clock.pass(500)
    expect([clock.sleepers, told]).toEqual([1, []])
  })
})
