// What goes wrong in HTTP over a link, as errors with codes. What the server itself says (404, 500) is not an error here.
import { PluginError } from '../../core/errors.ts'

type Raw = Error & { code?: unknown }

const TLS =
  /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO|UND_ERR_CONNECT_TIMEOUT)/
const TLS_HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /^(DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/,
    'If you trust whoever made its certificate, name that certificate by ca_file for this server.',
  ],
  [/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)/, 'Renew the certificate of the server, and check the clocks.'],
  [/ALTNAME|HOSTNAME/, 'The url must name the server as its certificate does.'],
]

/** A failure before the response's headers were there. */
export function requestError(thrown: unknown, url: URL): unknown {
  if (thrown instanceof PluginError || !(thrown instanceof Error)) return thrown
  const { code, message } = thrown as Raw
  if (TLS.test(String(code))) {
    return new PluginError('API_UNAVAILABLE', `No secure connection to ${url.host}: ${message}`, {
      hint: TLS_HINTS.find(([when]) => when.test(String(code)))?.[1] ?? 'Check the url of this server: https or http?',
      cause: thrown,
    })
  }
  if (thrown.name === 'HTTPParserError') return notHttp(thrown, url)
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
    return new PluginError('CANCELLED', 'The server was closed')
  return new PluginError('API_INCOMPLETE', `${url.host} closed the connection without an answer`, {
    hint: 'The server may have been restarted: send again.',
    cause: thrown,
  })
}

/** A failure while the body came. */
export function bodyError(thrown: unknown, url: URL): unknown {
  if (thrown instanceof PluginError || !(thrown instanceof Error)) return thrown
  const { code } = thrown as Raw
  if (thrown.name === 'HTTPParserError') return notHttp(thrown, url)
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
    return new PluginError('CANCELLED', 'The server was closed')
  return new PluginError('API_INCOMPLETE', `${url.host} broke its answer off`, {
    hint: 'The server may have been stopped or run out of memory; what came is kept.',
    cause: thrown,
  })
}

/** No channel came for a request: no byte of it can have left. Without a code of undici's, which would dial on. */
export class NotSent extends Error {
  constructor(cause: unknown) {
    super('The request was not sent', { cause })
  }
}

/** Whether a request failed because its channel was dead, so that a new one may do better. */
export function isDeadChannel(thrown: unknown): boolean {
  if (thrown instanceof NotSent) return isDeadChannel(thrown.cause)
  if (thrown instanceof PluginError) return thrown.code === 'SSH_DISCONNECTED'
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String((thrown as Raw | undefined)?.code))
}

/** What went wrong itself. */
export function withoutWrapper(thrown: unknown): unknown {
  return thrown instanceof NotSent ? thrown.cause : thrown
}

function notHttp(thrown: Error, url: URL): PluginError {
  return new PluginError('API_PROTOCOL', `What answers at ${url.host} does not speak HTTP (${thrown.message})`, {
    hint: 'Check the url of this server: its port may be that of another service.',
    cause: thrown,
  })
}
