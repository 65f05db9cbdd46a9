// Secrets of the session in memory, and at rest on the user's word only: in the system's keyring, else in a vault.
import { PluginError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Prompts } from '../transport.ts'
import { Keyring } from './keyring.ts'
import type { ScryptCost } from './sealing.ts'
import type { Secrets } from './secrets.ts'
import { SecretsFile } from './secrets-file.ts'
import { Vault } from './vault.ts'

export interface KeeperOptions {
  prompts: Pick<Prompts, 'secret'>
  log: Log
  /** Path of the file of the secrets at rest; known only after the handshake. */
  file: () => string
  /** Tells of a kept secret that cannot be used. */
  onNotice: (text: string) => void
  /** Called once, when the first typed secret was accepted. */
  onFirstSecret: () => void
  keyring?: Keyring | undefined
  /** Smaller in tests only. */
  cost?: ScryptCost | undefined
}

export class SecretKeeper implements Secrets {
  readonly #options: KeeperOptions
  readonly #memory = new Map<string, string>()
  /** What is known to be at rest, with its value. */
  readonly #atRest = new Map<string, string>()
  readonly #keyring: Keyring
  readonly #file: SecretsFile
  readonly #vault: Vault
  /** One after the other: nobody shall be asked twice for one passphrase. */
  #lastLoad: Promise<unknown> = Promise.resolve()
  /** The end of the last turn at each secret. */
  readonly #turns = new Map<string, Promise<void>>()
  #hasHinted = false

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#keyring = options.keyring ?? new Keyring()
    this.#file = new SecretsFile(options.file)
    this.#vault = new Vault({ file: this.#file, prompts: options.prompts, cost: options.cost })
  }

  /** What is in memory alone: nothing is opened for it, and nobody is asked. */
  get ofSession(): Secrets {
    return {
      get: (name) => this.#memory.get(name),
      set: (name, secret) => this.set(name, secret),
      delete: (name) => this.delete(name),
    }
  }

  async get(name: string, signal?: AbortSignal): Promise<string | undefined> {
    const known = this.#memory.get(name)
    if (known !== undefined) return known
    const load = this.#lastLoad.then(
      () => this.#memory.get(name) ?? untilDone((own) => this.#load(name, signal ?? own)),
    )
    this.#lastLoad = load.catch(() => {})
    return load
  }

  peek(name: string): string | undefined {
    return this.#memory.get(name)
  }

  set(name: string, secret: string): void {
    const isNew = this.#memory.get(name) !== secret
    this.#memory.set(name, secret)
    if (!isNew || this.#hasHinted || this.#atRest.get(name) === secret) return
    this.#hasHinted = true
    this.#options.onFirstSecret()
  }

  /** A secret at rest that was never tried, since it could not be opened, stays. */
  delete(name: string): void {
    const refused = this.#memory.get(name)
    this.#memory.delete(name)
    if (refused === undefined || this.#atRest.get(name) !== refused) return
    this.#options.log.info('a kept secret was refused and is dropped', { name })
    this.#drop([name]).catch((error: unknown) => this.#tell(name, error))
  }

  inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work)
    const end = turn.then(
      () => {},
      () => {},
    )
    this.#turns.set(name, end)
    end.then(() => {
      if (this.#turns.get(name) === end) this.#turns.delete(name)
    })
    return turn
  }

  /**
   * Keeps at rest all that the session holds.
   * @returns the names, and the place: `keyring`, or the path of the file.
   * @throws PluginError SECRETS_UNREADABLE, CANCELLED
   */
  async remember(): Promise<{ names: string[]; place: string }> {
    const secrets = new Map(this.#memory)
    if (secrets.size === 0) return { names: [], place: '' }
    await this.#file.read()
    const place = (await this.#keepInKeyring(secrets)) ? 'keyring' : this.#file.path
    if (place !== 'keyring') await untilDone((signal) => this.#vault.keep(secrets, signal))
    for (const [name, secret] of secrets) this.#atRest.set(name, secret)
    this.#options.log.info('secrets are kept', { names: [...secrets.keys()], place })
    return { names: [...secrets.keys()], place }
  }

  /**
   * Removes everything everywhere: memory, keyring, file, a damaged one too.
   * @returns the names of what was removed.
   * @throws PluginError SECRETS_UNREADABLE for what could not be removed; memory is empty even then.
   */
  async forget(): Promise<{ names: string[] }> {
    const inMemory = [...this.#memory.keys()]
    this.#memory.clear()
    this.#vault.lock()
    const kept = await this.#file.read().catch(() => undefined)
    if (kept === undefined) return this.#forgetDamaged(inMemory)
    const { keyring, sealed } = kept
    const names = new Set([...inMemory, ...keyring, ...Object.keys(sealed?.entries ?? {})])
    await this.#drop([...names])
    this.#options.log.info('secrets are forgotten', { names: [...names] })
    return { names: [...names] }
  }

  async #forgetDamaged(inMemory: readonly string[]): Promise<{ names: string[] }> {
    const inKeyring = await this.#file.remove()
    this.#atRest.clear()
    const outcomes = await Promise.allSettled(inKeyring.map((name) => this.#keyring.delete(name)))
    const gone = inKeyring.filter((_, index) => outcomes[index]?.status === 'fulfilled')
    this.#options.log.warn('a damaged file of secrets is removed', { path: this.#file.path, inKeyring, gone })
    return { names: [...new Set([...inMemory, ...gone]), `the damaged file ${this.#file.path}`] }
  }

  async #load(name: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const { keyring, sealed } = await this.#file.read()
      const isInVault = Object.hasOwn(sealed?.entries ?? {}, name)
      if (!isInVault && !keyring.includes(name)) return undefined
      const secret = await (isInVault ? this.#vault : this.#keyring).get(name, signal)
      signal.throwIfAborted()
      if (secret === undefined) return undefined
      this.#memory.set(name, secret)
      this.#atRest.set(name, secret)
      return secret
    } catch (error) {
      signal.throwIfAborted()
      this.#tell(name, error)
      return undefined
    }
  }

  /** All of them or none; a keyring that does not answer is no failure. */
  async #keepInKeyring(secrets: ReadonlyMap<string, string>): Promise<boolean> {
    const kept: string[] = []
    try {
      for (const [name, secret] of secrets) {
        await this.#keyring.set(name, secret)
        kept.push(name)
      }
    } catch (error) {
      this.#options.log.info('no keyring answers', { error })
      await Promise.allSettled(kept.map((name) => this.#keyring.delete(name)))
      return false
    }
    await this.#file.change(({ keyring, sealed, ...rest }) => ({
      ...rest,
      keyring: [...new Set([...keyring, ...kept])],
      ...(sealed ? { sealed: without(sealed, kept) } : {}),
    }))
    return true
  }

  /** What the keyring does not give up stays in the file's list, so that it can be removed another time. */
  async #drop(names: readonly string[]): Promise<void> {
    const inKeyring = (await this.#file.read()).keyring.filter((name) => names.includes(name))
    const outcomes = await Promise.allSettled(inKeyring.map((name) => this.#keyring.delete(name)))
    const stuck = inKeyring.filter((_, index) => outcomes[index]?.status === 'rejected')
    const gone = names.filter((name) => !stuck.includes(name))
    for (const name of gone) this.#atRest.delete(name)
    await this.#file.change(({ keyring, sealed, ...rest }) => ({
      ...rest,
      keyring: keyring.filter((name) => !gone.includes(name)),
      ...(sealed ? { sealed: without(sealed, names) } : {}),
    }))
    if (stuck.length === 0) return
    throw new PluginError('SECRETS_UNREADABLE', `The keyring does not answer, so it still holds: ${stuck.join(', ')}`, {
      hint: 'Unlock it and say :Ollama forget again.',
    })
  }

  /** The error of a keyring may hold anything, so only one of ours is shown; none holds a secret. */
  #tell(name: string, error: unknown): void {
    this.#options.log.warn('a kept secret cannot be used', { name, error })
    const isOurs = error instanceof PluginError
    this.#options.onNotice(isOurs ? error.message : `The keyring does not answer, so the kept ${name} cannot be used`)
  }
}

/** A signal that ends with the work, so that whoever watches it knows that nothing more is asked. */
async function untilDone<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  try {
    return await work(over.signal)
  } finally {
    over.abort()
  }
}

function without<Sealed extends { entries: Record<string, unknown> }>(
  sealed: Sealed,
  names: readonly string[],
): Sealed {
  const entries = Object.entries(sealed.entries).filter(([name]) => !names.includes(name))
  return { ...sealed, entries: Object.fromEntries(entries) }
}
