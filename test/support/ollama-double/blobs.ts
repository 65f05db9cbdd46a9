/** What of the models lies on the double's disk, layer by layer, and what the registry behind it has. */

import { createHash } from 'node:crypto'
import { displayName, findModel, type ModelDefinition } from './models.ts'

export interface Layer {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string
  readonly bytes: number
}

/** A version of a model that can be pulled. */
export interface Published {
  readonly model: ModelDefinition
  /** In the order in which they are fetched, the config last. */
  readonly layers: readonly Layer[]
  /** Safetensors for MLX: pulled under a single bar. */
  readonly isMlx: boolean
}

/** The layers that a model has when nothing else is said: two versions of it share all but the weights and the config. */
export function layersOf(model: ModelDefinition): Layer[] {
  const texts = [model.template, model.license, model.parameters].filter((text) => text !== '')
  const small = texts.map((text) => ({ digest: digestOf(text), bytes: Buffer.byteLength(text) }))
  const config = { digest: digestOf(`config of ${model.digest}`), bytes: 487 }
  const others = [...small, config].reduce((total, { bytes }) => total + bytes, 0)
  const weights = { digest: digestOf(`weights of ${model.digest}`), bytes: Math.max(1, model.sizeBytes - others) }
  return [weights, ...small, config]
}

export class Blobs {
  /** How many bytes of a layer are there, whole or not. */
  readonly #there = new Map<string, number>()
  readonly #layers = new Map<string, readonly Layer[]>()
  readonly #registry = new Map<string, Published>()

  publish(model: ModelDefinition, { layers = layersOf(model), isMlx = false }: Partial<Published> = {}): void {
    this.#registry.set(model.name.toLowerCase(), { model, layers, isMlx })
    this.#layers.set(model.digest, layers)
  }

  /** What the registry has under a name; an installed model is there as it is, unless something newer was published. */
  published(asked: string, installed: readonly ModelDefinition[]): Published | undefined {
    const known = this.#registry.get(displayName(asked).toLowerCase())
    const model = findModel(installed, asked)
    return known ?? (model && { model, layers: this.installedLayers(model), isMlx: false })
  }

  installedLayers(model: ModelDefinition): readonly Layer[] {
    return this.#layers.get(model.digest) ?? layersOf(model)
  }

  fetched(layer: Layer, installed: readonly ModelDefinition[]): number {
    const isWhole = installed.some((model) => this.installedLayers(model).some(({ digest }) => digest === layer.digest))
    return isWhole ? layer.bytes : (this.#there.get(layer.digest) ?? 0)
  }

  keep(layer: Layer, bytes: number): void {
    this.#there.set(layer.digest, bytes)
  }
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
