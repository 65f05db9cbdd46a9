// What is known of a chat besides its turns, as it stands in the block's JSON. Pure. Of a field that does not fit nothing is
// lost: it stays among what is not known.
import type { ChatParameters, Draft, Meta } from '../record/record.ts'
import { isRecord, type Json } from './comment-json.ts'
import { parametersJson, parametersOf } from './parameters.ts'

/** What of it is in a file. */
export type FiledMeta = Omit<Meta, 'queue' | 'file' | 'lines'>

export const FORMAT = 1

const TITLED: readonly unknown[] = ['person', 'model', 'first-line'] satisfies Array<Meta['titled']>

/** Reads each field; `undefined` when it does not fit. */
const READ: { [Field in Exclude<keyof FiledMeta, 'extra'>]-?: (value: unknown) => Meta[Field] } = {
  title: textOf,
  titled: (value) => (TITLED.includes(value) ? (value as Meta['titled']) : undefined),
  created: textOf,
  model: textOf,
  parameters: (value) => parametersOf(value) as ChatParameters | undefined,
  draft: draftOf,
}

export function metaJson({ extra, parameters, queue: _queue, file: _file, lines: _lines, ...meta }: Meta): Json {
  return { format: FORMAT, ...extra, ...meta, ...(parameters ? { parameters: parametersJson(parameters) } : {}) }
}

export function metaOf({ format: _format, ...json }: Json): FiledMeta {
  const entries = Object.entries(READ).flatMap(([field, read]) => {
    const value = Object.hasOwn(json, field) ? read(json[field]) : undefined
    return value === undefined ? [] : [[field, value] as const]
  })
  const known = Object.fromEntries(entries)
  const extra = Object.entries(json).filter(([field]) => !Object.hasOwn(known, field))
  return { ...known, ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }) }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function draftOf(value: unknown): Draft | undefined {
  if (!isRecord(value)) return undefined
  const { text, editing = 1, aside = '' } = value
  const isDraft =
    typeof text === 'string' && Number.isInteger(editing) && (editing as number) > 0 && typeof aside === 'string'
  return isDraft ? (value as unknown as Draft) : undefined
}
