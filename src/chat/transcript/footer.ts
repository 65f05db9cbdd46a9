// The footer of a turn: what has no place in prose, as one line of JSON in a comment. Pure.
import type { SeamMethod } from '../../providers/provider.ts'
import type { AnswerEnd, Seam, Turn, TurnUsage } from '../record/conversation.ts'
import { asRecord, inComment, isRecord, type Json, own, parseJson } from './comment-json.ts'
import { FOOTER_END, FOOTER_MARK, type SectionName } from './grammar.ts'
import { attachmentsOf, parametersJson, parametersOf } from './parameters.ts'

/** Closing lines that were put after sections, so that a block left open does not swallow the next heading. */
export type Closers = Partial<Record<SectionName, string>>

/** What a footer tells. */
export type Footer = Pick<Turn, 'end' | 'usage' | 'thinkingMs' | 'seams' | 'parameters' | 'attachments' | 'extra'> & {
  closed?: Closers
}

const ENDS: readonly string[] = ['done', 'length', 'stopped', 'failed', 'interrupted'] satisfies AnswerEnd[]

const METHODS: readonly string[] = ['prefill', 'raw', 'continue', 'anew'] satisfies SeamMethod[]

/** The names in the file, by group, of the fields in memory. */
const NUMBERS = {
  tokens: { prompt: 'promptTokens', answer: 'answerTokens' },
  ms: {
    total: 'totalMs',
    load: 'loadMs',
    prompt: 'promptMs',
    answer: 'answerMs',
    first: 'firstTokenMs',
    thinking: 'thinkingMs',
  },
} as const satisfies Record<string, Record<string, keyof TurnUsage | 'thinkingMs'>>

/** The footer's line, or `undefined` when there is nothing to tell. */
export function footerLine(footer: Footer): string | undefined {
  const { end, usage, thinkingMs, seams, parameters, attachments, extra = {}, closed = {} } = footer
  const numbers = { ...usage, ...(thinkingMs === undefined ? {} : { thinkingMs }) }
  const json: Json = {
    ...(end === undefined ? {} : { end }),
    ...extra,
    ...(end === undefined ? {} : { end }),
    ...group('tokens', numbers, extra),
    ...group('ms', numbers, extra),
    ...(seams === undefined ? {} : { seams: seams.map(({ at, method }) => ({ at, by: method })) }),
    ...(parameters === undefined ? {} : { parameters: parametersJson(parameters) }),
    ...(attachments === undefined ? {} : { attachments }),
    ...(Object.keys(closed).length === 0 ? {} : { closed: { ...asRecord(extra.closed), ...closed } }),
  }
  return Object.keys(json).length === 0 ? undefined : FOOTER_MARK + inComment(json) + FOOTER_END
}

/** Reads a line that begins with `FOOTER_MARK`; `undefined` when it is no footer. Fields that do not fit are left out. */
export function readFooter(line: string): Footer | undefined {
  if (!line.endsWith(FOOTER_END)) return undefined
  const json = parseJson(line.slice(FOOTER_MARK.length, -FOOTER_END.length))
  if (!isRecord(json)) return undefined
  const { thinkingMs, ...usage } = { ...numbersOf('tokens', json), ...numbersOf('ms', json) }
  const closed = closersOf(json)
  const seams = seamsOf(json)
  const parameters = parametersOf(json.parameters)
  const attachments = attachmentsOf(json.attachments)
  const extra = unknownOf(json)
  return {
    ...(isEnd(json.end) ? { end: json.end } : {}),
    ...(Object.keys(usage).length === 0 ? {} : { usage }),
    ...(thinkingMs === undefined ? {} : { thinkingMs }),
    ...(seams === undefined ? {} : { seams }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(attachments === undefined ? {} : { attachments }),
    ...(Object.keys(closed).length === 0 ? {} : { closed }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  }
}

function group(name: keyof typeof NUMBERS, numbers: Json, extra: Json): Json {
  const known = Object.entries(NUMBERS[name]).filter(([, field]) => numbers[field] !== undefined)
  if (known.length === 0) return {}
  return {
    [name]: { ...Object.fromEntries(known.map(([key, field]) => [key, numbers[field]])), ...asRecord(extra[name]) },
  }
}

function numbersOf(name: keyof typeof NUMBERS, json: Json): TurnUsage & { thinkingMs?: number } {
  const values = asRecord(json[name])
  const known = Object.entries(NUMBERS[name]).filter(([key]) => typeof own(values, key) === 'number')
  return Object.fromEntries(known.map(([key, field]) => [field, values[key]]))
}

function closersOf(json: Json): Closers {
  const closed = asRecord(json.closed)
  const names = (['thinking', 'text', 'note'] as const).filter((name) => typeof own(closed, name) === 'string')
  return Object.fromEntries(names.map((name) => [name, closed[name]]))
}

/** Only seams that this version writes: others are kept as they are. */
function seamsOf({ seams }: Json): Seam[] | undefined {
  if (!Array.isArray(seams) || seams.length === 0) return undefined
  const read = seams.map((seam): Seam | undefined => {
    const { at, by, ...rest } = asRecord(seam)
    const isKnown = Number.isInteger(at) && METHODS.includes(by as string) && Object.keys(rest).length === 0
    return isKnown ? { at: at as number, method: by as SeamMethod } : undefined
  })
  return read.every((seam) => seam !== undefined) ? read : undefined
}

/** What a newer version may have put in: unknown keys, and unknown keys of known groups. */
function unknownOf(json: Json): Json {
  const entries = Object.entries(json).flatMap(([key, value]): Array<[string, unknown]> => {
    if (key === 'end' || isWhole(key, json)) return []
    const known =
      key === 'closed'
        ? ['thinking', 'text', 'note']
        : key === 'tokens' || key === 'ms'
          ? Object.keys(NUMBERS[key])
          : undefined
    if (!known || !isRecord(value)) return [[key, value]]
    const rest = Object.entries(value).filter(([name]) => !known.includes(name))
    return rest.length === 0 ? [] : [[key, Object.fromEntries(rest)]]
  })
  return Object.fromEntries(entries)
}

/** Whether a field is read, or kept, as a whole, and was read. */
function isWhole(key: string, json: Json): boolean {
  if (key === 'seams') return seamsOf(json) !== undefined
  if (key === 'parameters') return parametersOf(json.parameters) !== undefined
  return key === 'attachments' && attachmentsOf(json.attachments) !== undefined
}

function isEnd(value: unknown): value is AnswerEnd {
  return typeof value === 'string' && ENDS.includes(value)
}
