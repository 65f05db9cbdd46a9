// The one shape of every failure that a user may see. Codes are stable: match on them, never on a message.

/** All codes. The part before the first underscore says whose failure it is. */
export const ERROR_CODES = [
  'CONFIG_INVALID',
  'CONFIG_UNREADABLE',
  'CONFIG_BROKEN',
  'CONFIG_UNWRITABLE',
  'SSH_CONFIG_INVALID',
  'SSH_HOST_NOT_FOUND',
  'SSH_UNREACHABLE',
  'SSH_CONNECTION_TIMEOUT',
  'SSH_DROPPED_EARLY',
  'SSH_NO_COMMON_ALGORITHM',
  'SSH_HOST_KEY_UNKNOWN',
  'SSH_HOST_KEY_CHANGED',
  'SSH_HOST_KEY_REVOKED',
  'SSH_KEY_UNSUPPORTED',
  'SSH_PASSPHRASE_WRONG',
  'SSH_AUTH_FAILED',
  'SSH_AUTH_CANCELLED',
  'SSH_FORWARDING_DENIED',
  'SSH_CHANNEL_ERROR',
  'SSH_DISCONNECTED',
  'SSH_UNSUPPORTED',
  'API_UNAVAILABLE',
  'SERVER_NOT_FOUND',
  'SECRETS_UNREADABLE',
  'API_INVALID_MODEL',
  'API_MODEL_UNFIT',
  'API_RATE_LIMITED',
  'API_FORBIDDEN',
  'API_CONTEXT_FULL',
  'API_ERROR',
  'API_PROTOCOL',
  'API_INCOMPLETE',
  'MODEL_NOT_FOUND',
  'PULL_FAILED',
  'PULL_DISK_FULL',
  'PULL_NEEDS_NEWER',
  'REGISTRY_UNREACHABLE',
  'REGISTRY_REFUSED',
  'CHAT_NO_MODEL',
  'CHAT_NO_TURN',
  'CHAT_STOPPED',
  'CHAT_BUSY',
  'CHAT_READ_ONLY',
  'CHAT_IN_USE',
  'STORE_NOT_FOUND',
  'STORE_UNREADABLE',
  'STORE_UNWRITABLE',
  'STORE_FULL',
  'STORE_CHANGED',
  'RPC_INVALID',
  'RPC_VERSION',
  'EDITOR_GONE',
  'CANCELLED',
  'INTERNAL',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

export interface ErrorDetails {
  /** What the user can do next, as one sentence. */
  hint?: string
  cause?: unknown
}

/** A failure with a stable code, a sentence for a person, and a hint at the next action. */
export class PluginError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.name = 'PluginError'
    this.code = code
    this.hint = details.hint
  }
}

/** A failure as it crosses to Lua and into a transcript: data only. */
export interface ErrorRecord {
  code: ErrorCode
  message: string
  hint?: string
}

/** Turns anything thrown into a PluginError; what is not ours becomes `INTERNAL` with the cause kept for the log. */
export function toPluginError(thrown: unknown): PluginError {
  if (thrown instanceof PluginError) return thrown
  if (isAbort(thrown)) return new PluginError('CANCELLED', 'Cancelled', { cause: thrown })
  return new PluginError('INTERNAL', wordsOf(thrown), {
    hint: 'This is a defect of the plugin: see :Ollama log.',
    cause: thrown,
  })
}

function wordsOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown)
  } catch {
    return 'Something was thrown that cannot be put into words'
  }
}

/** The part of an error that may be shown and sent: never the cause, which may hold a secret. */
export function toRecord(error: PluginError): ErrorRecord {
  return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
}

/** Whether this is what an AbortSignal throws when nobody gave a reason of ours. */
export function isAbort(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    (thrown.name === 'AbortError' || (thrown as { code?: unknown }).code === 'UND_ERR_ABORTED')
  )
}
