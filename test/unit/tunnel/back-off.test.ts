import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES, PluginError } from '../../../src/core/errors.ts'
import { mayRetry, retryDelay } from '../../../src/tunnel/back-off.ts'

const lost = new PluginError('SSH_DISCONNECTED', 'gone')

describe('the back-off', () => {
  it('tries at once, then after at most 0.5 s, 1 s, 2 s and so on up to 30 s', () => {
    const longest = [0, 1, 2, 3, 4, 5, 6, 7, 8, 40, 5000].map((tries) => retryDelay(tries, lost, () => 0.999999))
    expect(longest).toEqual([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000])
    expect(retryDelay(8, lost, () => 0)).toBe(0)
    expect(retryDelay(8, lost, () => 0.5)).toBe(15_000)
  })

  it('waits at least 20 s after a server that hung up before it said a word', () => {
    const early = new PluginError('SSH_DROPPED_EARLY', 'no')
    fc.assert(
      fc.property(fc.nat(50), fc.double({ min: 0, max: 0.999, noNaN: true }), (tries, random) => {
        const delay = retryDelay(tries, early, () => random)
        expect(delay).toBeGreaterThanOrEqual(20_000)
        expect(delay).toBeLessThanOrEqual(30_000)
      }),
    )
  })

  it('is for failures that may pass by themselves only: no login, no host key, no configuration is tried again', () => {
    const passing = ERROR_CODES.filter((code) => mayRetry(new PluginError(code, 'x')))
    expect(passing.toSorted()).toEqual([
      'API_UNAVAILABLE',
      'SSH_CHANNEL_ERROR',
      'SSH_CONNECTION_TIMEOUT',
      'SSH_DISCONNECTED',
      'SSH_DROPPED_EARLY',
      'SSH_HOST_NOT_FOUND',
      'SSH_UNREACHABLE',
    ])
  })
})
