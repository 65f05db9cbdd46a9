// The contract between whoever carries bytes (ssh2, openssh, a plain socket) and whoever speaks HTTP over them.
import type { Duplex } from 'node:stream'
import type { PluginError } from '../core/errors.ts'
import type { ConnectionState } from './connection-states.ts'

/** Carries byte streams to a server's network. */
export interface Transport {
  /**
   * Opens one stream to `host:port` as seen from the far end; a host that begins with `/` is a unix socket's path there,
   * and the port is not heeded.
   * The stream is a well-behaved Duplex: `destroy()` ends it at once, loss of the link is an `'error'`, never a clean end.
   * @throws PluginError SSH_* or API_UNAVAILABLE; the signal's reason when aborted.
   */
  open(host: string, port: number, signal?: AbortSignal): Promise<Duplex>
  /** Ends the link and every stream in it; idempotent. */
  close(): void
}

/** How a connection that is up came to be, for whoever looks at its server. */
export interface ConnectionFacts {
  transport: 'ssh2' | 'openssh'
  /** Why this transport was taken, when it is not the one that is taken by default. */
  reason?: string
  /** `user@host:port`, with ` via ` and the hops before it where there are any. */
  address: string
  /** What let us in, as `agent key SHA256:…`, `key ~/.ssh/id_ed25519`, `password`; as far as it is known. */
  login?: string
  /** How the server names itself, as `SSH-2.0-OpenSSH_9.2p1`. */
  banner?: string
}

/** What came of a command at the far end. */
export interface CommandResult {
  /** `null` when a signal ended it. */
  code: number | null
  output: Uint8Array
}

/** A connection that is up; it comes up only once, and a lost one is replaced by a new one. */
export interface Session {
  open(host: string, port: number, signal?: AbortSignal): Promise<Duplex>
  /** Asks the far end for any sign of life: resolves when one came. Rejects when the connection is over, or with the signal's reason. */
  probe(signal: AbortSignal): Promise<void>
  /**
   * Runs a command in the user's shell there, with nothing on its input; absent where a transport cannot.
   * @throws PluginError SSH_CHANNEL_ERROR; the signal's reason when aborted, which leaves the command to its end.
   */
  run?(command: string, signal: AbortSignal): Promise<CommandResult>
  /** Resolves once, with why it is over; never rejects. */
  readonly closed: Promise<PluginError>
  readonly facts: ConnectionFacts
  /** When the far end was last heard of, in milliseconds since the epoch; absent where a transport cannot know. */
  readonly heardAt?: number | undefined
  /**
   * Says goodbye and closes all that belongs to it, child processes too; idempotent.
   * With a reason, it is taken for dead: nothing is waited for, and its streams fail with that reason.
   */
  end(reason?: PluginError): void
}

/** Where a server's link stands now. Times in milliseconds, moments since the epoch. */
export interface LinkStatus {
  /** A server without ssh is always `ready`: there is nothing to bring up. */
  state: ConnectionState
  /** When the state began. */
  since: number
  /** How often it was tried since it was last ready, the running attempt included. */
  attempts: number
  /** When it is tried again; in the state `waiting` only. */
  retryAt?: number
  /** As the last probe of the connection that is up measured it. */
  roundTripMs?: number
  /** Why it is lost or failed, or what it waits after. */
  error?: PluginError
  /** Of the connection that is up. */
  facts?: ConnectionFacts
}

/** A stage of the way to a server that an attempt has put behind it. */
export interface Milestone {
  stage: 'configuration' | 'resolve' | 'tcp' | 'host-key' | 'authentication'
  /** Which host of the way it concerns, as `user@host:port`. */
  hop: string
  /** What was found there, in a few words. */
  detail?: string
}

/** Where a link stands while somebody waits for it; shown to the user as the phase. */
export type LinkPhase = 'connecting' | 'authenticating'

export interface ReadyOptions {
  signal?: AbortSignal
  onPhase?: (phase: LinkPhase) => void
  /** Nobody is there to be asked: an attempt that would ask is given up. */
  isUnattended?: boolean
}

/** A link that must be brought up before streams can be opened in it. */
export interface Link extends Transport {
  /**
   * Brings the link up when it is not; every caller waits for the same attempt.
   * An aborted caller stops waiting; the attempt itself goes on for the others.
   * To be called before each request: a link that has been silent is looked at, and a dead one is made anew.
   */
  ready(options?: ReadyOptions): Promise<void>
  /** An answer came through it: a link that carries answers and dies is not one that cannot stand. */
  answered?(): void
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
