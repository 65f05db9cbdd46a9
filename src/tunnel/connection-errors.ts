// What those who wait for a connection, or use one, are told of its end. What goes wrong on the way up is ssh-errors.ts's.
import { isAbort, PluginError, toPluginError } from '../core/errors.ts'

export function codeOf(error: unknown): string | undefined {
  return error instanceof PluginError ? error.code : undefined
}

export function unansweredError(name: string, words: string): PluginError {
  return new PluginError('SSH_DISCONNECTED', `The SSH connection to ${name} was lost: it ${words}`, {
    hint: 'Check the network; the next request connects anew.',
  })
}

export function endedError(): PluginError {
  return new PluginError('CANCELLED', 'The connection was ended by you')
}

export function closedError(): PluginError {
  return new PluginError('CANCELLED', 'The connection is closed')
}

/** A reason of ours passes as it is; only what nobody foresaw is wrapped. */
export function asError(thrown: unknown): PluginError {
  return isAbort(thrown)
    ? new PluginError('CANCELLED', 'The attempt was given up', { cause: thrown })
    : toPluginError(thrown)
}
