// When a link that was lost or did not come up is tried again by itself: a pure rule. Who waits is connection.ts's.
import type { ErrorCode, PluginError } from '../core/errors.ts'

/** Milliseconds: the longest wait before the second try; it doubles with each further one, up to the cap. */
const BASE_MS = 500
const CAP_MS = 30_000

/** A link that was up so long starts the count anew when it is lost. */
export const STABLE_AFTER_MS = 30_000

/** OpenSSH turns a whole address away for a while after failures, before it says a word (PerSourcePenalties, since 9.8). */
const AFTER_EARLY_DROP_MS = 20_000

/**
 * The failures that may pass by themselves. All others need a person, and servers punish who fails at the same login or
 * host key again and again.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SSH_HOST_NOT_FOUND',
  'SSH_UNREACHABLE',
  'SSH_CONNECTION_TIMEOUT',
  'SSH_DROPPED_EARLY',
  'SSH_CHANNEL_ERROR',
  'SSH_DISCONNECTED',
  'API_UNAVAILABLE',
])

export function mayRetry(error: PluginError): boolean {
  return PASSING.has(error.code)
}

/** Whether even good news, as a network that has changed, does not shorten the wait. */
export function mustWait(error: PluginError | undefined): boolean {
  return error?.code === 'SSH_DROPPED_EARLY'
}

/**
 * Milliseconds until the next try; the first one comes at once, the others after a time drawn evenly from zero to a limit
 * that grows ("full jitter"), so that many hosts do not come back in step.
 * @param tries made by itself since the link was last sound
 * @param random in [0, 1)
 */
export function retryDelay(tries: number, error: PluginError | undefined, random: () => number): number {
  if (mustWait(error)) return Math.round(AFTER_EARLY_DROP_MS * (1 + random() / 2))
  if (tries === 0) return 0
  // Beyond this the power would be infinite, and 0 times that is no number.
  const doublings = Math.min(tries - 1, 16)
  return Math.round(random() * Math.min(CAP_MS, BASE_MS * 2 ** doublings))
}
