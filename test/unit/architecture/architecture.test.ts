// Who may import whom, and which module owns which side effect. doc/architecture.md tells why.
import { describe, expect, it } from 'vitest'
import { type Import, importsOf, sourceFiles } from './imports.ts'

/** What a folder or file may import of ours, besides its own folder; the longest matching prefix counts. */
const ARROWS: Record<string, readonly string[]> = {
  'main.ts': ['app.ts', 'nvim/attach.ts'],
  'app.ts': [''],
  'app-models.ts': [''],
  'app-servers.ts': [''],
  'core/': [],
  'config/': ['core/'],
  'tunnel/': ['core/', 'config/schema.ts (type)', 'models/web.ts (type)', 'providers/provider.ts (type)'],
  'providers/': ['core/'],
  'chat/': ['core/', 'providers/provider.ts', 'rpc/ (type)'],
  'models/': ['core/', 'providers/provider.ts', 'providers/router.ts (type)', 'rpc/ (type)'],
  'servers/': ['core/', 'config/', 'providers/provider.ts (type)', 'rpc/ (type)', 'tunnel/ (type)'],
  'rpc/': ['core/'],
  'nvim/': ['core/', 'rpc/ (type)', 'tunnel/transport.ts (type)', 'chat/ (type)'],
}

/** The only files that may touch a thing at run time. */
const DOORS: Record<string, readonly string[]> = {
  ssh2: ['tunnel/ssh2/ssh2.ts'],
  undici: ['tunnel/http/http.ts'],
  neovim: ['app.ts', 'nvim/'],
  'ssh-config': ['tunnel/ssh-config/ssh-config.ts'],
  luaparse: ['config/lua-table.ts'],
  'write-file-atomic': [
    'config/load.ts',
    'models/models-file.ts',
    'models/verdicts-file.ts',
    'tunnel/secrets/secrets-file.ts',
  ],
  '@napi-rs/keyring': ['tunnel/secrets/keyring.ts'],
  'mdast-util-from-markdown': [],
  'node:child_process': [
    'tunnel/openssh/process.ts',
    'tunnel/ssh-config/ssh-config.ts',
    'tunnel/ssh2/proxy-command.ts',
  ],
  'node:fs': ['chat/store/listing.ts', 'chat/store/reader.ts', 'config/load.ts', 'core/log.ts', 'tunnel/ssh-files.ts'],
  'node:fs/promises': [
    'chat/journal/',
    'chat/store/',
    'config/load.ts',
    'core/log.ts',
    'models/models-file.ts',
    'models/verdicts-file.ts',
    'tunnel/openssh/runtime-folder.ts',
    'tunnel/secrets/secrets-file.ts',
    'tunnel/ssh-files.ts',
  ],
  'node:net': ['tunnel/direct.ts', 'tunnel/login/agent-identities.ts', 'tunnel/openssh/', 'tunnel/ssh2/dial.ts'],
  'node:http': [],
  'node:https': [],
  'node:tls': ['tunnel/http/trust.ts'],
  'node:dgram': [],
  'node:worker_threads': ['tunnel/login/key-unlocking.ts'],
  'node:vm': [],
}

const files = sourceFiles()
const imports = files.flatMap((file) => importsOf(file))

describe('architecture', () => {
  it('reads the imports there are', () => {
    const text =
      "import type { A } from './a.ts'\nimport {\n  b,\n} from '../core/b.ts'\nexport { c } from 'c'\nawait import('d')\n"
    expect(importsOf('chat/x.ts', text)).toEqual([
      { from: 'chat/x.ts', to: 'chat/a.ts', typeOnly: true },
      { from: 'chat/x.ts', to: 'core/b.ts', typeOnly: false },
      { from: 'chat/x.ts', to: 'c', typeOnly: false },
      { from: 'chat/x.ts', to: 'd', typeOnly: false },
    ])
    expect(forbiddenArrow({ from: 'core/log.ts', to: 'config/load.ts', typeOnly: false })).toBe(true)
    expect(forbiddenDoor({ from: 'chat/session.ts', to: 'undici', typeOnly: false })).toBe(true)
    expect(imports.length).toBeGreaterThan(files.length)
  })

  it('lets imports go downwards only', () => {
    expect(imports.filter(forbiddenArrow).map(say)).toEqual([])
  })

  it('has one door for each side effect', () => {
    expect(imports.filter(forbiddenDoor).map(say)).toEqual([])
  })

  it('gives every file a place in the rules', () => {
    expect(files.filter((file) => allowedBy(file) === undefined)).toEqual([])
  })
})

function forbiddenArrow({ from, to, typeOnly }: Import): boolean {
  if (!files.includes(to)) return false
  const folder = from.slice(0, from.indexOf('/') + 1)
  if (folder !== '' && to.startsWith(folder)) return false
  const allowed = allowedBy(from) ?? []
  return !allowed.some((rule) => {
    const onlyTypes = rule.endsWith(' (type)')
    return to.startsWith(rule.replace(' (type)', '')) && (typeOnly || !onlyTypes)
  })
}

function allowedBy(file: string): readonly string[] | undefined {
  const prefix = Object.keys(ARROWS)
    .filter((key) => file.startsWith(key))
    .toSorted((a, b) => b.length - a.length)[0]
  return prefix === undefined ? undefined : ARROWS[prefix]
}

function forbiddenDoor({ from, to, typeOnly }: Import): boolean {
  const keepers = DOORS[to]
  return !typeOnly && keepers !== undefined && !keepers.some((keeper) => from.startsWith(keeper))
}

function say({ from, to }: Import): string {
  return `${from} imports ${to}`
}
