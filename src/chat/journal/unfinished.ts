// Journals that were being begun anew when their host was killed: removed when nothing stands there that is not elsewhere, else
// made journals, so that they are offered. Not here: how one is begun (journal-file.ts).
import { randomUUID } from 'node:crypto'
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChatRecord } from '../record/record.ts'
import { ENDING, UNFINISHED } from './journal-file.ts'
import { replay } from './lines.ts'
import type { Trace } from './owner.ts'

/** One that was cut short does not tell whose it is; nobody takes so long. */
const CUT_SHORT_MS = 24 * 60 * 60 * 1_000

export interface UnfinishedDeps {
  folder: string
  now: number
  /** Whether such a journal is somebody's. */
  isTaken(found: Pick<ReturnType<typeof replay>, 'owner'>, trace: Trace): Promise<boolean>
  /** What stands in all journals, of living Neovims too. */
  records: readonly ChatRecord[]
  /** Names of the journals' files. */
  names: readonly string[]
}

/** @returns whether there are more journals now. Never rejects. */
export async function settleUnfinished(deps: UnfinishedDeps): Promise<boolean> {
  const { folder } = deps
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(ENDING + UNFINISHED))
  let isMore = false
  for (const name of names) {
    const path = join(folder, name)
    const what = await judged(path, name, deps).catch(() => 'leave')
    if (what === 'remove') await rm(path, { force: true }).catch(() => {})
    if (what !== 'offer') continue
    isMore = await rename(path, join(folder, randomUUID() + ENDING)).then(
      () => true,
      () => isMore,
    )
  }
  return isMore
}

async function judged(
  path: string,
  name: string,
  { isTaken, now, records, names }: UnfinishedDeps,
): Promise<'leave' | 'remove' | 'offer'> {
  const { mtimeMs: touched } = await stat(path)
  const text = await readFile(path, 'utf8')
  const { owner, record } = replay(text)
  if (owner === undefined) {
    if (now - touched < CUT_SHORT_MS) return 'leave'
    // It was to take the place of one that holds as much.
    return text === '' || names.includes(name.slice(0, -UNFINISHED.length)) ? 'remove' : 'offer'
  }
  if (await isTaken({ owner }, { touched, now })) return 'leave'
  return records.some((other) => isAllIn(record, other)) ? 'remove' : 'offer'
}

/** Whether all words of the one are in the other, which may have gone on. */
function isAllIn(record: ChatRecord, other: ChatRecord): boolean {
  const known = wordsIn(other)
  return wordsIn(record).every((words) => known.some((whole) => whole.startsWith(words)))
}

function wordsIn({ meta, history }: ChatRecord): string[] {
  const said = history.entries.flatMap(({ turn: { text, thinking = '' } }) => [text, thinking])
  return [...said, meta.draft?.text ?? '', meta.draft?.aside ?? '', ...(meta.queue ?? [])].filter(
    (words) => words !== '',
  )
}
