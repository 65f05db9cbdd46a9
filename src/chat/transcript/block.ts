// The block at the end of a chat's file: what the shown text does not hold, as comments of one line each. Pure.
// What its lines mean together is chat-file.ts's.
import { inComment, isRecord, type Json, parseJson } from './comment-json.ts'
import { FOOTER_END, FOOTER_MARK } from './grammar.ts'
import { type VersionStep, versionsOf } from './version-list.ts'

/** How the shown text and the hidden turns make up the history. */
export interface FiledVersions {
  /** Of the versions, which is shown. */
  shown: number
  versions: ReadonlyArray<readonly number[]>
  /** Turns that stand in another's place: the number of the turn, and of the first that stood there. */
  places: ReadonlyMap<number, number>
  /** A checksum of each shown turn, in order; fewer when they cannot be read. */
  sums: readonly number[]
}

export interface Block {
  chat?: Json
  versions?: FiledVersions
  /** The turns that are not shown, by their numbers, as transcript text. */
  turns: ReadonlyMap<number, string>
  /** Lines with which this version can do nothing, without their ends; a number stands where that turn's line stood. */
  rest: ReadonlyArray<string | number>
  /** Whether one of them should have been read. */
  isDamaged: boolean
}

/** No text that was written by the format holds such a line elsewhere: in contents it is escaped, and a footer has a brace. */
const BLOCK_LINE = /<!-- ◆ [a-z][^\n]*(?:\n+|$)/g
const LINE = /^<!-- ◆ ([a-z]+)(?: (.*))? -->$/s
const NUMBERED = /^(\d{1,9}) (.*)$/s
const SUM_BYTES = 4

export function chatLine(chat: Json): string {
  return line('chat', inComment(chat))
}

export function versionsLine({ shown, places, sums }: FiledVersions, steps: readonly VersionStep[]): string {
  return line('versions', inComment({ shown, list: steps, places: [...places].flat(), sums: sumsText(sums) }))
}

export function turnLine(number: number, text: string): string {
  return line('turn', `${number} ${inComment(text)}`)
}

/** The text without the block's lines, wherever they stand, and those. Blank lines after them go too. */
export function separated(text: string): { text: string; lines: string[] } {
  const lines: string[] = []
  const left = text.replace(BLOCK_LINE, (found, offset: number) => {
    if (offset > 0 && text[offset - 1] !== '\n') return found
    lines.push(found.trimEnd())
    return ''
  })
  return { text: left, lines }
}

/** Reads any lines. Of two that say the same the first counts. */
export function readBlock(lines: readonly string[]): Block {
  const turns = new Map<number, string>()
  const rest: Array<string | number> = []
  let chat: Json | undefined
  let versions: FiledVersions | undefined
  let isDamaged = false
  for (const each of lines) {
    const [, word = '', value = ''] = LINE.exec(each) ?? []
    const read = readLine(word, value)
    if (read?.chat && !chat) chat = read.chat
    else if (read?.versions && !versions) versions = read.versions
    else if (read?.turn && !turns.has(read.turn.number)) {
      turns.set(read.turn.number, read.turn.text)
      rest.push(read.turn.number)
    } else {
      rest.push(word === '' ? closed(each) : each)
      isDamaged ||= word === '' || ['chat', 'versions', 'turn'].includes(word)
    }
  }
  return { ...(chat ? { chat } : {}), ...(versions ? { versions } : {}), turns, rest, isDamaged }
}

interface ReadLine {
  chat?: Json
  versions?: FiledVersions
  turn?: { number: number; text: string }
}

function readLine(word: string, value: string): ReadLine | undefined {
  if (word === 'turn') return readTurn(value)
  const json = parseJson(value)
  if (!isRecord(json)) return undefined
  if (word === 'chat') return { chat: json }
  return word === 'versions' ? readVersions(json) : undefined
}

function readTurn(value: string): ReadLine | undefined {
  const [, number = '', json = ''] = NUMBERED.exec(value) ?? []
  const text = parseJson(json)
  return typeof text === 'string' ? { turn: { number: Number(number), text } } : undefined
}

function readVersions({ shown, list, places, sums }: Json): ReadLine | undefined {
  const versions = versionsOf(list)
  const isShown = Number.isInteger(shown) && versions?.[shown as number] !== undefined
  if (!versions || !isShown) return undefined
  return { versions: { shown: shown as number, versions, places: placesOf(places), sums: sumsOf(sums) } }
}

function placesOf(json: unknown): Map<number, number> {
  const flat = Array.isArray(json) && json.every(Number.isSafeInteger) ? (json as number[]) : []
  return new Map(flat.flatMap((number, index) => (index % 2 === 0 ? [[number, flat[index + 1] ?? number]] : [])))
}

function sumsText(sums: readonly number[]): string {
  const bytes = Buffer.alloc(sums.length * SUM_BYTES)
  for (const [index, sum] of sums.entries()) bytes.writeUInt32BE(sum, index * SUM_BYTES)
  return bytes.toString('base64')
}

function sumsOf(json: unknown): number[] {
  const bytes = Buffer.from(typeof json === 'string' ? json : '', 'base64')
  const count = Math.floor(bytes.length / SUM_BYTES)
  return Array.from({ length: count }, (_, index) => bytes.readUInt32BE(index * SUM_BYTES))
}

function line(word: string, value: string): string {
  return `${FOOTER_MARK}${word} ${value}${FOOTER_END}\n`
}

/** A line that was cut must not swallow what comes after it. */
function closed(cut: string): string {
  return cut.endsWith(FOOTER_END) ? cut : cut + FOOTER_END
}
