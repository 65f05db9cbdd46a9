/** Ollama's refusal of strange `Host` and `Origin` headers, in force when it listens on the loopback address. */

import { isIP, isIPv6 } from 'node:net'
import { hostname } from 'node:os'

const LOCAL_SUFFIXES = ['.localhost', '.local', '.internal']
const LOCAL_ADDRESSES = [/^127\./, /^10\./, /^192\.168\./, /^172\.(1[6-9]|2\d|3[01])\./, /^0\.0\.0\.0$/]
const LOCAL_ADDRESSES_6 = [/^::1?$/, /^f[cd]/]
const LOCAL_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|0\.0\.0\.0)(:\d+)?$/
const APP_ORIGIN = /^(app|file|tauri|vscode-webview|vscode-file):\/\//

export function hostAllowed(host: string | undefined): boolean {
  const name = withoutPort(host ?? '').toLowerCase()
  if (isIP(name) !== 0) return (isIPv6(name) ? LOCAL_ADDRESSES_6 : LOCAL_ADDRESSES).some((form) => form.test(name))
  if (name === '' || name === 'localhost' || name === hostname().toLowerCase()) return true
  return LOCAL_SUFFIXES.some((suffix) => name.endsWith(suffix))
}

/** The check of CORS: a request without the header is always allowed. */
export function originAllowed(origin: string | undefined): boolean {
  return origin === undefined || LOCAL_ORIGIN.test(origin) || APP_ORIGIN.test(origin)
}

function withoutPort(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)
  return bracketed?.[1] ?? host.replace(/:\d*$/, '')
}
