/** What is done with an installed model but pulling it: copying, deleting, and loading one that only embeds. */

import type { Engine } from './engine.ts'
import type { Exchange } from './exchange.ts'
import { loadOnly } from './generation.ts'
import { keepAliveMs } from './go-text.ts'
import { displayName, findModel, isModelName, type ModelDefinition } from './models.ts'
import { failure, json, type Reply } from './reply.ts'

export function copy(engine: Engine, { request }: Exchange): Reply {
  const { source, destination } = (request.body ?? {}) as { source?: unknown; destination?: unknown }
  if (!isName(source)) return failure(400, `source ${JSON.stringify(source ?? '')} is invalid`)
  if (!isModelName(destination)) return failure(400, `destination ${JSON.stringify(destination ?? '')} is invalid`)
  const found = findModel(engine.models, source)
  if (found === undefined) return failure(404, `model ${JSON.stringify(source)} not found`)
  const name = displayName(destination)
  engine.models = [{ ...found, name, modifiedAgoMs: 0 }, ...without(engine.models, name)]
  return { status: 200, body: '' }
}

/** A copy that is in memory stays there. */
export function remove(engine: Engine, { request }: Exchange): Reply {
  const { model, name } = (request.body ?? {}) as { model?: unknown; name?: unknown }
  const asked = model || name
  if (!isName(asked)) return failure(400, `name ${JSON.stringify(asked ?? '')} is invalid`)
  const found = findModel(engine.models, asked)
  if (found === undefined) return failure(404, `model '${asked}' not found`)
  engine.models = without(engine.models, found.name)
  return { status: 200, body: '' }
}

function without(models: readonly ModelDefinition[], name: string): ModelDefinition[] {
  return models.filter((model) => model.name.toLowerCase() !== name.toLowerCase())
}

/** Only what loads an embedding model: no input at all. */
export async function embed(engine: Engine, exchange: Exchange): Promise<Reply | undefined> {
  const body = (exchange.request.body ?? {}) as Record<string, unknown>
  const found = isName(body.model) ? findModel(engine.models, body.model) : undefined
  if (found === undefined) return failure(404, `model ${JSON.stringify(body.model)} not found, try pulling it first`)
  const keepAlive = keepAliveMs(body.keep_alive)
  if (typeof keepAlive !== 'number') return failure(400, keepAlive.error)
  if (!Array.isArray(body.input) || body.input.length > 0) return failure(501, 'the double embeds nothing')
  if (!(await loadOnly(engine, exchange, { model: found, keepAliveMs: keepAlive, options: {} }))) return undefined
  return json({ model: body.model, embeddings: [] })
}

export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
