// The saved chats as a person manages them: listed and searched, looked at, renamed, removed and brought back.
// Not here: the saving of a living chat (saver.ts).
import { join } from 'node:path'
import { PluginError } from '../../core/errors.ts'
import type { Method, Params, Results } from '../../rpc/protocol.ts'
import type { SavedChat } from '../../rpc/shapes.ts'
import type { Claims } from './claims.ts'
import { giveNameBack, makeFolder, moveFile, takeName } from './disk.ts'
import { type Excerpt, excerpt, excerptAround } from './excerpt.ts'
import { inUse, notFound, writeFailure } from './failures.ts'
import { ENDING, fileName, fitName, readFileName, titleIn } from './file-name.ts'
import { Finder } from './finder.ts'
import { chatPath, isOurs, type Listed, listed, listedInParts } from './listing.ts'
import { missingIn } from './search.ts'
import type { Trash } from './trash.ts'
import { type Word, wordsOf } from './words.ts'

type SavedMethod = Extract<Method, `saved.${string}`>
export type SavedHandlers = { [M in SavedMethod]: (params: Params<M>) => Promise<Results[M]> | Results[M] }

/** What the saved chats need of an editor. */
export interface SavedSurface {
  savedFound(walk: number, entries: readonly SavedChat[]): Promise<void>
}

export interface SavedChatsDeps {
  surface: SavedSurface
  /** Known only after the handshake. */
  folder(): string
  claims: Claims
  trash: Trash
  /**
   * Looks which of the chats that were left over are wholly in their files, while these are as they were left.
   * Whatever is done to the files then takes nothing from those.
   */
  settleLeft(): Promise<unknown>
  /** Renames the living chat that has this file; `undefined` when none of this Neovim has. */
  renameLiving(file: string, name: string): Promise<string> | undefined
}

const FIRST_BATCH = 50
const BATCH = 250
/** What was found is told after so long at the latest. */
const TELL_AFTER_MS = 60

export class SavedChats {
  readonly #deps: SavedChatsDeps
  readonly #walks = new Map<number, AbortController>()
  readonly #finder: Finder

  constructor(deps: SavedChatsDeps) {
    this.#deps = deps
    this.#finder = new Finder(deps.folder)
  }

