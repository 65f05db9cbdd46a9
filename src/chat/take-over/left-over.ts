// The chats that Neovims which are gone have left over, as a list to choose from.
import type { LeftOver } from '../../rpc/shapes.ts'
import type { Journals, LeftJournal } from '../journal/journals.ts'
import { current } from '../record/history.ts'
import { leftBehind } from '../store/left-behind.ts'
import { draftOf } from './take-over.ts'

export async function leftOvers(journals: Pick<Journals, 'left' | 'drop'>): Promise<LeftOver[]> {
  return (await leftBehind(journals)).map(leftOverOf)
}

export function leftOverOf({ key, record, changed }: Omit<LeftJournal, 'isFiled'>): LeftOver {
  const { turns } = current(record.history)
  const { title, model } = record.meta
  const draft = draftOf(record.meta)?.text ?? ''
  const first = turns.find(({ role }) => role === 'user')?.text ?? draft
  const last = draft.trim() === '' ? turns.findLast(({ role }) => role === 'user')?.text : draft
  return {
    key,
    title: title ?? lineOf(first.trim().split('\n', 1)[0]),
    ...(model === undefined ? {} : { model }),
    turns: turns.length,
    last: lineOf(last),
    changed,
  }
}

const LONGEST_LINE = 200

function lineOf(text = ''): string {
  return text.trim().slice(0, LONGEST_LINE).replace(/\s+/g, ' ')
}
