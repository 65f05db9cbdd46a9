// What a person typed and a server took, by name: `passphrase of /path`, `password of user@host:port`.
// Keeping it at rest is not here.

/** A Map is one that keeps its secrets in memory, for the life of the host. */
export interface Secrets {
  /** `undefined` when none is kept, in memory or at rest. */
  get(name: string): string | undefined | Promise<string | undefined>
  /** Keeps what a server or a key has just taken. */
  set(name: string, secret: string): unknown
  /** Drops what was refused. */
  delete(name: string): unknown
}
