// Which rooms of the Lua front may reach past another one's door. doc/architecture.md tells what each room owns.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'

/** What turns a person's or the host's word into a call, whatever room that is in. */
const TABLES = ['actions', 'command', 'init', 'verbs', 'plugin']

/** Who may require what is inside a room, besides these tables, the room and its door. */
const GUESTS: Record<string, readonly string[]> = {
  chat: ['manager', 'models', 'saved', 'transcript', 'ui'],
  choose: ['health'],
  health: [],
  help: [],
  manager: [],
  models: ['chat', 'manager'],
  saved: ['chat', 'ui'],
  servers: ['health', 'manager'],
  transcript: ['chat', 'saved', 'ui'],
  ui: ['chat', 'saved'],
}

/** One `require` as it is written; modules without the plugin's own prefix (`chat.session`, `plugin.ollama-remote`). */
interface Require {
  from: string
  to: string
  /** Of the file's own body, and so of its loading. */
  isEager: boolean
}

const REQUIRE = /require\(?\s*['"]ollama-remote\.([\w.]*\w)['"]/g
const FRONT = join(PROJECT_ROOT, 'lua/ollama-remote')

const modules = readdirSync(FRONT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.lua'))
  .map((file) => file.replace(/\.lua$/, '').replaceAll(/[/\\]/g, '.'))
const requires = [
  ...modules.flatMap((module) => requiresOf(module, readFileSync(join(FRONT, `${path(module)}.lua`), 'utf8'))),
  ...requiresOf('plugin.ollama-remote', readFileSync(join(PROJECT_ROOT, 'plugin/ollama-remote.lua'), 'utf8')),
]

describe('the rooms of the Lua front', () => {
  it('are read as they are written', () => {
    const text = "local a = require('ollama-remote.a.b')\nfunction M.c()\n  require('ollama-remote.d').e()\nend\n"
    expect(requiresOf('x', text)).toEqual([
      { from: 'x', to: 'a.b', isEager: true },
      { from: 'x', to: 'd', isEager: false },
    ])
    expect(isIntrusion({ from: 'saved.shelf', to: 'choose.fzf', isEager: false })).toBe(true)
    expect(isIntrusion({ from: 'choose', to: 'choose.fzf', isEager: false })).toBe(false)
    expect(requires.length).toBeGreaterThan(modules.length)
    expect(requires.filter(({ to }) => !modules.includes(to))).toEqual([])
  })

  it('have a rule each', () => {
    const rooms = new Set(modules.filter((module) => module.includes('.')).map(roomOf))
    expect([...rooms].toSorted()).toEqual(Object.keys(GUESTS))
  })

  it('are entered by their door', () => {
    expect(requires.filter(isIntrusion).map(({ from, to }) => `${from} requires ${to}`)).toEqual([])
  })

  it('load without a circle', () => {
    expect(modules.filter((module) => loadedBy(module).has(module))).toEqual([])
  })
})

function requiresOf(from: string, text: string): Require[] {
  return text.split('\n').flatMap((line) => {
    const isEager = /^(local [\w, ]+ = )?require/.test(line)
    return [...line.matchAll(REQUIRE)].map(([, to = '']) => ({ from, to, isEager }))
  })
}

function isIntrusion({ from, to }: Require): boolean {
  const room = roomOf(to)
  if (room === to || roomOf(from) === room || TABLES.includes(roomOf(from))) return false
  return !GUESTS[room]?.includes(roomOf(from))
}

/** All that is loaded when the module is, itself only where there is a circle. */
function loadedBy(module: string): Set<string> {
  const loaded = new Set<string>()
  const load = (from: string) => {
    for (const { to } of requires.filter((one) => one.from === from && one.isEager)) {
      if (loaded.has(to)) continue
      loaded.add(to)
      load(to)
    }
  }
  load(module)
  return loaded
}

function roomOf(module: string): string {
  return module.split('.')[0] ?? module
}

function path(module: string): string {
  return module.replaceAll('.', '/')
}
