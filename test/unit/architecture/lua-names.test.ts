// What a Lua file takes from a module stands in that module: nothing else would find a name that a move left behind.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'

const LUA = join(PROJECT_ROOT, 'lua')

interface Source {
  module: string
  code: string
  /** The fields of its `M`. */
  fields: ReadonlySet<string>
}

const sources = readdirSync(LUA, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.lua'))
  .map(read)
const fieldsOf = new Map(sources.map(({ module, fields }) => [module, fields]))

function read(file: string): Source {
  const code = readFileSync(join(LUA, file), 'utf8').replace(/--.*/g, '')
  const module = file.replace(/(\/init)?\.lua$/, '').replaceAll('/', '.')
  const fields = [...code.matchAll(/^(?:function )?M[.:](\w+)/gm)].map(([, field = '']) => field)
  return { module, code, fields: new Set(fields) }
}

/** `module field` of what is taken: of its own `M`, by a name from the head of the file, or from `require` at once. */
function taken({ module, code }: Source): string[] {
  const atOnce = [...code.matchAll(/require\('(ollama-remote[\w.-]*)'\)\.(\w+)/g)].map(
    ([, from, field]) => `${from} ${field}`,
  )
  const heads = [...code.matchAll(/^local (\w+) = require\('(ollama-remote[\w.-]*)'\)$/gm)]
  const named = [['', 'M', module], ...heads].flatMap(([, name, from]) =>
    [...code.matchAll(new RegExp(`(?<![\\w.'])${name}\\.(\\w+)`, 'g'))].map(([, field]) => `${from} ${field}`),
  )
  return [...atOnce, ...named]
}

describe('the names in the Lua front', () => {
  it('stand in the modules from which they are taken', () => {
    const missing = sources.flatMap((source) =>
      taken(source)
        .filter((name) => {
          const [from = '', field = ''] = name.split(' ')
          return !fieldsOf.get(from)?.has(field)
        })
        .map((name) => `${source.module}: ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('are many', () => {
    expect(sources.flatMap(taken).length).toBeGreaterThan(500)
  })
})
