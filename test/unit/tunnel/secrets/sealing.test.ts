import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COST, deriveKey, newSalt, type Sealed, seal, unseal } from '../../../../src/tunnel/secrets/sealing.ts'

const KEY = Buffer.alloc(32, 7)
const anything = fc.string({ unit: 'binary' })

describe('a sealed secret', () => {
  it('is opened by the same key and name, whatever it is', () => {
    fc.assert(
      fc.property(anything, anything, (name, secret) => {
        // Half a surrogate pair is no text, and becomes the sign for one.
        expect(unseal(KEY, name, seal(KEY, name, secret))).toBe(Buffer.from(secret).toString())
      }),
    )
  })

  it('is opened by no other key and under no other name', () => {
    const sealed = seal(KEY, 'a', 'secret')
    expect(unseal(Buffer.alloc(32, 8), 'a', sealed)).toBeUndefined()
    expect(unseal(KEY, 'b', sealed)).toBeUndefined()
  })

  it('is not opened when a single bit was changed', () => {
    const parts = fc.constantFrom<keyof Sealed>('iv', 'text', 'tag')
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), parts, fc.nat(), (secret, part, where) => {
        const sealed = seal(KEY, 'name', secret)
        const bytes = Buffer.from(sealed[part], 'base64')
        const bit = where % (bytes.length * 8)
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(unseal(KEY, 'name', { ...sealed, [part]: bytes.toString('base64') })).toBeUndefined()
      }),
    )
  })

  it('with a tag cut short is not opened', () => {
    const sealed = seal(KEY, 'name', 'secret')
    const tag = Buffer.from(sealed.tag, 'base64').subarray(0, 4).toString('base64')
    expect(unseal(KEY, 'name', { ...sealed, tag })).toBeUndefined()
  })

  it('never looks the same twice', () => {
    const [one, other] = [seal(KEY, 'name', 'secret'), seal(KEY, 'name', 'secret')]
    expect(one.iv).not.toBe(other.iv)
    expect(one.text).not.toBe(other.text)
  })

  it('takes a key that is dear to guess', async () => {
    expect(COST.N * COST.r * 128).toBe(2 ** 27)
    const salt = newSalt()
    const key = await deriveKey('pässword', salt, COST)
    expect(await deriveKey('pa\u0308ssword', salt, COST)).toEqual(key)
    expect(await deriveKey('pässword', newSalt(), COST)).not.toEqual(key)
  })
})
