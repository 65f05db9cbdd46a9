// Which saved chats are living ones, of this Neovim or another, so that no two ever write one file.
// A claim is a small file that only one can make; one whose owner is gone is nobody's.
import { createHash } from 'node:crypto'
import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { isAlive, isSameOwner, type Owner, ownerSchema } from '../journal/owner.ts'
import { makeFolder } from './disk.ts'
import { inUse } from './failures.ts'

export interface ClaimsDeps {
  /** Known only after the handshake. */
  folder(): string
  /** Whose the chats are: the Neovim, which outlives its hosts. */
  owner(): Promise<Owner>
  clock: Clock
}

/** A claim that is being written has no owner yet; one that stays so was never finished. */
const UNFINISHED_MS = 5_000
const ENDING = '.claim'
const HEIR = '.heir'

export class Claims {
  readonly #deps: ClaimsDeps
  readonly #ours = new Set<string>()
  /** Whoever claims waits for it. */
  #sweeping: Promise<unknown> = Promise.resolve()

  constructor(deps: ClaimsDeps) {
    this.#deps = deps
  }

  /** Until it is released, only this chat writes the file. @throws PluginError CHAT_IN_USE; the system's own error */
  async claim(file: string): Promise<void> {
    if (this.#ours.has(file)) throw inUse(file, 'here')
    this.#ours.add(file)
    await this.#sweeping
    try {
      await makeFolder(this.#deps.folder())
      if (!(await this.#make(file)) && !(await this.#takeOver(file))) throw inUse(file, 'elsewhere')
    } catch (error) {
      this.#ours.delete(file)
      throw error
    }
  }

  async release(file: string): Promise<void> {
    if (this.#ours.delete(file)) await rm(this.#path(file), { force: true }).catch(() => {})
  }

  /** Removes what Neovims that are gone have claimed. What an earlier host of this one did, is for its chats to go on with. Never rejects. */
  sweep(): Promise<void> {
    const swept = this.#sweep().catch(() => {})
    this.#sweeping = swept
    return swept
  }

  /** All that are living, and where. */
  async open(): Promise<Map<string, 'here' | 'elsewhere'>> {
    const folder = this.#deps.folder()
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(ENDING))
    const found = await Promise.all(names.map((name) => this.#read(join(folder, name))))
    const living = found.flatMap((claim) => (claim?.isLiving && claim.file !== undefined ? [claim.file] : []))
    const elsewhere = living.map((file) => [file, 'elsewhere'] as const)
    return new Map([...elsewhere, ...[...this.#ours].map((file) => [file, 'here'] as const)])
  }

  /** Exclusive: of several, one makes it. */
  async #make(file: string, path = this.#path(file)): Promise<boolean> {
    const handle = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    if (!handle) return false
    try {
      await handle.writeFile(JSON.stringify({ file, owner: await this.#deps.owner() }))
      return true
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await handle.close()
    }
  }

  async #sweep(): Promise<void> {
    const folder = this.#deps.folder()
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(ENDING))
    for (const path of names.map((name) => join(folder, name))) {
      const claim = await this.#read(path)
      if (claim && !claim.isLiving && !claim.isEarlier) await this.#asHeir(path, async () => true)
    }
  }

  #takeOver(file: string): Promise<boolean> {
    return this.#asHeir(this.#path(file), () => this.#make(file))
  }

  /** Of several who find a dead owner's claim, one removes it: the one that makes this second claim. */
  async #asHeir(path: string, then: () => Promise<boolean>): Promise<boolean> {
    if ((await this.#read(path))?.isLiving) return false
    const second = path + HEIR
    if (!(await this.#make('', second))) {
      // Held for no longer than it takes to remove a file, or its owner died just then. One that is gone may be another's now.
      const found = await this.#read(second)
      if (found && !found.isLiving) await rm(second, { force: true })
      return false
    }
    try {
      const found = await this.#read(path)
      if (found?.isLiving) return false
      // Where there was none, somebody may have made one since.
      if (found) await rm(path, { force: true })
      return await then()
    } finally {
      await rm(second, { force: true })
    }
  }

  /** `undefined` when there is none. One of an earlier host of this Neovim's is nobody's. */
  async #read(path: string): Promise<{ file?: string; isLiving: boolean; isEarlier?: boolean } | undefined> {
    const { now } = this.#deps.clock
    try {
      const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
      const { file, owner } = parseJson(text)
      if (owner === undefined || path.endsWith(HEIR)) return { isLiving: now() - mtimeMs < UNFINISHED_MS }
      const isEarlier = isSameOwner(owner, await this.#deps.owner())
      const isLiving = !isEarlier && (await isAlive(owner, { touched: mtimeMs, now: now() }))
      return { ...(file === undefined ? {} : { file }), isLiving, isEarlier }
    } catch {
      return undefined
    }
  }

  /** A file's name may be as long as names may be. */
  #path(file: string): string {
    return join(this.#deps.folder(), createHash('sha256').update(file).digest('hex') + ENDING)
  }
}

function parseJson(text: string): { file?: string; owner?: Owner } {
  try {
    const { file, owner } = JSON.parse(text) as { file?: unknown; owner?: unknown }
    const read = ownerSchema.safeParse(owner)
    return { ...(typeof file === 'string' ? { file } : {}), ...(read.success ? { owner: read.data } : {}) }
  } catch {
    return {}
  }
}
