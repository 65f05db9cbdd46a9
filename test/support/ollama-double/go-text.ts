/** How a Go server spells JSON, times, durations and parse errors. */

const HTML_ESCAPED = /[<>&\u2028\u2029]/g

/** JSON as `encoding/json` writes it: `<`, `>` and `&` escaped; undefined members left out. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    HTML_ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The value of an `omitempty` number: zero means absent. */
export function nonZero(value: number): number | undefined {
  return value === 0 ? undefined : value
}

/** RFC 3339 with up to nine fractional digits and no trailing zeros, as Go's time.RFC3339Nano. */
export function rfc3339(epochMs: number, offsetMinutes = 0): string {
  const seconds = Math.floor(epochMs / 1000)
  const nanoseconds = Math.min(999_999_999, Math.round((epochMs - seconds * 1000) * 1e6))
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '')
  const clockText = new Date((seconds + offsetMinutes * 60) * 1000).toISOString().slice(0, 19)
  return `${clockText}${fraction === '' ? '' : `.${fraction}`}${zone(offsetMinutes)}`
}

function zone(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'Z'
  const minutes = Math.abs(offsetMinutes)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 }
const DEFAULT_KEEP_ALIVE_MS = 5 * 60_000

/** `keep_alive` in milliseconds; Infinity for a negative one; a string is Go's error text. */
export function keepAliveMs(value: unknown): number | { readonly error: string } {
  if (value === undefined || value === null) return DEFAULT_KEEP_ALIVE_MS
  if (typeof value === 'number') return value < 0 ? Number.POSITIVE_INFINITY : Math.trunc(value) * 1000
  if (typeof value !== 'string') return { error: `Unsupported type: '${typeof value}'` }
  const duration = goDuration(value)
  return typeof duration === 'number' && duration < 0 ? Number.POSITIVE_INFINITY : duration
}

function goDuration(text: string): number | { readonly error: string } {
  const unsigned = text.replace(/^[+-]/, '')
  if (unsigned === '0') return 0
  const parts = [...unsigned.matchAll(/(\d+\.?\d*|\.\d+)([^\d.]*)/g)]
  if (unsigned === '' || parts.map((part) => part[0]).join('') !== unsigned) {
    return { error: `time: invalid duration ${JSON.stringify(text)}` }
  }
  let total = 0
  for (const [, amount, unit = ''] of parts) {
    if (unit === '') return { error: `time: missing unit in duration ${JSON.stringify(text)}` }
    const scale = UNIT_MS[unit]
    if (scale === undefined) {
      return { error: `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}` }
    }
    total += Number(amount) * scale
  }
  return text.startsWith('-') ? -total : total
}

/** What `encoding/json` would say about text that JSON.parse refused with `cause`. */
export function goSyntaxError(text: string, cause: unknown): string {
  const said = cause instanceof Error ? cause.message : ''
  if (/end of JSON input|Unterminated string/.test(said)) return 'unexpected EOF'
  const position = /at position (\d+)/.exec(said)?.[1]
  const token = /Unexpected token '(.)'/su.exec(said)?.[1]
  const character = position === undefined ? (token ?? text.trim().charAt(0)) : text.charAt(Number(position))
  if (character === '') return 'unexpected EOF'
  return `invalid character '${character}' ${placeOf(said)}`
}

function placeOf(said: string): string {
  if (/property name/.test(said)) return 'looking for beginning of object key string'
  if (/after property value/.test(said)) return 'after object key:value pair'
  if (/after property name/.test(said)) return 'after object key'
  if (/after array element/.test(said)) return 'after array element'
  if (/after JSON/.test(said)) return 'after top-level value'
  return 'looking for beginning of value'
}
