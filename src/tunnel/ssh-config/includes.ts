// The text of an ssh_config with its Includes written into it, for when no ssh is asked. What the lines mean is not known here.
import { dirname, isAbsolute, join } from 'node:path'
import type { SshFiles } from '../ssh-files.ts'

export type ConfigFiles = Pick<SshFiles, 'read' | 'list'>

/** As deep as OpenSSH goes, which ends an Include of itself. */
const MAX_DEPTH = 16

/**
 * Reads a configuration and all that it includes; a file that is not there or cannot be read counts as empty, as with ssh.
 * An Include within a Host block counts for every host: what follows it belongs to the block again.
 */
export async function readWithIncludes(files: ConfigFiles, path: string, home: string): Promise<string> {
  return expand((await files.read(path)) ?? '', { files, home, base: dirname(path), depth: 0 })
}

/** The words of a line of ssh_config, its keyword in lower case; `undefined` for an empty line or a comment. */
export function wordsOf(line: string): { keyword: string; words: string[] } | undefined {
  const [, keyword, rest = ''] = /^\s*([a-z]\w*)(?:\s*=\s*|\s+)(.*)$/i.exec(line) ?? []
  if (keyword === undefined) return undefined
  const words: string[] = []
  for (const [, quoted, plain] of rest.matchAll(/"([^"]*)"|(\S+)/g)) {
    if (plain?.startsWith('#')) break
    words.push(quoted ?? plain ?? '')
  }
  return { keyword: keyword.toLowerCase(), words }
}

interface Place {
  files: ConfigFiles
  home: string
  /** The folder that relative paths mean. */
  base: string
  depth: number
}

async function expand(text: string, place: Place): Promise<string> {
  const lines: string[] = []
  let block: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const said = wordsOf(line)
    if (said?.keyword !== 'include') {
      if (said?.keyword === 'host' || said?.keyword === 'match') block = line
      lines.push(line)
      continue
    }
    if (place.depth === MAX_DEPTH) continue
    for (const pattern of said.words) lines.push(await included(pattern, place))
    lines.push(block ?? 'Host *')
  }
  return lines.join('\n')
}

async function included(pattern: string, place: Place): Promise<string> {
  const { files, home, base, depth } = place
  const written = pattern.replace(/^~(?=\/)/, home)
  const paths = await matching(files, isAbsolute(written) ? written : join(base, written))
  const texts = await Promise.all(paths.map((path) => files.read(path).catch(() => undefined)))
  return (await Promise.all(texts.map((text) => expand(text ?? '', { ...place, depth: depth + 1 })))).join('\n')
}

/** Wildcards count in the last part of a path only. */
async function matching(files: ConfigFiles, path: string): Promise<string[]> {
  const folder = dirname(path)
  const last = path.slice(folder.length).replace(/^\//, '')
  if (!/[*?]/.test(last)) return [path]
  const names = (await files.list(folder).catch(() => [])).filter((name) => glob(last).test(name)).toSorted()
  return names.map((name) => join(folder, name))
}

/** As in a shell, a leading dot must be written. */
function glob(pattern: string): RegExp {
  const body = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.')
  return new RegExp(`^${/^[*?]/.test(pattern) ? '(?!\\.)' : ''}${body}$`)
}
