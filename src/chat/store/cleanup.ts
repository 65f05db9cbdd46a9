// The daily look at what is kept: chats that are too old go to the trash, and what nobody needs goes for good.
import { appendFile, lstat, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { localTime } from '../record/conversation.ts'
import type { Claims } from './claims.ts'
import { UNFINISHED } from './disk.ts'
import { readFileName } from './file-name.ts'
import { type LeftBehindDeps, leftBehind, throwAway } from './left-behind.ts'
import { isOurs, type Listed, listed } from './listing.ts'
import type { Trash } from './trash.ts'

export interface CleanupDeps {
  /** For all that is kept at rest. */
  dataFolder(): string
  chats(): string
  trash: Trash
  claims: Claims
  /** With the chats that were left over. */
  journals: LeftBehindDeps['journals']
  clock: Clock
}

const DAY_MS = 24 * 60 * 60 * 1_000
const LOG_BYTES = 256 * 1024

/**
 * At most once a day on one machine, whatever asks for it; but whose each file is, is looked at each time. Only files that the plugin wrote are moved, and none that is open.
 * @param keepDays since a chat was last written; `false` for ever
 * @returns how many chats were moved @throws PluginError STORE_UNWRITABLE, STORE_UNREADABLE, STORE_FULL
 */
export async function cleanUp(keepDays: number | false, deps: CleanupDeps): Promise<number> {
  await deps.claims.sweep()
  if (!(await isDue(deps))) return 0
  await deps.trash.empty()
  await removeUnfinished(deps)
  if (keepDays === false) return 0
  const old = await tooOld(keepDays, deps)
  const { files, batch } = await deps.trash.take(
    old.map(({ file }) => file),
    'cleanup',
  )
  const moved = new Set(files)
  await writeDown(
    old.filter(({ file }) => moved.has(file)),
    batch,
    deps,
  )
  return files.length + (await throwAwayOld(keepDays, deps))
}

/** @returns how many left-over chats were too old */
async function throwAwayOld(keepDays: number, deps: CleanupDeps): Promise<number> {
  const left = await leftBehind(deps.journals)
  const old = left.filter(({ changed }) => deps.clock.now() - changed > keepDays * DAY_MS)
  const { files, batch } = await throwAway(old, 'cleanup', deps)
  const rows = files.map((file, index) => ({ file, changed: old[index]?.changed ?? 0 }))
  await writeDown(rows, batch, deps, ', which was left over')
  return files.length
}

/** Whoever comes first on a day marks it. */
async function isDue({ dataFolder, clock }: CleanupDeps): Promise<boolean> {
  const mark = join(dataFolder(), 'cleaned')
  const now = clock.now()
  const last = await stat(mark).catch(() => undefined)
  if (last && now - last.mtimeMs < DAY_MS && last.mtimeMs <= now) return false
  await mkdir(dataFolder(), { recursive: true, mode: 0o700 })
  await writeFile(mark, '', { mode: 0o600 })
  await utimes(mark, new Date(now), new Date(now))
  return true
}

async function tooOld(keepDays: number, { chats, claims, clock }: CleanupDeps): Promise<Listed[]> {
  const open = await claims.open()
  const old = (await listed(chats())).filter(
    ({ file, changed }) => clock.now() - changed > keepDays * DAY_MS && !open.has(file),
  )
  const ours: Listed[] = []
  for (const chat of old) if (await isOurs(chats(), chat.file)) ours.push(chat)
  return ours
}

/** What a host that was killed amid a write has left: half a file, or a name without any words. */
async function removeUnfinished({ chats, clock }: CleanupDeps): Promise<void> {
  for (const name of await readdir(chats()).catch(() => [])) {
    const isHalf = name.endsWith(UNFINISHED)
    if (!isHalf && !readFileName(name)) continue
    const path = join(chats(), name)
    const found = await lstat(path).catch(() => undefined)
    const isLeft = found?.isFile() && (isHalf || found.size === 0) && clock.now() - found.mtimeMs > DAY_MS
    if (isLeft) await rm(path, { force: true }).catch(() => {})
  }
}

async function writeDown(
  chats: ReadonlyArray<Pick<Listed, 'file' | 'changed'>>,
  batch: string,
  { dataFolder, clock }: CleanupDeps,
  what = '',
): Promise<void> {
  if (chats.length === 0) return
  const path = join(dataFolder(), 'cleanup.log')
  const now = localTime(clock.now())
  const lines = chats.map(
    ({ file, changed }) => `${now} moved ${file}${what}, last written ${localTime(changed)}, to trash/${batch}\n`,
  )
  const { size = 0 } = (await stat(path).catch(() => undefined)) ?? {}
  if (size > LOG_BYTES) await rename(path, `${path}.1`)
  await appendFile(path, lines.join(''), { mode: 0o600 })
}
