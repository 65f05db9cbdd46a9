// The file of the secrets at rest: which names the system's keyring holds, and the sealed secrets where there is none.
// Names stand there in the clear, so that nobody is asked for a passphrase in vain. What seals them is in sealing.ts.
import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import * as z from 'zod'
import { PluginError } from '../../core/errors.ts'

const sealed = z.object({ iv: z.base64(), text: z.base64(), tag: z.base64() })

const contents = z.object({
  version: z.literal(1),
  keyring: z.array(z.string()),
  sealed: z
    .object({
      salt: z.base64(),
      // A file that was tampered with must not take all memory there is.
      cost: z.object({
        N: z
          .int()
          .min(2)
          .max(2 ** 20),
        r: z.int().min(1).max(16),
        p: z.int().min(1).max(4),
      }),
      /** Opens with the right passphrase, also when nothing else is there to try it on. */
      check: sealed,
      entries: z.record(z.string(), sealed),
    })
    .optional(),
})

export type KeptSecrets = z.output<typeof contents>
export type SealedSecrets = NonNullable<KeptSecrets['sealed']>

export class SecretsFile {
  readonly #path: () => string
  #lastChange: Promise<void> = Promise.resolve()

  /** @param path known only after the handshake. */
  constructor(path: () => string) {
    this.#path = path
  }

  get path(): string {
    return this.#path()
  }

  /** An absent file is an empty one. @throws PluginError SECRETS_UNREADABLE */
  async read(): Promise<KeptSecrets> {
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw this.#unreadable(error.message, error)
    })
    if (text === undefined) return { version: 1, keyring: [] }
    const parsed = contents.safeParse(parseJson(text))
    if (parsed.success) return parsed.data
    throw this.#unreadable('it is damaged, or was written by a newer version')
  }

  /**
   * Reads, changes and writes atomically with mode 0600, one change after the other. What cannot be read is never
   * overwritten; when nothing is left the file is removed.
   * @throws PluginError SECRETS_UNREADABLE
   */
  change(body: (kept: KeptSecrets) => KeptSecrets): Promise<void> {
    const change = this.#lastChange.then(async () => this.#write(body(await this.read())))
    this.#lastChange = change.catch(() => {})
    return change
  }

  /** Removes the file, whatever is in it, and salvages what it says of the keyring. @throws PluginError SECRETS_UNREADABLE */
  async remove(): Promise<string[]> {
    const text = await readFile(this.path, 'utf8').catch(() => '')
    await rm(this.path, { force: true }).catch((error: Error) => {
      throw this.#unreadable(error.message, error)
    })
    const salvaged = contents.pick({ keyring: true }).safeParse(parseJson(text))
    return salvaged.data?.keyring ?? []
  }

  async #write(kept: KeptSecrets): Promise<void> {
    const isEmpty = kept.keyring.length === 0 && Object.keys(kept.sealed?.entries ?? {}).length === 0
    try {
      if (isEmpty) return await rm(this.path, { force: true })
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
      await writeFileAtomic(this.path, `${JSON.stringify(kept, undefined, 2)}\n`, { mode: 0o600 })
    } catch (error) {
      throw this.#unreadable((error as Error).message, error)
    }
  }

  #unreadable(reason: string, cause?: unknown): PluginError {
    return new PluginError('SECRETS_UNREADABLE', `The kept secrets in ${this.path} cannot be used: ${reason}`, {
      hint: 'Restore it, or remove it with :Ollama forget and keep the secrets anew with :Ollama remember.',
      cause,
    })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
