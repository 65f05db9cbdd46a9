// What a chat is called, and so its file. Pure. Not here: what a file's name may hold (file-name.ts).
import type { Clock } from '../../core/clock.ts'
import { localTime } from '../record/conversation.ts'
import { current } from '../record/history.ts'
import type { ChatRecord } from '../record/record.ts'
import { type FileName, fitName, readFileName, withoutServer } from './file-name.ts'

const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/
const LONGEST = 60

/** Its title; until it has one, the beginning of its first question. */
export function titleOf({ meta, history }: ChatRecord): string | undefined {
  return meta.title ?? lineOf(current(history).turns.find(({ role }) => role === 'user')?.text)
}

/** What its file is called by: where nothing was asked yet, by what is being written. */
function nameOf(record: ChatRecord): string | undefined {
  return titleOf(record) ?? lineOf(record.meta.draft?.text)
}

function lineOf(words: string | undefined): string | undefined {
  const line = words?.split('\n').find((text) => /[\p{L}\p{N}]/u.test(text))
  if (line === undefined) return undefined
  const characters = Array.from(new Intl.Segmenter().segment(line.trim()), ({ segment }) => segment)
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST).join('').trimEnd()}…` : characters.join('')
}

/** When it was begun, `YYYY-MM-DD HH:MM:SS`. */
export function createdOf({ meta, history }: ChatRecord, clock: Clock): string {
  const times = [meta.created, ...current(history).turns.map(({ at }) => at)]
  return times.find((time) => time !== undefined && TIME.test(time)) ?? localTime(clock.now())
}

export function fileNameOf(record: ChatRecord, created: string): FileName {
  const answered = current(record.history).turns.findLast((turn) => turn.model !== undefined)?.model
  return { name: nameOf(record) ?? '', model: withoutServer(record.meta.model ?? answered ?? ''), created }
}

/** The record of a file, called as the file is: whoever renamed it by hand has named the chat. */
export function calledAs(file: string, record: ChatRecord): ChatRecord {
  const name = readFileName(file)?.name ?? file.replace(/\.txt$/, '')
  const title = nameOf(record)
  if (title !== undefined && fitName(title) === fitName(name)) return record
  return { ...record, meta: { ...record.meta, title: name, titled: 'person' } }
}
