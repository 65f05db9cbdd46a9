// All that keeps chats as files, put together: whose each file is, the list of them, the trash, the daily look.
// Not here: the saving of a living chat (saver.ts).
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import type { Owner } from '../journal/owner.ts'
import { Claims } from './claims.ts'
import { cleanUp } from './cleanup.ts'
import { type LeftBehindDeps, leftBehind, throwAway } from './left-behind.ts'
import { SavedChats, type SavedChatsDeps, type SavedHandlers } from './saved-chats.ts'
import { Trash } from './trash.ts'

export interface StoreDeps extends Pick<SavedChatsDeps, 'surface' | 'renameLiving'> {
  /** For all that is kept at rest; known only after the handshake. */
  dataFolder(): string
  /** Whose the chats are: the Neovim, which outlives its hosts. */
  owner(): Promise<Owner>
  journals: LeftBehindDeps['journals']
  clock: Clock
  /** Tells the person what went otherwise than meant. */
  warn(text: string): void
}

export class Store {
  readonly claims: Claims
  readonly #deps: StoreDeps
  readonly #trash: Trash
  readonly #saved: SavedChats

  constructor(deps: StoreDeps) {
    const { dataFolder, owner, clock } = deps
    this.#deps = deps
    this.claims = new Claims({ folder: () => join(dataFolder(), 'claims'), owner, clock })
    this.#trash = new Trash({ folder: () => join(dataFolder(), 'trash'), chats: () => this.folder(), clock })
    this.#saved = new SavedChats({
      ...{ ...deps, folder: () => this.folder(), claims: this.claims, trash: this.#trash },
      settleLeft: () => leftBehind(deps.journals).catch((error: unknown) => deps.warn(String(error))),
    })
  }

  get handlers(): SavedHandlers {
    return this.#saved.handlers
  }

  /** Of the saved chats. */
  folder(): string {
    return join(this.#deps.dataFolder(), 'chats')
  }

  /** As `cleanUp` in cleanup.ts. */
  cleanUp(keepDays: number | false): Promise<number> {
    const { dataFolder, clock, journals, warn } = this.#deps
    return cleanUp(keepDays, {
      ...{ dataFolder, journals, clock },
      chats: () => this.folder(),
      trash: this.#trash,
      claims: this.claims,
      onJump: (why) => warn(`Saved chats: ${why}. If the date is right, that is done tomorrow.`),
    })
  }

  /** Moves a left-over chat to the trash. @returns whether it was there still @throws PluginError STORE_UNWRITABLE, STORE_FULL */
  async throwAway(key: string): Promise<boolean> {
    const { journals, clock } = this.#deps
    const left = (await journals.left()).filter((one) => one.key === key)
    const { files } = await throwAway(left, 'delete', { journals, trash: this.#trash, clock })
    return files.length > 0
  }
}
