import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytesToFetch,
  digestOf,
  hasSameContents,
  isRewritten,
  type Manifest,
  parseManifest,
} from '../../../src/models/manifest.ts'

const layer = fc.record({
  mediaType: fc.string(),
  digest: fc.stringMatching(/^sha256:[0-9a-f]{8}$/),
  size: fc.nat(),
  from: fc.constant(undefined),
})
const manifests: fc.Arbitrary<Manifest> = fc.record({
  schemaVersion: fc.constant(2),
  mediaType: fc.string(),
  config: layer,
  layers: fc.uniqueArray(layer, { selector: ({ digest }) => digest, maxLength: 6 }),
})

describe('a manifest', () => {
  it('is read back from its bytes, and has the same contents in any order', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const read = parseManifest(Buffer.from(JSON.stringify(manifest, null, 2)))
        expect(read).toEqual(JSON.parse(JSON.stringify(manifest)))
        const turned = { ...manifest, layers: manifest.layers.toReversed() }
        expect(hasSameContents(manifest, turned)).toBe(true)
        expect(bytesToFetch(turned, manifest)).toBe(0)
      }),
    )
  })

  it('has only what is new fetched, and nothing of what is the same', () => {
    fc.assert(
      fc.property(manifests, layer, (manifest, fresh) => {
        const known = [manifest.config, ...manifest.layers].some(({ digest }) => digest === fresh.digest)
        const more = { ...manifest, layers: [...manifest.layers, fresh] }
        expect(bytesToFetch(more, manifest)).toBe(known ? 0 : fresh.size)
        expect(hasSameContents(more, manifest)).toBe(known)
        expect(bytesToFetch(manifest, undefined)).toBeGreaterThanOrEqual(bytesToFetch(manifest, more))
      }),
    )
  })

  it.each(['', '{', 'null', '[]', '{"layers":[]}', '{"config":{"digest":"a"},"layers":[]}', '<html>'])(
    'is not %j',
    (text) => {
      expect(parseManifest(Buffer.from(text))).toBeUndefined()
    },
  )

  it('is known as Go wrote it down anew: in one line, from only where it is, and its own escapes', () => {
    const written =
      '{"schemaVersion":2,"mediaType":"a\\u003cb\\u0026c\\u003e","config":{"mediaType":"c","digest":"sha256:1","size":1},' +
      '"layers":[{"mediaType":"l","digest":"sha256:2","size":2,"from":"/models/x"}]}'
    const manifest = parseManifest(Buffer.from(JSON.stringify(JSON.parse(written), null, 4))) as Manifest
    expect(isRewritten(manifest, digestOf(written))).toBe(true)
    expect(isRewritten(manifest, digestOf(`${written}\n`))).toBe(true)
    expect(isRewritten(manifest, digestOf(` ${written}`))).toBe(false)
  })
})