  get handlers(): SavedHandlers {
    return {
      'saved.list': (params) => this.#list(params),
      'saved.cancel': ({ walk }) => this.#cancel(walk),
      'saved.preview': (params) => this.#preview(params),
      'saved.rename': async ({ file, name }) => ({ file: await this.#rename(file, name) }),
      'saved.delete': ({ files }) => this.#delete(files),
      'saved.summary': () => this.#summary(),
      'saved.clear': () => this.#clear(),
      'saved.restore': async () => ({ count: await this.#deps.trash.restore() }),
    }
  }

  async #list({ walk, query = '' }: Params<'saved.list'>): Promise<{ total: number }> {
    this.#cancel(walk)
    const control = new AbortController()
    this.#walks.set(walk, control)
    try {
      const words = wordsOf(query)
      const tell = await this.#teller(walk)
      if (words.length === 0) return { total: await this.#tellAll(tell, control.signal) }
      return { total: await this.#tellHits(words, tell, control.signal) }
    } finally {
      if (this.#walks.get(walk) === control) this.#walks.delete(walk)
    }
  }

  #cancel(walk: number): Record<string, never> {
    this.#walks.get(walk)?.abort(new PluginError('CANCELLED', 'Nobody waits for this list any more'))
    return {}
  }

  async #teller(walk: number): Promise<(chats: readonly Listed[]) => Promise<void>> {
    const open = await this.#deps.claims.open()
    return async (chats) => {
      if (chats.length > 0)
        await this.#deps.surface.savedFound(
          walk,
          chats.map((chat) => withOpen(chat, open.get(chat.file))),
        )
    }
  }

  async #tellAll(tell: (chats: readonly Listed[]) => Promise<void>, signal: AbortSignal): Promise<number> {
    let total = 0
    for await (const part of listedInParts(this.#deps.folder(), signal)) {
      for (let next = 0; next < part.length; ) {
        const batch = part.slice(next, next + (total === 0 ? FIRST_BATCH : BATCH))
        await tell(batch)
        signal.throwIfAborted()
        total += batch.length
        next += batch.length
      }
    }
    return total
  }

  async #preview({ file, lines, query = '' }: Params<'saved.preview'>): Promise<Excerpt> {
    const path = chatPath(this.#deps.folder(), file)
    const words = wordsOf(query)
    if (words.length === 0) return { text: await excerpt(path, lines), above: 0, marks: [] }
    return await excerptAround(path, lines, { found: missingIn(titleIn(file), words), words })
  }

  async #tellHits(
    words: readonly Word[],
    tell: (chats: readonly Listed[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<number> {
    let total = 0
    let batch: Listed[] = []
    let toldAt = performance.now() - TELL_AFTER_MS
    for await (const hit of this.#finder.find(words, signal)) {
      total++
      batch.push(hit)
      if (batch.length < FIRST_BATCH && performance.now() - toldAt < TELL_AFTER_MS) continue
      await tell(batch)
      signal.throwIfAborted()
      batch = []
      toldAt = performance.now()
    }
    await tell(batch)
    return total
  }

  async #rename(file: string, name: string): Promise<string> {
    const { claims, folder, renameLiving } = this.#deps
    const path = chatPath(folder(), file)
    const living = renameLiving(file, name)
    if (living) return living
    await this.#deps.settleLeft()
    await claims.claim(file)
    try {
      return await renamed(folder(), file, name)
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? notFound(path, error) : writeFailure(error, path)
    } finally {
      await claims.release(file)
    }
  }

  async #delete(files: readonly string[]): Promise<{ count: number }> {
    await this.#deps.settleLeft()
    const open = await this.#deps.claims.open()
    for (const file of files) {
      chatPath(this.#deps.folder(), file)
      const where = open.get(file)
      if (where) throw inUse(file, where)
    }
    const { files: moved } = await this.#deps.trash.take(files, 'delete')
    const [first = ''] = files
    if (moved.length === 0) throw notFound(chatPath(this.#deps.folder(), first))
    return { count: moved.length }
  }

  async #summary(): Promise<Results['saved.summary']> {
    const { chats, open } = await this.#clearable()
    const [newest, oldest] = [chats[0], chats.at(-1)]
    const times = newest && oldest ? { newest: newest.changed, oldest: oldest.changed } : {}
    return { count: chats.length, bytes: chats.reduce((sum, { bytes }) => sum + bytes, 0), open, ...times }
  }

  async #clear(): Promise<{ count: number }> {
    await this.#deps.settleLeft()
    const { chats } = await this.#clearable()
    const { files } = await this.#deps.trash.take(
      chats.map(({ file }) => file),
      'clear',
    )
    return { count: files.length }
  }

  /** All that the plugin wrote and that no chat has open, and how many a chat has. */
  async #clearable(): Promise<{ chats: Listed[]; open: number }> {
    const folder = this.#deps.folder()
    const open = await this.#deps.claims.open()
    const all = await listed(folder)
    const chats = all.filter(({ file }) => !open.has(file))
    const ours = await inTurn(chats, ({ file }) => isOurs(folder, file))
    return { chats: chats.filter((_, index) => ours[index]), open: all.length - chats.length }
  }
}

/** Gives a file of nobody's another name, as a person wants it. @throws the system's own error */
export async function renamed(folder: string, file: string, name: string): Promise<string> {
  const ours = readFileName(file)
  const nameFor = (nth: number) =>
    ours ? fileName({ ...ours, name }, nth) : `${fitName(name)}${nth === 1 ? '' : `-${nth}`}${ENDING}`
  if (nameFor(1) === file) return file
  await makeFolder(folder)
  const taken = await takeName(folder, nameFor)
  try {
    await moveFile(join(folder, file), taken)
  } catch (error) {
    await giveNameBack(taken)
    throw error
  }
  return taken.slice(folder.length + 1)
}

function withOpen(chat: Listed, open: SavedChat['open']): SavedChat {
  return open === undefined ? chat : { ...chat, open }
}

/** A few at a time, in order. */
async function inTurn<Item, Result>(items: readonly Item[], ask: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const work = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await ask(items[index] as Item)
  }
  await Promise.all(Array.from({ length: 6 }, work))
  return results
}
