import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import {
  fingerprint,
  hostKeyAlgorithms,
  hostNames,
  knownHostsLine,
  knownKeyTypes,
  matchesHost,
  parseKnownHosts,
  verdict,
} from '../../../../src/tunnel/host-keys/known-hosts.ts'

const blob = (type: string, ...parts: Buffer[]) =>
  Buffer.concat(
    [Buffer.from(type), ...parts].flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(part.length)
      return [length, part]
    }),
  )
const ed25519 = () => blob('ssh-ed25519', randomBytes(32))
const rsa = () => {
  const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  return blob('ssh-rsa', Buffer.from(e, 'base64url'), Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')]))
}
const [KEY, OTHER, RSA] = [ed25519(), ed25519(), rsa()]
const line = (hosts: string, key = KEY, marker = '') =>
  `${marker}${hosts} ${key.toString('latin1', 4, 4 + key.readUInt32BE(0))} ${key.toString('base64')}`
const parse = (...lines: string[]) => parseKnownHosts(lines.join('\n'), '/kh')

describe('known_hosts', () => {
  it('reads lines of every kind, with their numbers', () => {
    const entries = parse(
      '# comment',
      '',
      `  ${line('a')} a comment`,
      line('b', KEY, '@revoked '),
      line('c', KEY, '@strange '),
    )
    expect(entries.map(({ hosts, line: number, marker }) => [hosts, number, marker])).toEqual([
      ['a', 3, undefined],
      ['b', 4, 'revoked'],
    ])
  })

  it('passes over what it cannot understand', () => {
    expect(
      parse('a', 'a ssh-rsa', 'a ssh-rsa AAAA', '1024 35 12345', line('a').replace('ed25519', 'rsa'), '\t'),
    ).toEqual([])
  })

  it('reads files with CRLF and without a last newline', () => {
    expect(parseKnownHosts(`${line('a')}\r\n${line('b')}`, '/kh')).toMatchObject([{ hosts: 'a' }, { hosts: 'b' }])
  })

  it.each([
    ['gpu', 'gpu', true],
    ['gpu', 'GPU', true],
    ['GPU', 'gpu', true],
    ['gpu', 'gpu2', false],
    ['a,gpu,b', 'gpu', true],
    ['*.example.com', 'gpu.example.com', true],
    ['*.example.com', 'example.com', false],
    ['gpu?', 'gpu1', true],
    ['gpu?', 'gpu', false],
    ['*,!gpu', 'gpu', false],
    ['!gpu,*', 'cpu', true],
    ['!gpu', 'cpu', false],
    ['gpu', '[gpu]:2200', false],
    ['[gpu]:2200', '[gpu]:2200', true],
    ['[*.com]:22??', '[a.com]:2200', true],
    ['2001:db8::1', '2001:db8::1', true],
    ['|1|bad', 'gpu', false],
    ['|2|AAAA|AAAA', 'gpu', false],
  ])('%s speaks of %s: %s', (hosts, name, expected) => {
    expect(matchesHost(hosts, name)).toBe(expected)
  })

  it('matches patterns as a regular expression would', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 8 }).map((parts) => parts.join(''))
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '.', '*', '?'), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(pattern, letters, (written, name) => {
        const expression = written.replace(/\./g, '\\.').replace(/\*/g, '.*').replace(/\?/g, '.')
        expect(matchesHost(written, name)).toBe(new RegExp(`^${expression}$`).test(name))
      }),
    )
  })

  it('finds any host again that it wrote, plain or hashed, and no other', () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9.-]{1,30}$/)
    fc.assert(
      fc.property(name, name, fc.integer({ min: 1, max: 65_535 }), fc.boolean(), (host, other, port, hashed) => {
        const names = hostNames(host, port, undefined)
        const entries = parse(knownHostsLine(names[0], KEY, { hashed }))
        expect(verdict(entries, names, KEY).kind).toBe('ok')
        fc.pre(other.toLowerCase() !== host.toLowerCase())
        expect(verdict(entries, hostNames(other, port, undefined), KEY).kind).toBe('unknown')
      }),
    )
  })

  it('never reads a line as more than one entry, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseKnownHosts(text, '/kh').length).toBeLessThanOrEqual(text.split('\n').length)
      }),
    )
  })
})

