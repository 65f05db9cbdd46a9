import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'

/** One import as it is written: from a file under src (`chat/session.ts`) to a file under src or to a package. */
export interface Import {
  from: string
  to: string
  /** `import type`: gone at run time, so it opens no door. */
  typeOnly: boolean
}

const SOURCE = join(PROJECT_ROOT, 'src')
const STATIC = /^(import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'([^']+)'/gm
const DYNAMIC = /\b(?:import|require)\(\s*'([^']+)'\s*\)/g

/** All source files, relative to src. */
export function sourceFiles(): string[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => file.split('\\').join('/'))
    .toSorted()
}

export function importsOf(file: string, text = readFileSync(join(SOURCE, file), 'utf8')): Import[] {
  const named = [...text.matchAll(STATIC)].map(([, , type, to = '']) => ({ to, typeOnly: type !== undefined }))
  const lazy = [...text.matchAll(DYNAMIC)].map(([, to = '']) => ({ to, typeOnly: false }))
  return [...named, ...lazy].map(({ to, typeOnly }) => ({ from: file, to: target(file, to), typeOnly }))
}

function target(from: string, to: string): string {
  return to.startsWith('.') ? relative('/', posix.resolve('/', posix.dirname(from), to)) : to
}
