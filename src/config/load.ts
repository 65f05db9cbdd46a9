// The files of the configuration: read, and written atomically. What they mean is the schema's.
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { PluginError, toPluginError } from '../core/errors.ts'
import { removeLuaField, setLuaField } from './lua-edit.ts'
import { type LuaData, parseLuaTable } from './lua-table.ts'
import { type Config, resolveConfig } from './schema.ts'

const NEW_FILE =
  '-- Kept by ollama-remote.nvim; data only. Yours to edit: comments and unknown keys stay.\nreturn {\n}\n'

/** A configuration that is always usable, and what was wrong with the parts that are not in it. */
export interface LoadedConfig {
  config: Config
  problems: PluginError[]
  /** What was written where, without what is wrong. */
  written: { setup: Readonly<Record<string, unknown>>; file: Readonly<Record<string, unknown>> }
}

/** One field of the file to be set, or to be taken away when there is no value. */
export interface ConfigChange {
  path: readonly string[]
  value: LuaData | undefined
}

/**
 * Puts together what `setup()` gave and what the file holds; the file wins, since it keeps what was chosen last. Servers
 * are put together by name: one that was added in the editor does not drive out those of `setup()`.
 * An option that is wrong is left out and told, so that one mistake costs neither the others nor the editor's start.
 */
export async function loadConfig(setup: Record<string, unknown>, file: string): Promise<LoadedConfig> {
  const problems: PluginError[] = []
  const attempt = <T>(body: () => T, otherwise: T): T => {
    try {
      return body()
    } catch (thrown) {
      problems.push(toPluginError(thrown))
      return otherwise
    }
  }
  const kept = await readConfigFile(file).catch((thrown) => {
    problems.push(toPluginError(thrown))
    return {}
  })
  const fromSetup = attempt(() => checkAlone(setup, 'setup()'), soundOptions(setup))
  const fromFile = attempt(() => checkAlone(kept, file), soundOptions(kept))
  const servers = { ...recordOf(fromSetup.servers), ...recordOf(fromFile.servers) }
  const whole = { ...fromSetup, ...fromFile, ...(Object.keys(servers).length === 0 ? {} : { servers }) }
  const config = attempt(() => resolveConfig(whole, 'the configuration'), resolveConfig(withoutBond(whole), ''))
  return { config, problems, written: { setup: fromSetup, file: fromFile } }
}

/**
 * The file's table; an absent file is an empty one.
 * @throws PluginError CONFIG_BROKEN with file and line, CONFIG_UNREADABLE.
 */
export async function readConfigFile(file: string): Promise<Record<string, LuaData>> {
  const source = await readSource(file).catch(refuse('CONFIG_UNREADABLE', file))
  return naming(file, () => parseLuaTable(source))
}

/** Module state, since two changes that overlap would read the same text, and the later one undo the earlier. */
let lastChange: Promise<void> = Promise.resolve()

/**
 * Keeps choices in the file, atomically, leaving all else in it as it was.
 * @throws PluginError CONFIG_BROKEN when the file cannot be understood: it is then never overwritten; CONFIG_UNREADABLE,
 *   CONFIG_UNWRITABLE.
 */
export function keepInConfigFile(file: string, changes: Record<string, LuaData>): Promise<void> {
  return changeConfigFile(
    file,
    Object.entries(changes).map(([key, value]) => ({ path: [key], value })),
  )
}

/** As `keepInConfigFile`, for fields of tables within, and for fields to be taken away. */
export function changeConfigFile(file: string, changes: readonly ConfigChange[]): Promise<void> {
  const change = lastChange.then(() => changeFile(file, changes))
  lastChange = change.catch(() => {})
  return change
}

async function changeFile(file: string, changes: readonly ConfigChange[]): Promise<void> {
  const source = await readSource(file).catch(refuse('CONFIG_UNREADABLE', file))
  const changed = naming(file, () =>
    changes.reduce(
      (text, { path, value }) => (value === undefined ? removeLuaField(text, path) : setLuaField(text, path, value)),
      source,
    ),
  )
  await mkdir(dirname(file), { recursive: true })
    // A new one is the user's alone, since a url in it may hold a password; an old one keeps its mode.
    .then(() => writeFileAtomic(file, changed, { encoding: 'utf8', ...(source === NEW_FILE ? { mode: 0o600 } : {}) }))
    .catch(refuse('CONFIG_UNWRITABLE', file))
}

/** Default server and servers may stand in different parts, so each part is checked without that bond. */
function checkAlone(part: Record<string, unknown>, source: string): Record<string, unknown> {
  resolveConfig(withoutBond(part), source)
  return part
}

function withoutBond({ default_server: _bond, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest
}

/** The options of a part that would do if each stood alone; of the servers, each one for itself. */
function soundOptions(part: Record<string, unknown>): Record<string, unknown> {
  const isSound = (option: Record<string, unknown>) => {
    try {
      return checkAlone(option, '') !== undefined
    } catch {
      return false
    }
  }
  const servers = Object.entries(recordOf(part.servers)).filter(([name, server]) =>
    isSound({ servers: { [name]: server } }),
  )
  const others = Object.entries(part).filter(([key, value]) => key !== 'servers' && isSound({ [key]: value }))
  return Object.fromEntries([...others, ...(servers.length === 0 ? [] : [['servers', Object.fromEntries(servers)]])])
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

function naming<T>(file: string, body: () => T): T {
  try {
    return body()
  } catch (thrown) {
    if (!(thrown instanceof PluginError)) throw thrown
    const hint = 'Mend that line; until then the file is left as it is and its settings do not count.'
    throw new PluginError(thrown.code, `${file}, ${thrown.message}`, { hint, cause: thrown })
  }
}

async function readSource(file: string): Promise<string> {
  try {
    // What is no UTF-8 would come back changed when the file is written.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file))
    return text.trim() === '' ? NEW_FILE : text
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return NEW_FILE
    throw thrown
  }
}

function refuse(code: 'CONFIG_UNREADABLE' | 'CONFIG_UNWRITABLE', file: string) {
  return (thrown: unknown): never => {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new PluginError(code, `${file}: ${reason}`, { hint: 'Check who may read and write it.', cause: thrown })
  }
}
