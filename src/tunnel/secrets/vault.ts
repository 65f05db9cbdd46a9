// Secrets in a file of our own, where no keyring answers: sealed under a passphrase that is asked for when one of them is
// needed, and kept in memory then. The file's form is in secrets-file.ts.
import { PluginError } from '../../core/errors.ts'
import type { Prompts } from '../transport.ts'
import { COST, deriveKey, newSalt, type ScryptCost, seal, unseal } from './sealing.ts'
import type { SealedSecrets, SecretsFile } from './secrets-file.ts'

export interface VaultOptions {
  file: SecretsFile
  prompts: Pick<Prompts, 'secret'>
  /** Smaller in tests only. */
  cost?: ScryptCost | undefined
}

const TRIES = 3
const CHECK = 'check'

export class Vault {
  readonly #options: VaultOptions
  #key: { salt: string; key: Buffer } | undefined
  /** After so many wrong passphrases the entries are not used any more, until the user asks to keep something. */
  #isGivenUp = false

  constructor(options: VaultOptions) {
    this.#options = options
  }

  /**
   * A sealed secret; `undefined` when there is none of this name, or the passphrase was not given.
   * @throws PluginError SECRETS_UNREADABLE when it was changed; the signal's reason.
   */
  async get(name: string, signal: AbortSignal): Promise<string | undefined> {
    const { sealed } = await this.#options.file.read()
    const entry = sealed?.entries[name]
    if (!sealed || !entry || this.#isGivenUp) return undefined
    const key = await this.#unlock(sealed, signal)
    if (!key) {
      this.#isGivenUp = true
      return undefined
    }
    const secret = unseal(key, name, entry)
    if (secret !== undefined) return secret
    throw new PluginError(
      'SECRETS_UNREADABLE',
      `The kept ${name} in ${this.#options.file.path} was damaged or changed`,
      {
        hint: 'It is not used. Type it, and keep it anew with :Ollama remember.',
      },
    )
  }

  /**
   * Seals all of these besides what is there; asks for a new passphrase, twice, when nothing is.
   * @throws PluginError SECRETS_UNREADABLE, CANCELLED; the signal's reason.
   */
  async keep(secrets: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
    const { file } = this.#options
    const before = (await file.read()).sealed ?? (await this.#found(signal))
    const key = await this.#unlock(before, signal)
    if (!key) throw wrong(file.path)
    this.#isGivenUp = false
    const added = [...secrets].map(([name, secret]) => [name, seal(key, name, secret)] as const)
    await file.change(({ sealed = before, ...rest }) => {
      if (sealed.salt !== before.salt) throw wrong(file.path)
      return { ...rest, sealed: { ...sealed, entries: { ...sealed.entries, ...Object.fromEntries(added) } } }
    })
  }

  /** Forgets the passphrase too. */
  lock(): void {
    this.#key = undefined
    this.#isGivenUp = false
  }

  /** What a new file begins with. */
  async #found(signal: AbortSignal): Promise<SealedSecrets> {
    const { cost = COST, file } = this.#options
    const passphrase = await this.#askNew(signal, file.path)
    const salt = newSalt()
    const key = await deriveKey(passphrase, salt, cost)
    this.#key = { salt: salt.toString('base64'), key }
    return { salt: this.#key.salt, cost, check: seal(key, CHECK, CHECK), entries: {} }
  }

  async #askNew(signal: AbortSignal, path: string): Promise<string> {
    let detail = `No keyring answers, so the secrets go encrypted into ${path}`
    for (;;) {
      const first = await this.#ask('New passphrase for the kept secrets', detail, signal)
      const second = await this.#ask('The same passphrase once more', detail, signal)
      if (first !== '' && first === second) return first
      detail = first === second ? 'It must not be empty' : 'The two were not the same'
    }
  }

  /** The key, asked for at most three times; `undefined` when it was wrong every time or the user cancelled. */
  async #unlock(sealed: SealedSecrets, signal: AbortSignal): Promise<Buffer | undefined> {
    if (this.#key?.salt === sealed.salt) return this.#key.key
    for (let left = TRIES; left > 0; left--) {
      const words = `Wrong passphrase; ${left} ${left === 1 ? 'try' : 'tries'} left`
      const detail = left === TRIES ? `They are in ${this.#options.file.path}` : words
      const passphrase = await this.#options.prompts.secret({ title: 'Passphrase of the kept secrets', detail }, signal)
      if (passphrase === undefined) return undefined
      const key = await deriveKey(passphrase, Buffer.from(sealed.salt, 'base64'), sealed.cost)
      if (unseal(key, CHECK, sealed.check) === CHECK) {
        this.#key = { salt: sealed.salt, key }
        return key
      }
    }
    return undefined
  }

  async #ask(title: string, detail: string, signal: AbortSignal): Promise<string> {
    const answer = await this.#options.prompts.secret({ title, detail }, signal)
    if (answer !== undefined) return answer
    throw new PluginError('CANCELLED', 'Nothing was kept')
  }
}

function wrong(path: string): PluginError {
  return new PluginError('SECRETS_UNREADABLE', `The kept secrets in ${path} were not opened, so nothing was added`, {
    hint: ':Ollama remember asks for the passphrase again; :Ollama forget removes all that is kept.',
  })
}
