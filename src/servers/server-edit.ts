// What an edit of a server in the editor means for its entry in `servers`, and for the file. Pure; the file is config/load.ts's.
import type { ConfigChange } from '../config/load.ts'
import type { LuaData } from '../config/lua-table.ts'
import { DEFAULT_URL, parseDestination, resolveConfig, type ServerConfig } from '../config/schema.ts'

/** What is set; what is not given stays as it is. */
export interface ServerDraft {
  /** As the option `ssh` takes it when it is a string; `false` for none. */
  ssh?: string | false | undefined
  url?: string | undefined
}

/** An entry of `servers` as it was written: data, but unchecked. */
export type ServerEntry = Readonly<Record<string, unknown>>

/** The fields of an ssh table that a destination speaks of. */
const PLACE = ['host', 'port', 'user'] as const

/** The entry with the draft in it. Settings that the draft does not speak of stay, those of an ssh table too. */
export function entryWith(entry: ServerEntry | undefined, draft: ServerDraft): ServerEntry {
  const { ssh: oldSsh, url: oldUrl, ...others } = entry ?? {}
  const ssh = draft.ssh === undefined ? oldSsh : newSsh(oldSsh, draft.ssh)
  const url = draft.url === undefined ? oldUrl : withKeptPassword(draft.url, oldUrl)
  const isPlain = url === DEFAULT_URL && oldUrl === undefined && ssh !== undefined
  return { ...(ssh === undefined ? {} : { ssh }), ...(url === undefined || isPlain ? {} : { url }), ...others }
}

/** The editor shows `***` in a password's place: where it comes back so, the password is the one there was. */
function withKeptPassword(written: string, old: unknown): string {
  if (typeof old !== 'string' || !URL.canParse(written) || !URL.canParse(old)) return written
  const url = new URL(written)
  if (url.password !== '***') return written
  url.password = new URL(old).password
  return url.href.replace(/\/$/, '')
}

/** @throws PluginError CONFIG_INVALID naming what is wrong by its path. */
export function checkedServer(name: string, entry: ServerEntry): ServerConfig {
  const [server] = resolveConfig({ servers: { [name]: entry } }, `server ${name}`).servers
  return server as ServerConfig
}

/**
 * The least that must be changed in the file, so that comments between an entry's fields stay.
 * @param kept the entry in the file; without one the whole is written.
 */
export function changesFor(name: string, kept: ServerEntry | undefined, entry: ServerEntry): ConfigChange[] {
  const path = ['servers', name]
  return kept === undefined ? [{ path, value: entry as LuaData }] : differences(path, kept, entry)
}

function differences(path: readonly string[], before: ServerEntry, after: ServerEntry): ConfigChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key): ConfigChange[] => {
    const [old, value] = [before[key], after[key]]
    if (JSON.stringify(old) === JSON.stringify(value)) return []
    if (isRecord(old) && isRecord(value)) return differences([...path, key], old, value)
    return [{ path: [...path, key], value: value as LuaData | undefined }]
  })
}

function newSsh(old: unknown, written: string | false): unknown {
  if (written === false) return undefined
  if (!isRecord(old)) return written
  const { host, port, user } = parseDestination(written)
  const others = Object.entries(old).filter(([key]) => !(PLACE as readonly string[]).includes(key))
  const place = Object.entries({ host, port, user }).filter(([, value]) => value !== undefined)
  return Object.fromEntries([...place, ...others])
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
