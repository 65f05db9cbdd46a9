// The only door of this folder to node:fs: keys are read, known_hosts is read and grows by a line.
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface SshFiles {
  /**
   * The text of a file, `undefined` when there is none.
   * @throws the error of node:fs when it is there and cannot be read.
   */
  read(path: string): Promise<string | undefined>
  /**
   * Appends a line as OpenSSH would: the folder is made with mode 0700, the file with 0600, and a last line that
   * lacks its newline gets it first.
   * @throws the error of node:fs.
   */
  appendLine(path: string, line: string): Promise<void>
  /** The names in a folder, none when there is no such folder. */
  list(folder: string): Promise<string[]>
}

export const systemSshFiles: SshFiles = { read, appendLine, list }

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function appendLine(path: string, line: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'a+', 0o600)
  try {
    const { size } = await file.stat()
    const last = Buffer.alloc(1)
    if (size > 0) await file.read(last, 0, 1, size - 1)
    const mend = size > 0 && last[0] !== 0x0a ? '\n' : ''
    await file.appendFile(`${mend}${line}\n`)
  } finally {
    await file.close()
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
