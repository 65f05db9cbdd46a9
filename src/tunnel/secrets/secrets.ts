// What a person typed and a server took, by name: `passphrase of /path`, `password of user@host:port`.
// Keeping it at rest is in keeper.ts.

/** What is known of the machine that a password is for. */
export interface Account {
  user: string
  host: string
  port: number
  hostKeyAlias: string | undefined
  proxyJump: string | undefined
}

/** Two machines may have one address, seen from two places: what tells them apart is in the name. */
export function passwordName({ user, host, port, hostKeyAlias, proxyJump }: Account): string {
  const via = proxyJump === undefined ? '' : ` via ${proxyJump}`
  return `password of ${user}@${hostKeyAlias ?? host}:${port}${via}`
}

/** A Map is one that keeps its secrets in memory, for the life of the host. */
export interface Secrets {
  /**
   * `undefined` when none is kept, in memory or at rest. What is kept at rest may have to be asked for: the login's clock
   * should stand still meanwhile.
   * @throws the signal's reason.
   */
  get(name: string, signal?: AbortSignal): string | undefined | Promise<string | undefined>
  /** What is in memory, for whoever must not have anybody asked; absent where `get` never asks. */
  peek?(name: string): string | undefined
  /** Keeps in memory what a server or a key has just taken. */
  set(name: string, secret: string): unknown
  /** Drops what was refused, at rest too. */
  delete(name: string): unknown
  /**
   * Does the work when nobody else is at this secret: who asks a person for it next finds what was typed before.
   * Without it everybody asks for himself.
   */
  inTurn?<T>(name: string, work: () => Promise<T>): Promise<T>
}
