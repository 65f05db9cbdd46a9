// A chat's file: the shown version as transcript text, and a block of comments with all else that is known of the chat.
// Not here: the words of either (format.ts, block.ts), and the file itself.
import { atOnce } from '../../core/steps.ts'
import type { Turn } from '../record/conversation.ts'
import { current, type Entry, shownEntries } from '../record/history.ts'
import type { ChatRecord, Meta } from '../record/record.ts'
import { chatLine, type FiledVersions, readBlock, separated, turnLine, versionsLine } from './block.ts'
import { parsing, renderShown } from './format.ts'
import { sumOf } from './hand-edits.ts'
import { FORMAT, metaJson, metaOf } from './metadata.ts'
import { compacted, restored } from './restoration.ts'
import type { RenderTurn } from './turn-cache.ts'
import { renderTurn } from './turn-writer.ts'
import { versionSteps } from './version-list.ts'

export interface ParsedChat {
  record: ChatRecord
  /** What was not as this version writes it, one sentence each. */
  problems: string[]
}

/** What of a record is kept: not the file's own name, the prompts that wait, and turns that are in no version. */
export function renderChat({ meta, history }: ChatRecord, one: RenderTurn = renderTurn): string {
  const kept = compacted(history)
  const shown = shownEntries(kept)
  const hidden = new Set(kept.entries.keys())
  for (const number of shown) hidden.delete(number)
  const versions: FiledVersions = {
    shown: kept.shown,
    versions: kept.versions,
    places: new Map(
      [...kept.entries.entries()].flatMap(([number, { place }]) => (place === number ? [] : [[number, place]])),
    ),
    sums: current(kept).turns.map(sumOf),
  }
  return [
    renderShown(kept, undefined, one),
    chatLine(metaJson(meta)),
    versionsLine(versions, versionSteps(kept.versions)),
    ...[...hidden].map((number) => turnLine(number, one((kept.entries[number] as Entry).turn))),
    ...(meta.lines ?? []).map((line) => `${line}\n`),
  ].join('')
}

/**
 * Reads any text. What `renderChat` wrote comes back as it was; of a text that was changed since, what it shows counts.
 * @returns what was not as this version writes it, one sentence each
 */
export function parseChat(text: string): ParsedChat {
  return atOnce(parsingChat(text))
}

/** As `parseChat`, in steps: a long text is read while others go on. */
export function* parsingChat(text: string): Generator<number, ParsedChat> {
  const { text: shown, lines } = separated(withPlainLines(text))
  yield text.length
  const { conversation, problems } = yield* parsing(shown)
  yield text.length
  const block = readBlock(lines)
  if (block.isDamaged) problems.push('Some of what the file knows besides its text cannot be read; it is kept as it is')
  const format = block.chat?.format
  if (typeof format === 'number' && format > FORMAT)
    problems.push(`The file was written by a newer version (format ${format})`)
  const { history, rest, problems: lost } = restored(conversation.turns, block)
  problems.push(...lost)
  const meta: Meta = block.chat ? metaOf(block.chat) : guessed(conversation.turns)
  return { record: { meta: { ...meta, ...(rest.length === 0 ? {} : { lines: rest }) }, history }, problems }
}

/** What other programs put in: a byte order mark, and other ends of all lines. */
function withPlainLines(text: string): string {
  const marked = text.startsWith('\uFEFF') ? text.slice(1) : text
  const hasOtherEnds = marked.includes('\r\n') && !/(?<!\r)\n/.test(marked)
  return hasOtherEnds ? marked.replaceAll('\r\n', '\n') : marked
}

/** Of a chat that does not tell of itself. */
function guessed(turns: readonly Turn[]): Meta {
  const created = turns.find(({ at }) => at !== '')?.at
  const model = turns.findLast((turn) => turn.model !== undefined)?.model
  return { ...(created === undefined ? {} : { created }), ...(model === undefined ? {} : { model }) }
}
