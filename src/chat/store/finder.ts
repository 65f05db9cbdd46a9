// The saved chats that a query finds. Who types a longer one goes on where the shorter one was found. Not here: who is told.
import { stat } from 'node:fs/promises'
import { type Listed, listed } from './listing.ts'
import { type Hit, search } from './search.ts'
import { narrows, type Word } from './words.ts'

/** A query that was asked, and where its words are not: by file, how that was then. */
interface Asked {
  words: readonly Word[]
  missed: Map<string, string>
}

interface Shelf {
  chats: Listed[]
  /** When a file of the folder was made, renamed or removed last, before it was listed; milliseconds since the epoch. */
  changed: number
  listedAt: number
}

/** A list is not older than this, for what other programs write into a file is seen nowhere else. */
const LIST_MS = 2_000
/** What was written just before may have been written once more within the same tick of the disk's clock. */
const SETTLED_MS = 2_000

export class Finder {
  readonly #folder: () => string
  /** Each narrows the one before it. */
  #asked: Asked[] = []
  #shelf: Shelf | undefined

  constructor(folder: () => string) {
    this.#folder = folder
  }

  /** As `search`, in all saved chats, newest first. @throws PluginError STORE_UNREADABLE; the signal's reason */
  async *find(words: readonly Word[], signal: AbortSignal): AsyncGenerator<Hit> {
    const folder = this.#folder()
    this.#asked = this.#asked.filter((former) => narrows(words, former.words))
    const missed = new Map(this.#asked.at(-1)?.missed)
    // What was asked before in the same words, or others that mean the same, is known by this now.
    this.#asked = this.#asked.filter((former) => !narrows(former.words, words))
    this.#asked.push({ words, missed })
    const { chats, listedAt } = await this.#list(folder, signal)
    const isMissed = (chat: Listed) => missed.get(chat.file) === stampOf(chat)
    const onMiss = (chat: Listed) => {
      if (listedAt - chat.changed > SETTLED_MS) missed.set(chat.file, stampOf(chat))
    }
    yield* search({ folder, chats, words, isMissed, onMiss }, signal)
  }

  async #list(folder: string, signal: AbortSignal): Promise<Shelf> {
    const listedAt = Date.now()
    const changed = await changeOf(folder)
    const known = this.#shelf
    const isSame = known?.changed === changed && known.listedAt - changed > SETTLED_MS
    if (isSame && listedAt - known.listedAt < LIST_MS) return known
    this.#shelf = undefined
    const shelf = { chats: await listed(folder, signal), changed, listedAt }
    this.#shelf = shelf
    return shelf
  }
}

/** Milliseconds since the epoch; 0 where there is no folder. */
async function changeOf(folder: string): Promise<number> {
  const stats = await stat(folder).catch(() => undefined)
  return stats?.mtimeMs ?? 0
}

function stampOf({ changed, bytes }: Listed): string {
  return `${changed} ${bytes}`
}
