// What a registry has of a model, as values: its manifest's exact bytes and what is told beside them. No server is here.
import { createHash } from 'node:crypto'

export interface Layer {
  mediaType: string
  digest: string
  size: number
}

/** Of each layer its size in bytes, and what stands for its content; the same content has the same digest. */
export type Contents = Readonly<Record<string, { of: string; size: number }>>

export interface Published {
  bytes: Buffer
  /** Of the bytes, as Ollama names it. */
  digest: string
  config: Layer
  layers: readonly Layer[]
}

const MEDIA = 'application/vnd.ollama.image.'

/** Weights of a size, with a template and a licence. */
export function contents(weights: string, size = 2_000_000_000): Contents {
  return {
    model: { of: `weights ${weights}`, size },
    template: { of: 'template', size: 1_500 },
    license: { of: 'license', size: 11_000 },
  }
}

/** @param spaced written with white space, so that it has another digest than the same in one line. */
export function manifestOf(parts: Contents, { spaced = false } = {}): Published {
  const layers = Object.entries(parts).map(([kind, { of, size }]) => ({
    mediaType: `${MEDIA}${kind}`,
    digest: `sha256:${hashOf(of)}`,
    size,
  }))
  const config = {
    mediaType: 'application/vnd.docker.container.image.v1+json',
    digest: `sha256:${hashOf(JSON.stringify(parts))}`,
    size: 485,
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    ...{ config, layers },
  }
  const bytes = Buffer.from(spaced ? JSON.stringify(manifest, null, 3) : JSON.stringify(manifest))
  return { bytes, digest: hashOf(bytes), config, layers }
}

function hashOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
