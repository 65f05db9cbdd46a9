// The system's keyring: Secret Service, Keychain or Credential Manager. The only door to @napi-rs/keyring, which is
// optional and loaded on first need.
import type { AsyncEntry, EntryOptions } from '@napi-rs/keyring'

/** What is needed of the library. */
export interface KeyringLibrary {
  AsyncEntry: new (
    service: string,
    name: string,
    options?: EntryOptions,
  ) => Pick<AsyncEntry, 'getPassword' | 'setPassword' | 'deleteCredential'>
}

const SERVICE = 'ollama-remote.nvim'

/** Without it a machine that has no Secret Service would keep them in the kernel, until the next boot only. */
const OPTIONS: EntryOptions = { linux: { store: 'secret-service' } }

/** Every method throws the keyring's own error when it does not answer, or when the library is not there. */
export class Keyring {
  readonly #load: () => Promise<KeyringLibrary>

  constructor(load: () => Promise<KeyringLibrary> = loadLibrary) {
    this.#load = load
  }

  async get(name: string, signal?: AbortSignal): Promise<string | undefined> {
    return (await (await this.#entry(name)).getPassword(signal)) ?? undefined
  }

  async set(name: string, secret: string): Promise<void> {
    await (await this.#entry(name)).setPassword(secret)
  }

  /** A secret that is not there is deleted already. */
  async delete(name: string): Promise<void> {
    await (await this.#entry(name)).deleteCredential()
  }

  async #entry(name: string) {
    const { AsyncEntry } = await this.#load()
    return new AsyncEntry(SERVICE, name, OPTIONS)
  }
}

async function loadLibrary(): Promise<KeyringLibrary> {
  const library = await import('@napi-rs/keyring')
  return (library as { default?: KeyringLibrary }).default ?? library
}
