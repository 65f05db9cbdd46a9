// A private folder for the sockets of one connection, and its end. The only door of this folder to node:fs.
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RuntimeFolder {
  readonly path: string
  /** Writes a file that only we may read and, when it is a program, run. */
  write(name: string, text: string, kind: 'text' | 'program'): Promise<string>
  /** Idempotent; never rejects. */
  remove(): Promise<void>
}

/** Before the id of the process that owns the folder. */
const PREFIX = 'ollama-remote-'

/** A unix socket's path may have 103 bytes on the strictest system; ssh adds 17 while it makes one, we a name of up to 8. */
const MAX_FOLDER_BYTES = 103 - 17 - 8

/**
 * Makes a folder of mode 0700 in $XDG_RUNTIME_DIR, or in the folder of temporary files.
 * What processes that are gone left behind is removed.
 * @throws the error of node:fs when there is no place for it.
 */
export async function makeRuntimeFolder(environment = process.env): Promise<RuntimeFolder> {
  const base = await findBase(environment.XDG_RUNTIME_DIR)
  await sweep(base)
  const path = await mkdtemp(join(base, `${PREFIX}${process.pid}-`))
  return {
    path,
    write: async (name, text, kind) => {
      const file = join(path, name)
      await writeFile(file, text, { mode: 0o600, flag: 'wx' })
      if (kind === 'program') await chmod(file, 0o700)
      return file
    },
    remove: () => rm(path, { recursive: true, force: true }).catch(() => {}),
  }
}

async function findBase(runtime: string | undefined): Promise<string> {
  const made = `/${PREFIX}${process.pid}-XXXXXX`
  const isShort = (base: string) => Buffer.byteLength(`${base}${made}`) <= MAX_FOLDER_BYTES
  const candidates = [...(runtime?.startsWith('/') ? [runtime] : []), tmpdir()].filter(isShort)
  for (const candidate of candidates) {
    const found = await stat(candidate).catch(() => undefined)
    if (found?.isDirectory()) return candidate
  }
  return '/tmp'
}

async function sweep(base: string): Promise<void> {
  const names = await readdir(base).catch(() => [])
  for (const name of names) {
    const [, owner] = /^ollama-remote-(\d+)-\w{6}$/.exec(name) ?? []
    if (owner !== undefined && !isAlive(Number(owner))) {
      await rm(join(base, name), { recursive: true, force: true }).catch(() => {})
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
