/** The vocabulary in which a test says how the double pulls a model, and the well-known failures word for word. */

export interface PullScript {
  /** Instead of the double's own pace. */
  readonly bytesPerSecond?: number | 'unbounded'
  /** When `at` of the first layer (0 to 1) is there, `bytes` of it are rolled back, once. */
  readonly setback?: { readonly at: number; readonly bytes: number }
  /** When `at` of the first layer is there, no byte comes any more. `silent`: not even a tick. */
  readonly stall?: { readonly at: number; readonly silent?: boolean }
  /** Nothing is told while what came is verified. */
  readonly verifyMs?: number
  /** A last line `{"error": text}` under HTTP 200. */
  readonly error?: string
  /** When it comes: instead of the layers (by default), when so much of the first one is there, or after verifying. */
  readonly errorAt?: 'manifest' | 'verified' | number
}

export const NO_SUCH_MODEL = 'pull model manifest: file does not exist'

export const NEEDS_NEWER =
  'pull model manifest: 412: \n\nThe model you are attempting to pull requires a newer version of Ollama.\n\nPlease download the latest version at:\n\n\thttps://ollama.com/download\n\n'

export const UNAUTHORIZED =
  'pull model manifest: 401: {"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'

export const REGISTRY_AWAY =
  'pull model manifest: Get "https://registry.ollama.ai/v2/library/demo/manifests/latest": dial tcp: lookup registry.ollama.ai: no such host'

export function diskFull(digest: string): string {
  return `write /usr/share/ollama/.ollama/models/blobs/${digest.replace(':', '-')}-partial: no space left on device`
}

export function digestMismatch(want: string, got: string): string {
  return `digest mismatch, file must be downloaded again: want ${want}, got ${got}`
}
