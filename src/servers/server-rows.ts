// A server as it is shown, made of its configuration and where its link stands. Pure; how a row looks is Lua's.
import { destinationOf, type ServerConfig } from '../config/schema.ts'
import { toRecord } from '../core/errors.ts'
import type { ServerRow, TestStep } from '../rpc/shapes.ts'
import type { TestStep as Step } from '../tunnel/server-test.ts'
import type { LinkStatus } from '../tunnel/transport.ts'

export interface RowContext {
  isDefault: boolean
  origin: ServerRow['origin']
}

export function rowOf(config: ServerConfig, status: LinkStatus, { isDefault, origin }: RowContext): ServerRow {
  const { ssh, url } = config
  const { facts, error, roundTripMs, retryAt } = status
  return {
    name: config.name,
    is_default: isDefault,
    state: status.state,
    address: facts?.address ?? plannedAddress(config),
    transport: ssh === undefined ? 'direct' : (facts?.transport ?? ssh.transport),
    url: urlOf(url),
    origin,
    ...defined({
      reason: facts?.reason,
      login: facts?.login,
      round_trip_ms: roundTripMs,
      retry_at: retryAt,
      error: error && toRecord(error),
      ssh: ssh && destinationOf(ssh),
    }),
  }
}

export function stepOf({ error, ...step }: Step): TestStep {
  return { ...step, ...(error ? { error: toRecord(error) } : {}) }
}

/** What the way will be as far as the plugin's own configuration tells; ssh_config is not read for a look. */
function plannedAddress({ ssh, url }: ServerConfig): string {
  if (!ssh) return url.host === '' ? urlOf(url) : url.host
  const isDirect = ssh.jump === undefined || ssh.jump === 'none'
  return `${destinationOf(ssh)}${isDirect ? '' : ` via ${ssh.jump}`}`
}

/** As it is written, without the slash that URL adds, and without a password. */
function urlOf(url: URL): string {
  const shown = new URL(url)
  if (shown.password !== '') shown.password = '***'
  return shown.href.replace(/\/$/, '')
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
