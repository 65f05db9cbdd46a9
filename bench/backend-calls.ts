// What the bench asks of the far side's process, and what comes back.
import type { Distance } from './delay-proxy.ts'
import type { Plan } from './text.ts'

/** Tokens per second. */
export type Speed = number | 'unbounded'

export type BackendCall =
  /** All prompts from now on are answered so. */
  | { kind: 'answer-with'; plan: Plan; speed: Speed }
  /** The last prompt that was answered with the plan of this label, or nothing. */
  | { kind: 'served'; label: string }
  /** A proxy that makes what is behind it distant; answered with its port. */
  | { kind: 'proxy'; distance: Distance }

/** One prompt as the server saw it; moments are of the monotonic clock, in milliseconds. */
export interface Served {
  /** When the request was wholly there. */
  parsedAt: number
  firstByteAt: number
}

export type BackendReply = { id: number; value: unknown } | { id: number; error: string }
