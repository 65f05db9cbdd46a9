import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { HELP_FILE, helpWithOptions } from '../../../scripts/option-help.ts'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'
import { ERROR_CODES } from '../../../src/core/errors.ts'

const help = readFileSync(HELP_FILE, 'utf8')
const read = (file: string) => readFileSync(join(PROJECT_ROOT, file), 'utf8')
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found)

describe('the help file', () => {
  it('tells the options as the schema has them (node scripts/run.mjs scripts/option-help.ts mends it)', () => {
    expect(help).toBe(helpWithOptions(help))
  })

  it('tells every <Plug> map and no other', () => {
    const actions = all(read('plugin/ollama-remote.lua'), /^ {2}\{ '([a-z-]+)', \{/gm)
    expect(actions.length).toBeGreaterThan(10)
    expect(new Set(all(help, /<Plug>\(ollama-([a-z-]+)\)/g))).toEqual(new Set(actions))
  })

  it('tells every subcommand', () => {
    const table = /local subcommands = \{\n(.*?)\n\}/s.exec(read('lua/ollama-remote/command.lua'))?.[1] ?? ''
    const subcommands = all(table, /^ {2}(?:\[')?([a-z-]+)(?:'\])? = /gm)
    expect(subcommands.length).toBeGreaterThan(7)
    expect(
      subcommands.filter((name) => !new RegExp(`^:(?:\\[range\\])?Ollama \\[?${name}\\b`, 'm').test(help)),
    ).toEqual([])
  })

  it('tells every highlight group and no other', () => {
    const groups = all(read('lua/ollama-remote/highlights.lua'), /^ {2}(OllamaRemote\w+) = /gm)
    expect(groups.length).toBeGreaterThan(5)
    expect(new Set(all(help, /^ {4}(OllamaRemote\w+) /gm))).toEqual(new Set(groups))
  })

  it('tells of every code its cause and its mend, and of no other', () => {
    const codes = all(help, /^([A-Z]+_[A-Z_]+|CANCELLED|INTERNAL) +\*\1\*\n {4}Cause: \S[^*]*?\n {4}Mend: {2}\S/gm)
    const lua = readdirSync(join(PROJECT_ROOT, 'lua/ollama-remote'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.lua'))
      .flatMap((file) => all(read(`lua/ollama-remote/${file}`), /\bcode = '([A-Z_]+)'/g))
      .filter((code) => !ERROR_CODES.includes(code as never))
    expect(codes.toSorted()).toEqual([...new Set([...ERROR_CODES, ...lua])].toSorted())
  })

  it('has no tag twice', () => {
    const tags = all(help, /(?<=^|\s)\*([^\s*|]+)\*(?=\s|$)/gm)
    expect(tags.length).toBeGreaterThan(50)
    expect(tags.filter((tag, index) => tags.indexOf(tag) !== index)).toEqual([])
  })

  it('keeps to its width', () => {
    expect(help.split('\n').filter((line) => [...line].length > 80)).toEqual([])
  })
})

describe('the README', () => {
  it('shows only default keys that there are', () => {
    const defaults = all(read('plugin/ollama-remote.lua'), /'(<leader>\w+)'/g)
    const shown = all(read('README.md'), /`(<leader>\w+)`/g)
    expect(shown.filter((key) => !defaults.includes(key))).toEqual([])
    expect(defaults.filter((key) => !shown.includes(key))).toEqual([])
  })

  it('points at files that there are', () => {
    const links = all(read('README.md'), /\]\(((?:doc\/|[A-Z])[\w./-]+)\)/g)
    expect(links.length).toBeGreaterThan(3)
    for (const link of links) expect(() => readFileSync(join(PROJECT_ROOT, link))).not.toThrow(/ENOENT/)
  })
})
