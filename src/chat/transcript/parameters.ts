// What requests were made with, and what was attached to them, as it stands in the file's JSON. Pure.
// Only what fits is read: the caller keeps the rest as it is.
import type { Think } from '../../providers/provider.ts'
import type { Attachment, TurnParameters } from '../record/conversation.ts'
import { isRecord, type Json } from './comment-json.ts'

const THINKS: readonly unknown[] = [true, false, 'low', 'medium', 'high', 'max'] satisfies Think[]

/** With whatever else there is beside them, which stands there as it is. */
export function parametersJson({ keepAlive, ...rest }: TurnParameters): Json {
  return { ...rest, ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }) }
}

/** `undefined` when a field is not as this version writes it. Unknown fields come along. */
export function parametersOf(json: unknown): TurnParameters | undefined {
  if (!isRecord(json) || Object.hasOwn(json, 'keepAlive')) return undefined
  const { keep_alive: keepAlive, ...rest } = json
  const { options = {}, think = true, system = '' } = rest
  const isKnown =
    isRecord(options) &&
    THINKS.includes(think) &&
    ['undefined', 'string', 'number'].includes(typeof keepAlive) &&
    typeof system === 'string'
  return isKnown ? ({ ...rest, ...(keepAlive === undefined ? {} : { keepAlive }) } as TurnParameters) : undefined
}

export function attachmentsOf(json: unknown): Attachment[] | undefined {
  const areKnown = Array.isArray(json) && json.length > 0 && json.every(isAttachment)
  return areKnown ? json : undefined
}

function isAttachment(value: unknown): value is Attachment {
  if (!isRecord(value)) return false
  const { name, type, path = '', data = '' } = value
  return [name, type, path, data].every((field) => typeof field === 'string')
}
