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
  /** Told when something would be removed for its age, and is not, since the clock cannot be trusted. */
  onJump(why: string): void
}

const DAY_MS = 24 * 60 * 60 * 1_000
const LOG_BYTES = 256 * 1024
/** A clock that has gone on by more than this since the last look may be a wrong one: ages are believed only a day later. */
const JUMP_MS = 7 * DAY_MS

/**
 * At most once a day on one machine, whatever asks for it; but whose each file is, is looked at each time. Only files that the plugin wrote are moved, and none that is open.
 * After a jump of the clock, forwards by more than a week or backwards, nothing is removed that day: a date that was wrong once takes no chat away.
 * @param keepDays since a chat was last written; `false` for ever
 * @returns how many chats were moved @throws PluginError STORE_UNWRITABLE, STORE_UNREADABLE, STORE_FULL
 */
export async function cleanUp(keepDays: number | false, deps: CleanupDeps): Promise<number> {
  await deps.claims.sweep()
  const look = await lookDue(deps)
  if (look === 'done') return 0
  if (look !== 'due') {
    await log([look.jumped], deps)
    if (keepDays !== false && (await tooOld(keepDays, deps)).length > 0) deps.onJump(look.jumped)
    return 0
  }
  await deps.trash.empty()
  await removeUnfinished(deps)
  if (keepDays === false) return 0
  // While the files stand where they were left.
  await leftBehind(deps.journals)
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

/** Whoever comes first on a day marks it. @returns `jumped` with a sentence when the mark of the last look shows that the clock has jumped */
async function lookDue({ dataFolder, clock }: CleanupDeps): Promise<'done' | 'due' | { jumped: string }> {
  const mark = join(dataFolder(), 'cleaned')
  const now = clock.now()
  const last = (await stat(mark).catch(() => undefined))?.mtimeMs
  if (last !== undefined && Math.abs(now - last) < DAY_MS) return 'done'
  await mkdir(dataFolder(), { recursive: true, mode: 0o700 })
  await writeFile(mark, '', { mode: 0o600 })
  await utimes(mark, new Date(now), new Date(now))
  if (last === undefined || (last <= now && now - last <= JUMP_MS)) return 'due'
  const days = Math.round(Math.abs(now - last) / DAY_MS)
  const where = last > now ? 'before' : 'after'
  return {
    jumped: `the clock is ${days} days ${where} the last look, at ${localTime(last)}: nothing is removed for its age today`,
  }
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
  deps: CleanupDeps,
  what = '',
): Promise<void> {
  if (chats.length === 0) return
  const lines = chats.map(
    ({ file, changed }) => `moved ${file}${what}, last written ${localTime(changed)}, to trash/${batch}`,
  )
  await log(lines, deps)
}

async function log(lines: readonly string[], { dataFolder, clock }: CleanupDeps): Promise<void> {
  const path = join(dataFolder(), 'cleanup.log')
  const now = localTime(clock.now())
  const { size = 0 } = (await stat(path).catch(() => undefined)) ?? {}
  if (size > LOG_BYTES) await rename(path, `${path}.1`)
  await appendFile(path, lines.map((line) => `${now} ${line}\n`).join(''), { mode: 0o600 })
}