describe('the verdict', () => {
  const gpu = hostNames('gpu', 22, undefined)

  it('is ok for a known key among several', () => {
    expect(verdict(parse(line('gpu', OTHER), line('gpu')), gpu, KEY)).toMatchObject({ kind: 'ok', entry: { line: 2 } })
  })

  it('is changed for another key, with its place and fingerprint', () => {
    expect(verdict(parse('', line('gpu', OTHER)), gpu, KEY)).toMatchObject({
      kind: 'changed',
      entry: { file: '/kh', line: 2 },
      knownFingerprint: fingerprint(OTHER),
    })
  })

  it('is changed for a key of another type too, as with OpenSSH: the known type was offered first', () => {
    expect(verdict(parse(line('gpu', RSA)), gpu, KEY).kind).toBe('changed')
  })

  it('is unknown, with a remark, where the known types cannot be verified here', () => {
    const token = blob('sk-ssh-ed25519@openssh.com', randomBytes(32), Buffer.from('ssh:'))
    expect(verdict(parse(line('gpu', token)), gpu, KEY)).toMatchObject({
      kind: 'unknown',
      otherTypes: ['sk-ssh-ed25519@openssh.com'],
    })
  })

  it('is revoked before anything else', () => {
    expect(verdict(parse(line('gpu'), line('*', KEY, '@revoked ')), gpu, KEY)).toMatchObject({
      kind: 'revoked',
      entry: { line: 2 },
    })
    expect(verdict(parse(line('gpu'), line('*', OTHER, '@revoked ')), gpu, KEY).kind).toBe('ok')
  })

  it('tells of a certificate authority that it cannot verify', () => {
    expect(verdict(parse(line('gpu', RSA, '@cert-authority ')), gpu, KEY)).toMatchObject({
      kind: 'unknown',
      authority: { line: 1 },
    })
  })

  it('tells of one that is named for the bare host too', () => {
    const authority = parse(line('gpu', RSA, '@cert-authority '))
    expect(verdict(authority, hostNames('gpu', 2200, undefined), KEY)).toMatchObject({ authority: { line: 1 } })
  })

  it('accepts the key of the bare host on another port, but never calls it changed', () => {
    const names = hostNames('gpu', 2200, undefined)
    expect(names).toEqual(['[gpu]:2200', 'gpu'])
    expect(verdict(parse(line('gpu')), names, KEY).kind).toBe('ok')
    expect(verdict(parse(line('gpu', OTHER)), names, KEY).kind).toBe('unknown')
    expect(verdict(parse(line('gpu'), line('[gpu]:2200', OTHER)), names, KEY).kind).toBe('changed')
  })

  it('knows a host by its HostKeyAlias only', () => {
    expect(hostNames('gpu', 2200, 'alias')).toEqual(['alias'])
  })
})

