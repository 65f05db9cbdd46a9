// A folder of saved chats that lives as long as its test.
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ownerOf } from '../../../../src/chat/journal/owner.ts'
import { Claims } from '../../../../src/chat/store/claims.ts'
import { Trash } from '../../../../src/chat/store/trash.ts'
import { type Clock, systemClock } from '../../../../src/core/clock.ts'

export const DAY_MS = 24 * 60 * 60 * 1_000

/** The last line of every chat that the plugin wrote. */
export const BLOCK = '<!-- ◆ chat {"format":1,"title":"locks"} -->\n<!-- ◆ versions {"shown":0} -->\n'

export const chatText = (words: string) => `## ◆ You · 2025-01-22 09:15:34\n\n${words}\n\n${BLOCK}`

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-store-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 }))
  return folder
}

/** Time that goes on from where the test wants it. */
export function clockAt(now: number): Clock & { now: () => number } {
  return { ...systemClock, now: () => now }
}

export async function setUpStore({ now = Date.now() } = {}) {
  const data = await newFolder()
  const chats = join(data, 'chats')
  await mkdir(chats)
  const clock = clockAt(now)
  const claims = claimsIn(data)
  const trash = new Trash({ folder: () => join(data, 'trash'), chats: () => chats, clock })
  /** @param age in days */
  const write = async (file: string, text: string, age = 0) => {
    await writeFile(join(chats, file), text)
    const at = new Date(now - age * DAY_MS)
    await utimes(join(chats, file), at, at)
  }
  const files = async () => (await readdir(chats)).toSorted()
  const read = (file: string) => readFile(join(chats, file), 'utf8')
  return { data, chats, clock, claims, trash, write, files, read }
}

/** The claims of another Neovim, when another process is given. */
export function claimsIn(data: string, pid = process.pid): Claims {
  return new Claims({ folder: () => join(data, 'claims'), owner: () => ownerOf(pid), clock: systemClock })
}
