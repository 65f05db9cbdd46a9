import { describe, expect, it } from 'vitest'
import {
  chooseArchive,
  parseDeb822Sources,
  parseOneLineSources,
  parseOsRelease,
  parsePrintedUris,
} from '../../../scripts/provision/apt-sources.ts'
import { matches } from '../../../scripts/provision/neovim.ts'
import { isAtLeast, replaceText } from '../../../scripts/provision/openssh.ts'
import { knownHostsLine, methodLines, parsePublicKey, sshdConfig, userDatabases } from '../../support/sshd-files.ts'

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

describe('parseOneLineSources', () => {
  it('reads options, suite and components, and passes over comments and source packages', () => {
    const text = [
      '# deb http://archive.example/debian old main',
      `deb [arch=amd64 signed-by=${KEYRING}] http://archive.example/debian bookworm main contrib # why`,
      'deb-src http://archive.example/debian bookworm main',
      'deb http://archive.example/debian bookworm-updates main',
    ].join('\n')
    expect(parseOneLineSources(text)).toEqual([
      {
        uri: 'http://archive.example/debian',
        suites: ['bookworm'],
        components: ['main', 'contrib'],
        signedBy: KEYRING,
      },
      { uri: 'http://archive.example/debian', suites: ['bookworm-updates'], components: ['main'], signedBy: undefined },
    ])
  })
})

describe('parseDeb822Sources', () => {
  it('reads several stanzas with comments between fields', () => {
    const text = `Types: deb deb-src\n# a snapshot\nURIs: http://archive.example/debian\nSuites: trixie trixie-updates\nComponents: main\nSigned-By: ${KEYRING}\n\nTypes: deb\nURIs: http://archive.example/debian-security\nSuites: trixie-security\nComponents: main\n`
    expect(parseDeb822Sources(text)).toEqual([
      {
        uri: 'http://archive.example/debian',
        suites: ['trixie', 'trixie-updates'],
        components: ['main'],
        signedBy: KEYRING,
      },
      {
        uri: 'http://archive.example/debian-security',
        suites: ['trixie-security'],
        components: ['main'],
        signedBy: undefined,
      },
    ])
  })

  it('leaves out disabled stanzas and those of source packages only', () => {
    const stanza = 'URIs: http://archive.example/debian\nSuites: sid\nComponents: main\n'
    expect(parseDeb822Sources(`Enabled: no\nTypes: deb\n${stanza}\nTypes: deb-src\n${stanza}`)).toEqual([])
  })

  it('does not take an inline key for a path', () => {
    const key = 'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQ=='
    const [entry] = parseDeb822Sources(`Types: deb\nURIs: http://archive.example/debian\nSuites: sid\n${key}\n`)
    expect(entry).toMatchObject({ suites: ['sid'], signedBy: undefined })
  })
})

describe('chooseArchive', () => {
  const entry = (uri: string, suite: string, components = ['main']) => ({
    uri,
    suites: [suite],
    components,
    signedBy: undefined,
  })

  it('passes over vendors and pockets', () => {
    const entries = [
      entry('https://vendor.example/node_20.x', 'bookworm'),
      entry('http://archive.example/debian', 'bookworm-updates'),
      entry('http://archive.example/debian-security', 'bookworm-security'),
      entry('http://archive.example/debian/', 'bookworm', ['main', 'contrib', 'non-free']),
    ]
    expect(chooseArchive(entries, 'debian')).toMatchObject({
      uri: 'http://archive.example/debian/',
      components: ['main'],
    })
  })

  it('knows an archive of another path by its keyring, and a list of mirrors', () => {
    const mirror = { ...entry('http://mirror.example/pub', 'stable'), signedBy: KEYRING }
    expect(chooseArchive([mirror], 'debian')).toEqual(mirror)
    const list = entry('mirror+file:/etc/apt/mirrors/debian.list', 'trixie')
    expect(chooseArchive([list], 'debian')).toEqual(list)
  })

  it('has no fallback', () => {
    expect(chooseArchive([entry('http://archive.example/ubuntu', 'noble')], 'debian')).toBeUndefined()
  })
})

describe('small readers', () => {
  it('reads os-release with and without quotes and codename', () => {
    expect(parseOsRelease('NAME="Debian"\nVERSION_CODENAME=bookworm\nID=debian\n')).toEqual({
      id: 'debian',
      codename: 'bookworm',
    })
    expect(parseOsRelease('ID="fedora"\n')).toEqual({ id: 'fedora', codename: '' })
  })

  it('reads printed addresses with an epoch in the version', () => {
    const line =
      "'http://archive.example/o/openssh-server_10.0p1-7_amd64.deb' openssh-server_1%3a10.0p1-7_amd64.deb 602372 SHA256:00"
    expect(parsePrintedUris(`${line}\nnoise\n`)).toEqual([
      { name: 'openssh-server', version: '1:10.0p1-7', bytes: 602372 },
    ])
  })

  it.each([
    ['0.10.4', '0.10', true],
    ['0.12.4', '0.10', false],
    ['0.9.5', 'any', false],
    ['0.11.0', 'any', true],
    ['1.0.0', 'any', true],
  ] as const)('Neovim %s for %s: %s', (version, wanted, expected) => {
    expect(matches(version, wanted)).toBe(expected)
  })

  it('compares versions as numbers', () => {
    expect([isAtLeast('10.0', 9, 8), isAtLeast('9.8', 9, 8), isAtLeast('9.2', 9, 8)]).toEqual([true, true, false])
  })
})

describe('replaceText', () => {
  it('changes each whole C string and nothing else', () => {
    const file = Buffer.from('a\0/run/sshd\0/run/sshd.pid\0x/run/sshd\0')
    expect(replaceText(file, '/run/sshd', '/etc/skel')?.toString()).toBe('a\0/etc/skel\0/run/sshd.pid\0x/etc/skel\0')
    expect(replaceText(Buffer.from('none'), '/run/sshd', '/etc/skel')).toBeUndefined()
    expect(() => replaceText(file, '/run/sshd', '/mnt')).toThrow('same length')
  })
})

describe('texts of a private sshd', () => {
  it('puts own lines first and Match blocks last', () => {
    const own = ['MaxSessions 1', 'Match User ollama', '  AllowTcpForwarding no']
    expect(sshdConfig({ own, defaults: ['UsePAM no'] })).toEqual([own[0], 'UsePAM no', own[1], own[2]])
    expect(methodLines(['password']).slice(0, 2)).toEqual(['PubkeyAuthentication no', 'PasswordAuthentication yes'])
  })

  it('gives the test user our ids', () => {
    const { passwd, shadow } = userDatabases({ uid: 12, gid: 34, home: '/tmp/home' })
    expect(passwd).toContain('ollama:x:12:34:test:/tmp/home:/bin/sh\n')
    expect(shadow).toMatch(/^ollama:\$6\$/)
  })

  it('reads keys and writes known_hosts', () => {
    const key = parsePublicKey('ssh-ed25519 AAAA comment\n')
    expect(key).toEqual({ publicLine: 'ssh-ed25519 AAAA', fingerprint: expect.stringMatching(/^SHA256:[\w+/]{43}$/) })
    expect(knownHostsLine({ host: '127.0.0.1', port: 2200 }, key)).toBe('[127.0.0.1]:2200 ssh-ed25519 AAAA')
    expect(knownHostsLine({ host: 'h', port: 22 }, key, true)).toMatch(/^\|1\|\S{28}\|\S{28} ssh-ed25519 AAAA$/)
  })
})
