// The names of saved chats' files: what a person calls a chat, its model and when it was begun, and back. Pure.

export interface FileName {
  /** What the person or the model called it. */
  name: string
  /** Without its server. */
  model: string
  /** Local time, `YYYY-MM-DD HH:MM:SS`. */
  created: string
}

export const ENDING = '.txt'

const PATTERN = /^(.+)_([^_]+)_(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(?:-[1-9]\d*)?\.txt$/su
const TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/

/** What no name may hold: controls, halves of characters, signs that turn the reading direction, and what some system refuses. */
const UNFIT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069\uFEFF/\\:*?"<>|]+/gu
const AT_THE_EDGES = /^[\s.~-]+|(?:[\s.-]|\u200D)+$/gu

/** Bytes: a name of both, its time, a number and what a temporary file adds stays below the 255 of most systems. */
const LONGEST_NAME = 150
const LONGEST_MODEL = 50

/** The file's name; from the second of a kind on, `nth` tells them apart. */
export function fileName({ name, model, created }: FileName, nth = 1): string {
  const [, ...time] = TIME.exec(created) ?? []
  const digits = time.length === 6 ? `${time.slice(0, 3).join('')}-${time.slice(3).join('')}` : '00000000-000000'
  return `${fitName(name)}_${fitModel(model)}_${digits}${nth === 1 ? '' : `-${nth}`}${ENDING}`
}

/** What a name tells; `undefined` when it is none of ours. */
export function readFileName(file: string): FileName | undefined {
  const [, name, model, year, month, day, hour, minute, second] = PATTERN.exec(file) ?? []
  if (name === undefined || model === undefined) return undefined
  return { name, model, created: `${year}-${month}-${day} ${hour}:${minute}:${second}` }
}

/** What the name of any chat's file tells, also of one that is none of ours. */
export function titleIn(file: string): { title: string; model: string } {
  const { name, model } = readFileName(file) ?? { name: file.slice(0, -ENDING.length), model: '' }
  return { title: name, model }
}

/** What stands in the file's name for a chat's name. The same again for what it gives. */
export function fitName(name: string): string {
  return fitted(name, LONGEST_NAME) || 'chat'
}

/** As `fitName`. @param model `server:model` is to be given without its server: a name has no room for both */
export function fitModel(model: string): string {
  return fitted(model.replace(/[\s_]+/gu, '-'), LONGEST_MODEL) || 'no-model'
}

/** The model of `server:model`. */
export function withoutServer(ref: string): string {
  return ref.slice(ref.indexOf(':') + 1)
}

function fitted(text: string, bytes: number): string {
  const clean = text.normalize('NFC').replace(UNFIT, '-').replace(/\s+/gu, ' ').replace(AT_THE_EDGES, '')
  return cut(clean, bytes).replace(AT_THE_EDGES, '')
}

/** Cut between two characters as a person sees them; between two code points when one of those alone is too long. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  const segments = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
  return upTo(segments, bytes) || upTo([...text], bytes)
}

function upTo(parts: readonly string[], bytes: number): string {
  let length = 0
  const end = parts.findIndex((part) => {
    length += Buffer.byteLength(part)
    return length > bytes
  })
  return parts.slice(0, end === -1 ? parts.length : end).join('')
}