describe('the order of host key algorithms', () => {
  it('begins with what is known, and holds neither SHA-1 nor DSA', () => {
    expect(knownKeyTypes(parse(line('gpu', RSA), line('gpu', OTHER, '@revoked ')), ['gpu'])).toEqual(['ssh-rsa'])
    const algorithms = hostKeyAlgorithms(['ssh-rsa'])
    expect(algorithms.slice(0, 3)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519'])
    expect(algorithms).not.toContain('ssh-rsa')
    expect(hostKeyAlgorithms([])[0]).toBe('ssh-ed25519')
  })

  it('takes the types of the bare host where the port has none', () => {
    expect(knownKeyTypes(parse(line('gpu', RSA)), hostNames('gpu', 2200, undefined))).toEqual(['ssh-rsa'])
  })
})

const hasKeygen = commandExists('ssh-keygen')
if (!hasKeygen) process.stderr.write('SKIPPED: known_hosts beside ssh-keygen, because there is no ssh-keygen\n')

describe.skipIf(!hasKeygen)('beside ssh-keygen', () => {
  const folder = mkdtempSync(join(tmpdir(), 'known-hosts-'))
  const file = join(folder, 'known_hosts')
  afterAll(() => rmSync(folder, { recursive: true }))

  function find(name: string): number[] {
    try {
      const output = execFileSync('ssh-keygen', ['-F', name, '-f', file], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }).toString()
      return [...output.matchAll(/found: line (\d+)/g)].map(([, number]) => Number(number))
    } catch {
      return []
    }
  }

  const LINES = [
    line('gpu'),
    line('*.example.com,!bad.example.com', OTHER),
    knownHostsLine('[gpu]:2200', KEY, { hashed: true }),
    knownHostsLine('hashed.example.com', RSA, { hashed: true }),
    line('node?', RSA),
    line('10.0.0.*,2001:db8::1'),
    line('!x*,*x'),
    line('*', OTHER, '@revoked '),
    line('*.corp', RSA, '@cert-authority '),
  ]

  it.each([
    'gpu',
    '[gpu]:2200',
    'a.example.com',
    'bad.example.com',
    'hashed.example.com',
    'node1',
    'node12',
    '10.0.0.7',
    '2001:db8::1',
    'xx',
    'ax',
    'a.corp',
    'nobody',
  ])('finds the same lines for %s', (name) => {
    writeFileSync(file, `${LINES.join('\n')}\n`)
    const ours = parse(...LINES).filter((entry) => matchesHost(entry.hosts, name))
    expect(ours.map((entry) => entry.line)).toEqual(find(name))
  })

  it('finds the same lines for any names and patterns', () => {
    const label = fc.constantFrom('gpu', 'cpu', 'a', 'b', '10')
    const host = fc.array(label, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'))
    const place = fc.tuple(fc.oneof(host, fc.constantFrom('2001:db8::1', '::1')), fc.constantFrom(22, 22, 2200))
    const name = place.map(([written, port]) => hostNames(written, port, undefined)[0])
    const wild = name.chain((written) =>
      fc.constantFrom(written, `*${written.slice(1)}`, `${written.slice(0, -1)}?`, '*', '[*]:22??', `!${written}`),
    )
    const plain = fc.array(wild, { minLength: 1, maxLength: 3 }).map((patterns) => patterns.join(','))
    const marker = fc.constantFrom('', '', '@revoked ', '@cert-authority ')
    const written = fc.oneof(
      fc.tuple(plain, marker).map(([hosts, mark]) => line(hosts, KEY, mark)),
      name.map((hashed) => knownHostsLine(hashed, OTHER, { hashed: true })),
      fc.constantFrom('# a comment', '', '  ', '@strange gpu ssh-rsa AAAA'),
    )
    const look = fc.tuple(fc.array(written, { minLength: 1, maxLength: 8 }), name, fc.constantFrom('\n', '\r\n'))
    fc.assert(
      fc.property(look, ([lines, wanted, ending]) => {
        writeFileSync(file, lines.join(ending) + ending)
        const ours = parseKnownHosts(lines.join(ending), file).filter((entry) => matchesHost(entry.hosts, wanted))
        expect(ours.map((entry) => entry.line)).toEqual(find(wanted))
      }),
      { numRuns: 200 },
    )
  })

  it('reads what ssh-keygen -H made', () => {
    writeFileSync(file, `${line('gpu')}\n${line('[gpu]:2200', OTHER)}\n`)
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
    const text = execFileSync('cat', [file]).toString()
    expect(text).toContain('|1|')
    expect(verdict(parseKnownHosts(text, file), hostNames('gpu', 2200, undefined), OTHER).kind).toBe('ok')
  })

  it('prints fingerprints as ssh-keygen does', () => {
    writeFileSync(file, `${line('gpu', RSA)}\n`)
    expect(execFileSync('ssh-keygen', ['-lf', file]).toString()).toContain(fingerprint(RSA))
  })
})

function commandExists(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
