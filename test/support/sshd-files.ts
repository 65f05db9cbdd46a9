// The texts that a private sshd reads: its configuration, its users, and what clients know of its keys. Nothing is started here.
import { createHash, createHmac, randomBytes } from 'node:crypto'

/** A public key: `publicLine` is `TYPE BASE64`, `fingerprint` is `SHA256:BASE64` as ssh prints it. */
export type HostKey = { publicLine: string; fingerprint: string }

export type LoginMethod = 'publickey' | 'password'

/** Name of the test user that the NSS wrapper makes up. */
export const TEST_USER = 'ollama'

/** Password of the test user. */
export const TEST_PASSWORD = 'correct horse'

/** Made once with: openssl passwd -6 -salt ollamatest 'correct horse' */
const PASSWORD_HASH =
  '$6$ollamatest$p4FceYiDPTvoUrILQlUI.nCrf4xlZthQVeZjOtOAepCTA4dHawNR2C1I.zNOCOczOVkkzSrOTUSGhyX9ZgggP/'

/** Of no one on usual systems; nobody logs in with it. */
const PRIVILEGE_ID = 65_533

/** sshd keeps the first value that it meets, and a Match block lasts to the end: hence `own` lines stand around ours. */
export function sshdConfig(parts: { own: readonly string[]; defaults: readonly string[] }): string[] {
  const match = parts.own.findIndex((line) => /^\s*match\s/i.test(line))
  const end = match < 0 ? parts.own.length : match
  return [...parts.own.slice(0, end), ...parts.defaults, ...parts.own.slice(end)]
}

/** Lines that allow exactly these methods. */
export function methodLines(methods: readonly LoginMethod[]): string[] {
  const answer = (method: LoginMethod) => (methods.includes(method) ? 'yes' : 'no')
  return [
    `PubkeyAuthentication ${answer('publickey')}`,
    `PasswordAuthentication ${answer('password')}`,
    'KbdInteractiveAuthentication no',
  ]
}

/** The three user databases: the test user has our own ids, `skel` and `sshd` are for privilege separation. */
export function userDatabases(user: {
  uid: number
  gid: number
  home: string
}): Record<'passwd' | 'group' | 'shadow', string> {
  const servant = (name: string) => `${name}:x:${PRIVILEGE_ID}:${PRIVILEGE_ID}::/nonexistent:/usr/sbin/nologin\n`
  return {
    passwd: `${TEST_USER}:x:${user.uid}:${user.gid}:test:${user.home}:/bin/sh\n${servant('sshd')}${servant('skel')}`,
    group: `${TEST_USER}:x:${user.gid}:\nsshd:x:${PRIVILEGE_ID}:\n`,
    shadow: `${TEST_USER}:${PASSWORD_HASH}:19000:0:99999:7:::\n`,
  }
}

/** Reads the text of a `.pub` file. */
export function parsePublicKey(text: string): HostKey {
  const [type = '', blob = ''] = text.trim().split(/\s+/)
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')
  return { publicLine: `${type} ${blob}`, fingerprint: `SHA256:${digest}` }
}

/** One line of a known_hosts file; `hashed` hides the name as `HashKnownHosts yes` does. */
export function knownHostsLine(address: { host: string; port: number }, key: HostKey, hashed = false): string {
  const name = address.port === 22 ? address.host : `[${address.host}]:${address.port}`
  if (!hashed) return `${name} ${key.publicLine}`
  const salt = randomBytes(20)
  const hash = createHmac('sha1', salt).update(name).digest('base64')
  return `|1|${salt.toString('base64')}|${hash} ${key.publicLine}`
}
