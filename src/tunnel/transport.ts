// The contract between whoever carries bytes (ssh2, openssh, a plain socket) and whoever speaks HTTP over them.
import type { Duplex } from 'node:stream'

/** Carries byte streams to a server's network. */
export interface Transport {
  /**
   * Opens one stream to `host:port` as seen from the far end.
   * The stream is a well-behaved Duplex: `destroy()` ends it at once, loss of the link is an `'error'`, never a clean end.
   * @throws PluginError SSH_* or SERVER_UNREACHABLE; the signal's reason when aborted.
   */
  open(host: string, port: number, signal?: AbortSignal): Promise<Duplex>
  /** Ends the link and every stream in it; idempotent. */
  close(): void
}

/** Where a link stands while somebody waits for it; shown to the user as the phase. */
export type LinkPhase = 'connecting' | 'authenticating'

/** A link that must be brought up before streams can be opened in it. */
export interface Link extends Transport {
  /**
   * Brings the link up when it is not; every caller waits for the same attempt.
   * An aborted caller stops waiting; the attempt itself goes on for the others.
   */
  ready(options?: { signal?: AbortSignal; onPhase?: (phase: LinkPhase) => void }): Promise<void>
}

/** What a link asks of a person. Every method rejects with the signal's reason when the attempt is given up. */
export interface Prompts {
  /** A secret, typed without echo; `undefined` when the user cancels. */
  secret(question: { title: string; detail: string }, signal: AbortSignal): Promise<string | undefined>
  /** A decision between named choices; `undefined` when the user cancels. */
  choose(
    question: { title: string; detail: string; choices: readonly string[] },
    signal: AbortSignal,
  ): Promise<string | undefined>
}
