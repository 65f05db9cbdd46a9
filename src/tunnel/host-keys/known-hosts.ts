// The language of known_hosts, see sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT". Pure: no file is read, nobody is asked.
import { createHash, createHmac, randomBytes } from 'node:crypto'

/** One line of a known_hosts file. */
export interface KnownHost {
  file: string
  /** Counted from 1. */
  line: number
  marker: 'revoked' | 'cert-authority' | undefined
  /** The first field as written: patterns, or one hashed name. */
  hosts: string
  type: string
  key: Buffer
}

export type Verdict =
  | { kind: 'ok'; entry: KnownHost }
  /** `otherTypes`: known for this name, but of a kind that cannot be verified here. */
  | { kind: 'unknown'; otherTypes: readonly string[]; authority: KnownHost | undefined }
  | { kind: 'changed'; entry: KnownHost; knownFingerprint: string }
  | { kind: 'revoked'; entry: KnownHost }

/** Kinds of host keys that can be verified, in the order in which they are offered. Neither SHA-1 nor DSA. */
const VERIFIABLE: readonly string[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]

/** Reads a known_hosts file; lines that say nothing or cannot be understood are passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split(/\r?\n/).flatMap((written, index) => {
    const entry = parseLine(written.trim())
    return entry ? [{ file, line: index + 1, ...entry }] : []
  })
}

/**
 * The names under which a host may be known: the first decides, the others can only confirm or revoke.
 * OpenSSH looks for `[host]:port` and accepts the key of the bare host when that one is unknown.
 */
export function hostNames(host: string, port: number, alias: string | undefined): readonly [string, ...string[]] {
  if (alias !== undefined) return [alias]
  return port === 22 ? [host] : [`[${host}]:${port}`, host]
}

/**
 * What the files say of a key that a host shows.
 * As in OpenSSH any other key of the host makes the new one a changed one, of whatever type: known types are offered
 * first (`hostKeyAlgorithms`), so a server that still has its known key cannot come to show another.
 */
export function verdict(entries: readonly KnownHost[], names: readonly [string, ...string[]], key: Buffer): Verdict {
  const about = (name: string) => entries.filter((entry) => matchesHost(entry.hosts, name))
  const revoked = names.flatMap(about).find((entry) => entry.marker === 'revoked' && entry.key.equals(key))
  if (revoked) return { kind: 'revoked', entry: revoked }
  const [own = [], ...others] = names.map((name) => about(name).filter((entry) => entry.marker === undefined))
  const same = own.find((entry) => entry.key.equals(key))
  if (same) return { kind: 'ok', entry: same }
  const other = own.find((entry) => VERIFIABLE.includes(entry.type))
  if (other) return { kind: 'changed', entry: other, knownFingerprint: fingerprint(other.key) }
  const elsewhere = others.flat().find((entry) => entry.key.equals(key))
  if (elsewhere) return { kind: 'ok', entry: elsewhere }
  const authority = names.flatMap(about).find((entry) => entry.marker === 'cert-authority')
  return { kind: 'unknown', otherTypes: [...new Set(own.map((entry) => entry.type))], authority }
}

/** Types of the keys that are known for a host, under the first of its names that has any. */
export function knownKeyTypes(entries: readonly KnownHost[], names: readonly string[]): string[] {
  const typesOf = (name: string) =>
    entries.filter((entry) => entry.marker === undefined && matchesHost(entry.hosts, name)).map((entry) => entry.type)
  const found = names.map(typesOf).find((types) => types.length > 0) ?? []
  return [...new Set(found)]
}

/** Host key algorithms for the handshake: those of known keys first, or the server would show a key that is not known. */
export function hostKeyAlgorithms(knownTypes: readonly string[]): string[] {
  const ordered = VERIFIABLE.toSorted((a, b) => Number(knownTypes.includes(b)) - Number(knownTypes.includes(a)))
  return ordered.flatMap((type) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]))
}

/** `SHA256:…` without padding, as ssh prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The type that a public key names in itself, as `ssh-ed25519`; empty when it names none. */
export function keyType(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0)
  return key.length < 4 + length ? '' : key.toString('latin1', 4, 4 + length)
}

/** A line for a host; hashed with `salt` (20 bytes) or a fresh one when `hashed`. */
export function knownHostsLine(name: string, key: Buffer, options: { hashed: boolean; salt?: Buffer }): string {
  const lower = name.toLowerCase()
  const hosts = options.hashed ? hashName(lower, options.salt ?? randomBytes(20)) : lower
  return `${hosts} ${keyType(key)} ${key.toString('base64')}`
}

/** Whether the first field of a line speaks of a host. One negated pattern that matches rejects the whole line. */
export function matchesHost(hosts: string, name: string): boolean {
  const lower = name.toLowerCase()
  if (hosts.startsWith('|')) return matchesHashed(hosts, lower)
  const patterns = hosts.toLowerCase().split(',')
  const isMatch = (pattern: string) => matchesPattern(pattern, lower)
  if (patterns.some((pattern) => pattern.startsWith('!') && isMatch(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && isMatch(pattern))
}

function parseLine(written: string): Omit<KnownHost, 'file' | 'line'> | undefined {
  if (written === '' || written.startsWith('#')) return undefined
  const fields = written.split(/[ \t]+/)
  const marker = fields[0]?.startsWith('@') ? fields.shift()?.slice(1) : undefined
  if (marker !== undefined && marker !== 'revoked' && marker !== 'cert-authority') return undefined
  const [hosts, type, encoded] = fields
  if (hosts === undefined || type === undefined || encoded === undefined) return undefined
  const key = Buffer.from(encoded, 'base64')
  return keyType(key) === type ? { marker, hosts, type, key } : undefined
}

function matchesHashed(hosts: string, name: string): boolean {
  const [, version, salt, hash] = hosts.split('|')
  if (version !== '1' || !salt || !hash) return false
  return hashName(name, Buffer.from(salt, 'base64')) === `|1|${salt}|${hash}`
}

function hashName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

/** `*` and `?` only, in linear time: after a mismatch the last `*` takes one character more. */
function matchesPattern(pattern: string, name: string): boolean {
  let [at, star, retry] = [0, -1, 0]
  for (let i = 0; i < name.length; ) {
    if (pattern[at] === '*') {
      star = at++
      retry = i
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[i])) {
      at++
      i++
    } else if (star >= 0) {
      at = star + 1
      i = ++retry
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
