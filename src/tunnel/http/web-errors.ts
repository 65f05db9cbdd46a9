// Why a host of the web gives no answer, in words that go into a sentence about it. What a registry itself says is
// not an error here.
import { PluginError } from '../../core/errors.ts'
import { withoutWrapper } from './http-errors.ts'

const HINT = 'Check the network; updates.from says from where registries are asked, here or from the server.'

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'its name is not known'],
  [/^ECONNREFUSED$/, 'it refuses connections'],
  [/^(ENETUNREACH|EHOSTUNREACH|ENETDOWN)$/, 'there is no way to it'],
  [/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT)$/, 'it did not answer in time'],
  [/ALTNAME|HOSTNAME_MISMATCH/, 'its certificate is that of another host'],
  [/^(DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/, 'nobody who is trusted vouches for its certificate'],
  [/^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/, 'its certificate is out of date'],
  [/^(ERR_TLS|ERR_SSL|CERT_|EPROTO)/, 'no secure connection came about'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'it closed the connection'],
]

/** What was thrown for want of an answer, the link's own errors among it; an answer that makes no sense stays what it is. */
export function unreachable(thrown: unknown, url: URL): unknown {
  const error = withoutWrapper(thrown)
  if (error instanceof PluginError) return error.code === 'API_PROTOCOL' ? error : becauseOf(error.message, error)
  if (!(error instanceof Error)) return error
  if (error.name === 'HTTPParserError') {
    return new PluginError('API_PROTOCOL', `What answers at ${url.host} does not speak HTTP`, { cause: error })
  }
  const code = String((error as { code?: unknown }).code)
  return becauseOf(REASONS.find(([when]) => when.test(code))?.[1] ?? error.message, error)
}

export function tooSlow(ms: number): PluginError {
  return becauseOf(`it did not answer in ${ms / 1000} s`, undefined)
}

function becauseOf(why: string, cause: unknown): PluginError {
  return new PluginError('REGISTRY_UNREACHABLE', why, { hint: HINT, cause })
}
