// Left-over chats that go to the trash: as files of saved chats, by which they come back. Not here: which of them do.
import type { Clock } from '../../core/clock.ts'
import type { Journals, LeftJournal } from '../journal/journals.ts'
import type { ChatRecord } from '../record/record.ts'
import { draftOf } from '../take-over/take-over.ts'
import { renderChat } from '../transcript/chat-file.ts'
import { fileName } from './file-name.ts'
import { createdOf, fileNameOf } from './naming.ts'
import { isWholeIn } from './opening.ts'
import type { Trash, Why } from './trash.ts'

export interface LeftBehindDeps {
  journals: Pick<Journals, 'left' | 'drop'>
  trash: Pick<Trash, 'put'>
  clock: Clock
}

/** What Neovims that are gone have left over, newest first; one of which everything is in its file, or was when it ended, was ended well, and is removed. */
export async function leftBehind(journals: LeftBehindDeps['journals']): Promise<LeftJournal[]> {
  const left: LeftJournal[] = []
  for (const journal of await journals.left()) {
    if (journal.isFiled || (await isWholeIn(journal.record))) await journals.drop(journal.key)
    else left.push(journal)
  }
  return left
}

/**
 * Moves left-over chats to the trash. They are there before anything of them is removed.
 * @returns the files that they come back as, in their order, and where they are
 * @throws PluginError STORE_UNWRITABLE, STORE_FULL
 */
export async function throwAway(
  left: readonly LeftJournal[],
  why: Why,
  { journals, trash, clock }: LeftBehindDeps,
): Promise<{ files: string[]; batch: string }> {
  const texts = new Map<string, string>()
  for (const { record } of left) texts.set(freeName(record, texts, clock), renderChat(withUnsent(record)))
  const moved = await trash.put(texts, why)
  for (const { key } of left) await journals.drop(key)
  return moved
}

function freeName(record: ChatRecord, taken: ReadonlyMap<string, string>, clock: Clock): string {
  const name = fileNameOf(withUnsent(record), createdOf(record, clock))
  for (let nth = 1; ; nth++) {
    const file = fileName(name, nth)
    if (!taken.has(file)) return file
  }
}

/** A file has no place for prompts that waited; they are a draft again. */
function withUnsent(record: ChatRecord): ChatRecord {
  const draft = draftOf(record.meta)
  return draft ? { ...record, meta: { ...record.meta, draft } } : record
}
