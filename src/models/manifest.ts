// A model's manifest: what it is made of, and whether two of them say the same. Pure.
import { createHash } from 'node:crypto'
import * as z from 'zod'

const layerSchema = z.object({
  mediaType: z.string().catch(''),
  digest: z.string(),
  size: z.number().nonnegative(),
  from: z.string().optional().catch(undefined),
})
const manifestSchema = z.object({
  schemaVersion: z.number().catch(2),
  mediaType: z.string().catch(''),
  config: layerSchema,
  layers: z.array(layerSchema),
})

export type Manifest = z.output<typeof manifestSchema>

/** `undefined` for what is no manifest. */
export function parseManifest(bytes: Uint8Array): Manifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data
  } catch {
    return undefined
  }
}

/** As servers name a model's digest: without `sha256:`. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Whether both name the same configuration and the same layers: then nothing would be fetched. */
export function hasSameContents(a: Manifest, b: Manifest): boolean {
  const [ours, theirs] = [contentsOf(a), contentsOf(b)]
  return ours.size === theirs.size && [...ours.keys()].every((digest) => theirs.has(digest))
}

/** Bytes of what is in the new one and not in the one that is there, or of all when that is not known. */
export function bytesToFetch(fresh: Manifest, there: Manifest | undefined): number {
  const known = there ? contentsOf(there) : new Map<string, number>()
  return [...contentsOf(fresh)].reduce((sum, [digest, size]) => (known.has(digest) ? sum : sum + size), 0)
}

/**
 * Whether a server with Ollama before 0.19 would have this digest of it: those wrote a manifest down anew in place of
 * keeping the registry's bytes, so that the same model has another digest there.
 */
export function isRewritten(manifest: Manifest, digest: string): boolean {
  const layer = ({ mediaType, digest: of, size, from }: Manifest['config']) => ({
    ...{ mediaType, digest: of, size },
    ...(from === undefined || from === '' ? {} : { from }),
  })
  const { schemaVersion, mediaType, config, layers } = manifest
  const text = JSON.stringify({ schemaVersion, mediaType, config: layer(config), layers: layers.map(layer) })
  // As Go writes JSON.
  const escaped = text.replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`)
  return [escaped, `${escaped}\n`].some((written) => digestOf(written) === digest)
}

function contentsOf({ config, layers }: Manifest): Map<string, number> {
  return new Map([config, ...layers].map(({ digest, size }) => [digest, size]))
}
