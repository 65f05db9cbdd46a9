import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolveConfig, type UserConfig } from '../../../src/config/schema.ts'
import { sshTarget } from '../../support/ssh-target.ts'

describe('resolveConfig', () => {
  it('is complete when nothing is written', () => {
    expect(resolveConfig({}, 'setup()')).toEqual({
      servers: [{ name: 'local', ssh: undefined, url: new URL('http://127.0.0.1:11434'), caFile: undefined }],
      defaultModel: undefined,
      system: undefined,
      options: {},
      think: undefined,
      keepAlive: undefined,
      resume: 'auto',
      autosave: true,
      title: 'model',
      keepDays: 30,
      updates: { from: ['here', 'server'], pulls: 1, names: [] },
      log: { level: 'info', content: false },
    })
  })

  it('takes over all that is written', () => {
    const written: UserConfig = {
      servers: {
        box: {
          ssh: { host: 'box', port: 2222, user: 'ann', identity_file: '~/k', known_hosts: '~/h', connect_timeout: 2.5 },
          url: 'https://[::1]:8443/ollama',
          ca_file: '~/ca.pem',
        },
      },
      default_server: 'box',
      default_model: 'box:qwen3:4b',
      system: 'Be short.',
      options: { num_ctx: 8192, stop: ['x'] },
      think: 'high',
      keep_alive: -1,
      split_preference: 'horizontal',
      autosave: false,
      title: 'first-line',
      keep_days: false,
      updates: { from: ['here'], pulls: 2 },
      keymaps: { open: '<leader>x', close: false },
      node: '/usr/bin/node',
      log: { level: 'debug' },
      last_updated: '2026-01-01',
    }
    expect(resolveConfig(written, 'setup()')).toEqual({
      servers: [
        {
          name: 'box',
          ssh: sshTarget({
            host: 'box',
            port: 2222,
            user: 'ann',
            identityFile: '~/k',
            knownHostsFile: '~/h',
            connectTimeoutMs: 2500,
          }),
          url: new URL('https://[::1]:8443/ollama'),
          caFile: '~/ca.pem',
        },
      ],
      defaultModel: 'box:qwen3:4b',
      system: 'Be short.',
      options: { num_ctx: 8192, stop: ['x'] },
      think: 'high',
      keepAlive: -1,
      resume: 'auto',
      autosave: false,
      title: 'first-line',
      keepDays: false,
      updates: { from: ['here'], pulls: 2, names: [] },
      log: { level: 'debug', content: false },
    })
  })

  it('takes a blank system prompt for none, and another one to the letter', () => {
    expect(resolveConfig({ system: ' \n ' }, '').system).toBeUndefined()
    expect(resolveConfig({ system: ' a\n' }, '').system).toBe(' a\n')
  })

  it.each([
    [['one', 'two', 'three'], 'two', ['two', 'one', 'three']],
    [['c', 'b', 'a'], undefined, ['a', 'b', 'c']],
    [['c', 'b', 'a'], 'c', ['c', 'a', 'b']],
  ])('orders the servers %j with the default %s as %j, since Lua keeps no order', (names, wanted, order) => {
    const servers = Object.fromEntries(names.map((name) => [name, {}]))
    const written = wanted === undefined ? { servers } : { servers, default_server: wanted }
    expect(resolveConfig(written, '').servers.map(({ name }) => name)).toEqual(order)
  })

  it.each([
    ['box', 'box', undefined, undefined],
    ['user@box', 'box', undefined, 'user'],
    ['box:2222', 'box', 2222, undefined],
    ['user@box.example.org:2222', 'box.example.org', 2222, 'user'],
    ['user@corp.example@box', 'box', undefined, 'user@corp.example'],
    ['ssh://user@box:2222', 'box', 2222, 'user'],
    ['ssh://box/', 'box', undefined, undefined],
    ['192.168.1.7', '192.168.1.7', undefined, undefined],
    ['::1', '::1', undefined, undefined],
    ['user@fe80::1%eth0', 'fe80::1%eth0', undefined, 'user'],
    ['[::1]', '::1', undefined, undefined],
    ['user@[2001:db8::1]:2222', '2001:db8::1', 2222, 'user'],
    ['ssh://user@[::1]:22/', '::1', 22, 'user'],
  ])('reads the destination %s', (ssh, host, port, user) => {
    const [server] = resolveConfig({ servers: { box: { ssh } } }, '').servers
    expect(server?.ssh).toEqual(sshTarget({ host, port, user }))
  })

  it('gives a destination as text and as a table the same meaning', () => {
    const target = (ssh: string | { host: string }) => resolveConfig({ servers: { box: { ssh } } }, '').servers[0]?.ssh
    expect(target('box')).toEqual(target({ host: 'box' }))
  })

  it.each([
    '',
    ' ',
    '-oProxyCommand=reboot',
    'user@',
    '@box',
    'box:',
    'box:ssh',
    'a b',
    'box/path',
    'user@-x',
    '[::1',
    'box\n',
  ])('refuses the destination %j by its path', (ssh) => {
    const path = expect.stringMatching(/^setup\(\): servers\.box\.ssh\.(host|user): /)
    expect(() => resolveConfig({ servers: { box: { ssh } } }, 'setup()')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: path }),
    )
  })

  it.each([
    [{ colour: 1 }, 'unknown option colour'],
    [{ a: 1, b: 2 }, 'unknown option a, b'],
    [{ servers: { box: { shh: 'box' } } }, 'unknown option servers.box.shh'],
    [{ servers: { box: { ssh: { host: 'box', prot: 22 } } } }, 'unknown option servers.box.ssh.prot'],
    [JSON.parse('{"__proto__":1}'), 'unknown option __proto__'],
    [{ constructor: 1 }, 'unknown option constructor'],
    [{ servers: { 'my box': {} } }, 'servers.my box: a server is named with letters, digits, - and _'],
    [{ servers: { 'a:b': {} } }, 'servers.a:b: a server is named with letters, digits, - and _'],
    [{ servers: { box: { ssh: 22 } } }, 'servers.box.ssh: expected `user@host` or a table'],
    [{ servers: { box: { ssh: { port: 22 } } } }, 'servers.box.ssh.host: '],
    [{ servers: { box: { ssh: { host: '-x' } } } }, 'servers.box.ssh.host: expected a host name'],
    [{ servers: { box: { ssh: { host: 'box', port: 65536 } } } }, 'servers.box.ssh.port: '],
    [{ servers: { box: { ssh: { host: 'box', port: 22.5 } } } }, 'servers.box.ssh.port: '],
    [{ servers: { box: { ssh: 'box:0' } } }, 'servers.box.ssh.port: '],
    [{ servers: { box: { ssh: 'box:65536' } } }, 'servers.box.ssh.port: '],
    [{ servers: { box: { ssh: { host: 'box', connect_timeout: 0 } } } }, 'servers.box.ssh.connect_timeout: '],
    [{ servers: { box: { url: 'localhost:11434' } } }, 'servers.box.url: '],
    [{ servers: { box: { url: 'ftp://box' } } }, 'servers.box.url: '],
    [{ servers: { box: 'user@box' } }, 'servers.box: '],
    [{ servers: ['box'] }, 'servers: '],
    [{ default_server: 'box' }, 'default_server names "box", which is not in servers'],
    [{ servers: { other: {} }, default_server: 'box' }, 'default_server names "box"'],
    [{ default_model: '' }, 'default_model: '],
    [{ think: 'hard' }, 'think: expected true, false, low, medium, high or max'],
    [{ keep_alive: true }, "keep_alive: expected a duration as '10m'"],
    [{ keymaps: true }, 'keymaps: expected a table or `false`'],
    [{ keymaps: { open: 1 } }, 'keymaps.open: expected a key or `false`'],
    [{ split_preference: 'left' }, 'split_preference: '],
    [{ log: { level: 'trace' } }, 'log.level: '],
    [[], 'the whole: '],
    ['x', 'the whole: '],
    [null, 'the whole: '],
    [undefined, 'the whole: '],
  ])('refuses %j and says where', (written, words) => {
    expect(() => resolveConfig(written, 'setup()')).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`setup(): ${words}`),
        hint: expect.stringMatching(/./),
      }),
    )
  })

  it('tells every mistake at once', () => {
    const written = { think: 'hard', servers: { box: { ssh: { host: 'box', prot: 1, user: '' } } }, colour: 1 }
    expect(() => resolveConfig(written, 'file')).toThrow(/unknown option colour/)
    expect(() => resolveConfig(written, 'file')).toThrow(/think: /)
    expect(() => resolveConfig(written, 'file')).toThrow(/unknown option servers\.box\.ssh\.prot/)
    expect(() => resolveConfig(written, 'file')).toThrow(/servers\.box\.ssh\.user: /)
  })

  it('answers anything at all with a configuration or CONFIG_INVALID', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('servers', 'options', 'think', 'keymaps', 'system', 'x'), fc.anything()),
        (written) => {
          try {
            expect(resolveConfig(written, '').servers.length).toBeGreaterThan(0)
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: 'CONFIG_INVALID' })
          }
        },
      ),
    )
  })
})
