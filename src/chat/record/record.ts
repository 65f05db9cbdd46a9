// All that is known of a chat, as one value: what is kept in its file and in its journal. Pure.
import type { TurnParameters } from './conversation.ts'
import { changed, emptyHistory, type History, type HistoryChange } from './history.ts'

/** What stands in the prompt and was not sent. */
export interface Draft {
  text: string
  /** The turn whose text it is to replace, counted from 1. */
  editing?: number
  /** What stood in the prompt before that edit. */
  aside?: string
}

/** What a chat's requests are made with. */
export type ChatParameters = TurnParameters & {
  /** The system prompt with which the chat begins. */
  system?: string | undefined
}

export interface Meta {
  /** Local time, `YYYY-MM-DD HH:MM:SS`. */
  created?: string
  title?: string
  /** Who gave the title; one that a person gave is never changed by itself. */
  titled?: 'person' | 'model' | 'first-line'
  /** `server:model` of the next prompt. */
  model?: string
  parameters?: ChatParameters
  draft?: Draft
  /** Prompts that wait for the running answer. */
  queue?: readonly string[]
  /** Absolute path of the file it is saved in. */
  file?: string
  /** What a newer version wrote and this one does not know. */
  extra?: Readonly<Record<string, unknown>>
  /** Lines of its file's block that this version does not know. */
  lines?: readonly string[]
}

export interface ChatRecord {
  meta: Meta
  history: History
}

/** A field that is given as `null` is removed. */
export type MetaChange = { type: 'meta'; set: { [Field in keyof Meta]?: Meta[Field] | null } }

export type Change = HistoryChange | MetaChange

export const emptyRecord: ChatRecord = { meta: {}, history: emptyHistory }

/** The record after a change. */
export function changedRecord(record: ChatRecord, change: Change): ChatRecord {
  if (change.type !== 'meta') return { ...record, history: changed(record.history, change) }
  const entries = Object.entries({ ...record.meta, ...change.set })
  return { ...record, meta: Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined)) }
}

/** Whether nothing is in it that a person or a model wrote. */
export function isBlank({ meta, history }: ChatRecord): boolean {
  const written = [meta.draft?.text, meta.draft?.aside, ...(meta.queue ?? [])]
  return history.entries.length === 0 && written.every((text) => text === undefined || text.trim() === '')
}
