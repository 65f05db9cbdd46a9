/** Turns the body of a chat or generate request into a checked question, or into the refusal that Ollama would give. */

import type { Dialect } from './era.ts'
import { keepAliveMs } from './go-text.ts'
import { findModel, type ModelDefinition } from './models.ts'
import { readRendered, refusalOf } from './rendering.ts'
import { failure, type Reply } from './reply.ts'

export interface Message {
  readonly role: string
  readonly content: string
}

export type Shape = 'chat' | 'generate'

/** What a script may look at to choose its behaviour. */
export interface Ask {
  readonly shape: Shape
  /** As sent: replies echo it unchanged. */
  readonly name: string
  readonly model: ModelDefinition
  readonly messages: readonly Message[]
  /** What stands of the answer already, for the model to go on with; not part of `messages`. */
  readonly partial: string
  readonly stream: boolean
  readonly thinking: boolean
  readonly keepAliveMs: number
  readonly options: Readonly<Record<string, unknown>>
  readonly body: Readonly<Record<string, unknown>>
}

export type Checked = { readonly ask: Ask } | { readonly refusal: Reply }

const THINK_LEVELS = ['low', 'medium', 'high', 'max']
const FIELD_TYPES: readonly (readonly [field: string, goType: string, fits: (value: unknown) => boolean])[] = [
  ['model', 'string', (value) => typeof value === 'string'],
  ['prompt', 'string', (value) => typeof value === 'string'],
  ['suffix', 'string', (value) => typeof value === 'string'],
  ['messages', '[]api.Message', Array.isArray],
  ['tools', 'api.Tools', Array.isArray],
  ['stream', 'bool', (value) => typeof value === 'boolean'],
  ['options', 'map[string]interface {}', (value) => typeof value === 'object' && !Array.isArray(value)],
]

export function checkAsk(shape: Shape, sent: unknown, models: readonly ModelDefinition[], dialect: Dialect): Checked {
  const structName = shape === 'chat' ? 'ChatRequest' : 'GenerateRequest'
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    return refuse(400, `json: cannot unmarshal ${jsonKind(sent)} into Go value of type api.${structName}`)
  }
  const body = sent as Record<string, unknown>
  const formError = fieldError(structName, body) ?? thinkValueError(body.think)
  if (formError !== undefined) return refuse(400, formError)
  const keepAlive = keepAliveMs(body.keep_alive)
  if (typeof keepAlive !== 'number') return refuse(400, keepAlive.error)
  const name = typeof body.model === 'string' ? body.model : ''
  if (name === '' && shape === 'chat') return refuse(400, 'model is required')
  const model = name === '' ? undefined : findModel(models, name)
  if (model === undefined) {
    return refuse(404, shape === 'chat' ? dialect.missingModelInChat(name) : `model '${name}' not found`)
  }
  const lacking = lackingCapability(shape, name, model, body, dialect)
  if (lacking !== undefined) return refuse(400, lacking)
  const given = shape === 'chat' ? messagesOf(body.messages) : promptAsMessages(body)
  const refused = refusalOf(given, model.trailing) ?? rawError(body)
  if (refused !== undefined) return refuse(400, refused)
  const { messages, partial } = splitOpen(shape, given, model, body)
  const thinking = model.capabilities.includes('thinking') && wantsThinking(body.think, dialect)
  const options = (body.options ?? {}) as Record<string, unknown>
  const stream = body.stream !== false
  return { ask: { shape, name, model, messages, partial, stream, thinking, keepAliveMs: keepAlive, options, body } }
}

function refuse(status: number, error: string): Checked {
  return { refusal: failure(status, error) }
}

function fieldError(structName: string, body: Record<string, unknown>): string | undefined {
  for (const [field, goType, fits] of FIELD_TYPES) {
    const value = body[field] ?? undefined
    if (value === undefined || fits(value)) continue
    return `json: cannot unmarshal ${jsonKind(value)} into Go struct field ${structName}.${field} of type ${goType}`
  }
  return undefined
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function thinkValueError(think: unknown): string | undefined {
  if (think === undefined || think === null || typeof think === 'boolean') return undefined
  if (typeof think === 'string' && THINK_LEVELS.includes(think)) return undefined
  return `invalid think value: ${JSON.stringify(think)} (must be "high", "medium", "low", "max", true, or false)`
}

function lackingCapability(
  shape: Shape,
  name: string,
  model: ModelDefinition,
  body: Record<string, unknown>,
  dialect: Dialect,
): string | undefined {
  const { capabilities } = model
  const unloads = !body.prompt && !body.messages && body.keep_alive === 0
  if (!capabilities.includes('completion') && !unloads) return `"${name}" does not support ${shape}`
  const asksThinking = body.think === false ? !dialect.thinkFalseIsHarmless : (body.think ?? undefined) !== undefined
  if (asksThinking && !capabilities.includes('thinking')) return `"${name}" does not support thinking`
  const wanted = [
    { capability: 'tools', asked: Array.isArray(body.tools) && body.tools.length > 0 },
    { capability: 'insert', asked: typeof body.suffix === 'string' && body.suffix !== '' },
  ] as const
  const missing = wanted.filter(({ capability, asked }) => asked && !capabilities.includes(capability))
  if (missing.length === 0) return undefined
  return missing
    .map(({ capability }) => `registry.ollama.ai/library/${model.name} does not support ${capability}`)
    .join('\n')
}

function wantsThinking(think: unknown, dialect: Dialect): boolean {
  return think === undefined || think === null ? dialect.thinksUnlessTold : think !== false
}

function rawError({ raw, template, system, context }: Record<string, unknown>): string | undefined {
  if (raw !== true || !(template || system || context)) return undefined
  return 'raw mode does not support template, system, or context'
}

/** Parts the beginning of an answer, which the model goes on with, from what is asked. */
function splitOpen(
  shape: Shape,
  messages: Message[],
  model: ModelDefinition,
  body: Record<string, unknown>,
): { messages: Message[]; partial: string } {
  if (shape === 'generate') return body.raw === true ? readRendered(String(body.prompt)) : { messages, partial: '' }
  const last = messages.at(-1)
  if (last?.role !== 'assistant' || model.trailing !== 'continued') return { messages, partial: '' }
  return { messages: messages.slice(0, -1), partial: last.content }
}

function messagesOf(given: unknown): Message[] {
  if (!Array.isArray(given)) return []
  return given.map((entry: { role?: unknown; content?: unknown } | null) => ({
    role: String(entry?.role ?? '').toLowerCase(),
    content: typeof entry?.content === 'string' ? entry.content : '',
  }))
}

/** An empty prompt only loads (or unloads) the model, like a chat without messages. */
function promptAsMessages(body: Record<string, unknown>): Message[] {
  if (typeof body.prompt !== 'string' || body.prompt === '') return []
  const system = typeof body.system === 'string' && body.system !== '' ? [{ role: 'system', content: body.system }] : []
  return [...system, { role: 'user', content: body.prompt }]
}
