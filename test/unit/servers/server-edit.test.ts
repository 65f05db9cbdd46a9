import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { removeLuaField, setLuaField } from '../../../src/config/lua-edit.ts'
import { parseLuaTable, writeLua } from '../../../src/config/lua-table.ts'
import { changesFor, checkedServer, entryWith, type ServerEntry } from '../../../src/servers/server-edit.ts'

const TABLE = { host: 'lab.example', port: 2222, user: 'ada', identity_file: '~/.ssh/lab', jump: 'gate' }

describe('entryWith', () => {
  it.each<[string, ServerEntry | undefined, object, object]>([
    ['a new one', undefined, { ssh: 'me@gpubox' }, { ssh: 'me@gpubox' }],
    ['a new one at the usual address', undefined, { ssh: 'a', url: 'http://127.0.0.1:11434' }, { ssh: 'a' }],
    ['a new one at another', undefined, { ssh: 'a', url: 'http://x:1' }, { ssh: 'a', url: 'http://x:1' }],
    ['one without ssh', undefined, { ssh: false, url: 'http://127.0.0.1:11434' }, { url: 'http://127.0.0.1:11434' }],
    ['another string', { ssh: 'a', ca_file: '/ca' }, { ssh: 'b' }, { ssh: 'b', ca_file: '/ca' }],
    ['no ssh any more', { ssh: TABLE, url: 'http://x:1' }, { ssh: false }, { url: 'http://x:1' }],
    [
      'a url whose password was not shown',
      { url: 'http://bob:s3cret@x:1' },
      { url: 'http://bob:***@x:2' },
      { url: 'http://bob:s3cret@x:2' },
    ],
    ['nothing', { ssh: TABLE, url: 'http://x:1' }, {}, { ssh: TABLE, url: 'http://x:1' }],
    [
      'another host of a table, whose settings stay',
      { ssh: TABLE },
      { ssh: 'bob@other' },
      { ssh: { host: 'other', user: 'bob', identity_file: '~/.ssh/lab', jump: 'gate' } },
    ],
  ])('makes %s', (_, entry, draft, expected) => {
    expect(entryWith(entry, draft)).toEqual(expected)
  })
})

describe('changesFor', () => {
  it('writes a new server whole', () => {
    expect(changesFor('gpu', undefined, { ssh: 'a' })).toEqual([{ path: ['servers', 'gpu'], value: { ssh: 'a' } }])
  })

  it('speaks of nothing but what differs, in tables within too', () => {
    const after = { ssh: { host: 'other', user: 'ada', identity_file: '~/.ssh/lab', jump: 'gate' } }
    expect(changesFor('lab', { ssh: TABLE }, after)).toEqual([
      { path: ['servers', 'lab', 'ssh', 'host'], value: 'other' },
      { path: ['servers', 'lab', 'ssh', 'port'], value: undefined },
    ])
    expect(changesFor('lab', after, after)).toEqual([])
  })

  it('leads from the one to the other, whatever they are', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean())
    const entry = fc.dictionary(
      fc.constantFrom('ssh', 'url', 'a-b'),
      fc.oneof(value, fc.dictionary(fc.constantFrom('host', 'port', 'x'), value)),
    )
    fc.assert(
      fc.property(entry, entry, (before, after) => {
        const source = `return { servers = { ["g-1"] = ${writeLua(before)} } }`
        const changed = changesFor('g-1', before, after).reduce(
          (text, { path, value }) =>
            value === undefined ? removeLuaField(text, path) : setLuaField(text, path, value),
          source,
        )
        expect(parseLuaTable(changed)).toEqual({ servers: { 'g-1': after } })
      }),
    )
  })
})

describe('checkedServer', () => {
  it('resolves what is written', () => {
    expect(checkedServer('gpu', { ssh: 'me@gpubox:2222' })).toMatchObject({
      name: 'gpu',
      ssh: { host: 'gpubox', port: 2222, user: 'me' },
    })
  })

  it.each([
    ['gpu', { ssh: 'me@-oProxyCommand' }, 'servers.gpu.ssh.host'],
    ['gpu', { url: 'gpubox:11434' }, 'servers.gpu.url'],
    ['gp u', {}, 'a server is named with'],
  ])('refuses %s with %j and says where', (name, entry, words) => {
    expect(() => checkedServer(name, entry)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
    )
  })
})
