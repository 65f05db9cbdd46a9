/** The models that a double has: their description as values, without any reply's shape. */

import { createHash } from 'node:crypto'
import type { Trailing } from './rendering.ts'

export type Capability = 'completion' | 'tools' | 'insert' | 'vision' | 'embedding' | 'thinking'

export interface ModelDefinition {
  /** Shortest display name, always with its tag. */
  readonly name: string
  readonly digest: string
  readonly family: string
  readonly families: readonly string[] | null
  readonly parameterSize: string
  readonly parameterCount: number
  readonly quantization: string
  readonly sizeBytes: number
  readonly capabilities: readonly Capability[]
  /** The trained context, in tokens. */
  readonly contextLength: number
  readonly embeddingLength: number
  readonly blockCount: number
  readonly template: string
  /** What the template makes of an assistant message at the end. */
  readonly trailing: Trailing
  readonly parameters: string
  readonly license: string
  /** Age of the manifest file when the double starts. */
  readonly modifiedAgoMs: number
  /** Part of the loaded model that sits on the GPU: 1 = wholly, 0 = none. */
  readonly gpuShare: number
  /** A stub of a model that runs elsewhere. */
  readonly remote?: { readonly model: string; readonly host: string }
  readonly system?: string
}

const HOUR_MS = 3_600_000
const CHATML = `{{ range $i, $_ := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}<|im_start|>{{ .Role }}
{{ .Content }}{{ if not (and $last (eq .Role "assistant")) }}<|im_end|>
{{ if $last }}<|im_start|>assistant
{{ end }}{{ end }}{{ end }}`

/** A model with plausible values for all that is not given; the tag defaults to `latest`. */
export function defineModel(given: Partial<ModelDefinition> & Pick<ModelDefinition, 'name'>): ModelDefinition {
  const name = given.name.includes(':') ? given.name : `${given.name}:latest`
  const family = given.family ?? 'llama'
  return {
    digest: createHash('sha256').update(`manifest of ${name}`).digest('hex'),
    family,
    families: [family],
    parameterSize: '1.2B',
    parameterCount: 1_235_814_432,
    quantization: 'Q8_0',
    sizeBytes: 1_321_098_329,
    capabilities: ['completion'],
    contextLength: 32_768,
    embeddingLength: 2_048,
    blockCount: 16,
    template: CHATML,
    trailing: 'continued',
    parameters: stopParameters('<|im_start|>', '<|im_end|>'),
    license: 'MIT License\n\nCopyright (c) the authors of this demonstration\n',
    modifiedAgoMs: HOUR_MS,
    gpuShare: 1,
    ...given,
    name,
  }
}

function stopParameters(...stops: readonly string[]): string {
  return stops.map((stop) => `${'stop'.padEnd(30)} ${JSON.stringify(stop)}`).join('\n')
}

export const DEMONSTRATION_MODELS: readonly ModelDefinition[] = [
  defineModel({ name: 'demo:latest', modifiedAgoMs: HOUR_MS }),
  defineModel({
    name: 'demo-thinking:8b',
    family: 'qwen3',
    parameterSize: '8.2B',
    parameterCount: 8_190_735_360,
    quantization: 'Q4_K_M',
    sizeBytes: 5_225_388_164,
    capabilities: ['completion', 'tools', 'thinking'],
    contextLength: 40_960,
    embeddingLength: 4_096,
    blockCount: 36,
    template: `{{ if .Tools }}<tools>{{ .Tools }}</tools>{{ end }}{{ if .Thinking }}<think>{{ end }}${CHATML}`,
    modifiedAgoMs: 26 * HOUR_MS,
  }),
  defineModel({
    name: 'demo-vision:latest',
    family: 'gemma3',
    parameterSize: '4.3B',
    parameterCount: 4_299_915_632,
    quantization: 'Q4_K_M',
    sizeBytes: 3_338_801_804,
    capabilities: ['completion', 'vision'],
    contextLength: 131_072,
    embeddingLength: 2_560,
    blockCount: 34,
    modifiedAgoMs: 50 * HOUR_MS,
    gpuShare: 0.6,
  }),
  defineModel({
    name: 'demo-embed:latest',
    family: 'nomic-bert',
    parameterSize: '137M',
    parameterCount: 136_727_040,
    quantization: 'F16',
    sizeBytes: 274_302_450,
    capabilities: ['embedding'],
    contextLength: 2_048,
    embeddingLength: 768,
    blockCount: 12,
    template: '{{ .Prompt }}',
    parameters: `${'num_ctx'.padEnd(30)} 2048`,
    modifiedAgoMs: 400 * HOUR_MS,
  }),
]

/** The real server's grammar of names, as far as a client can meet it. */
const NAME = /^(?:[\w.-]+(?::\d+)?\/)?(?:\w[\w-]*\/)?\w[\w.-]*(?::\w[\w.-]*)?$/

export function isModelName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

/** The shortest display of a name as asked: default host and namespace dropped, tag added. */
export function displayName(asked: string): string {
  const short = asked.replace(/^registry\.ollama\.ai\//i, '').replace(/^library\//i, '')
  return short.slice(short.lastIndexOf('/') + 1).includes(':') ? short : `${short}:latest`
}

export function findModel(models: readonly ModelDefinition[], asked: string): ModelDefinition | undefined {
  const wanted = displayName(asked).toLowerCase()
  return models.find((model) => model.name.toLowerCase() === wanted)
}
