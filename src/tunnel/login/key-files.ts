// Private keys as files hold them: which half is readable, whether a passphrase is needed, and what makes one unusable.
// Pure: the parser is given, no file is read, and no passphrase comes here (key-unlocking.ts).
import { createPrivateKey } from 'node:crypto'

/** A private key that can sign, as ssh2 makes it. */
export interface PrivateKey {
  readonly type: string
  isPrivateKey(): boolean
  getPublicSSH(): Buffer
  sign(data: Buffer, hash?: string): Buffer | Error
}

export type ParseKey = (text: string) => PrivateKey | PrivateKey[] | Error

export type KeyFile =
  | { kind: 'private'; key: PrivateKey }
  /** `publicKey` is known where the format leaves it in the clear. */
  | { kind: 'encrypted'; publicKey: Buffer | undefined }
  /** The file holds a public key: the private one is in an agent. */
  | { kind: 'public'; publicKey: Buffer }
  | { kind: 'unusable'; reason: string }

export type Unlocked = { kind: 'private'; key: PrivateKey } | { kind: 'wrong' } | { kind: 'unusable'; reason: string }

const ENCRYPTED_PKCS8 = '-----BEGIN ENCRYPTED PRIVATE KEY-----'
const PLAIN_PKCS8 = '-----BEGIN PRIVATE KEY-----'

/** Looks at an identity file without a passphrase. */
export function readKeyFile(text: string, parse: ParseKey): KeyFile {
  if (text.includes(ENCRYPTED_PKCS8)) return { kind: 'encrypted', publicKey: undefined }
  const parsed = parseAny(text, parse)
  if (!(parsed instanceof Error)) {
    return parsed.isPrivateKey()
      ? { kind: 'private', key: parsed }
      : { kind: 'public', publicKey: parsed.getPublicSSH() }
  }
  if (/passphrase given/i.test(parsed.message)) return { kind: 'encrypted', publicKey: publicHalf(text) }
  return { kind: 'unusable', reason: explain(parsed.message) }
}

/** Reads a key that was encrypted and no longer is, in a format of ssh2's or in PKCS#8. */
export function readOpened(text: string, parse: ParseKey): Unlocked {
  const parsed = parseAny(text, parse)
  return parsed instanceof Error
    ? { kind: 'unusable', reason: explain(parsed.message) }
    : { kind: 'private', key: parsed }
}

/** Why a key did not open, by the words of ssh2 or OpenSSL. */
export function whyLocked(message: string): Unlocked {
  // In one of 200 tries a wrong passphrase makes PKCS#8 look whole, and OpenSSL finds nothing that it knows in it.
  const isWrong =
    /bad passphrase|unable to authenticate data|generate information to decrypt|bad.decrypt|DECODER routines|asn1/i.test(
      message,
    )
  return isWrong ? { kind: 'wrong' } : { kind: 'unusable', reason: explain(message) }
}

/** The public key that a `.pub` file holds, as it goes over the wire; `undefined` when it holds none. */
export function publicKeyOf(text: string): Buffer | undefined {
  const [type, encoded] = text.trim().split(/\s+/)
  if (type === undefined || encoded === undefined) return undefined
  const key = Buffer.from(encoded, 'base64')
  return key.length > 4 && key.toString('latin1', 4, 4 + key.readUInt32BE(0)) === type ? key : undefined
}

function parseAny(text: string, parse: ParseKey): PrivateKey | Error {
  try {
    const parsed = parse(text.includes(PLAIN_PKCS8) ? fromPkcs8(text) : text)
    return Array.isArray(parsed) ? (parsed[0] ?? new Error('the file holds no key')) : parsed
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** ssh2 reads no PKCS#8, but Node does, and can write what ssh2 reads. */
function fromPkcs8(text: string): string {
  const key = createPrivateKey(text)
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' }).toString()
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' }).toString()
    case 'ed25519': {
      const { x = '', d = '' } = key.export({ format: 'jwk' })
      return ed25519File(Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url'))
    }
    default:
      throw new Error(`keys of type ${key.asymmetricKeyType} are not supported`)
  }
}

/** An unencrypted file of OpenSSH's own format, see PROTOCOL.key in its sources. */
function ed25519File(publicPart: Buffer, seed: Buffer): string {
  const string = (part: Buffer | string) => {
    const bytes = Buffer.from(part)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const publicKey = Buffer.concat([string('ssh-ed25519'), string(publicPart)])
  const secret = Buffer.concat([Buffer.alloc(8), publicKey, string(Buffer.concat([seed, publicPart])), string('')])
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (secret.length % 8)) % 8)
  const head = [string('none'), string('none'), string(''), Buffer.from([0, 0, 0, 1])]
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...head,
    string(publicKey),
    string(Buffer.concat([secret, padding])),
  ])
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${file.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`
}

/** OpenSSH's format keeps the public key in the clear, after the names of cipher and key derivation. */
export function publicHalf(text: string): Buffer | undefined {
  return clearPart(text)?.publicKey
}

/** The cipher that a file of OpenSSH's format names, as `aes256-ctr`; `none` when it is not encrypted. */
export function cipherOf(text: string): string | undefined {
  return clearPart(text)?.cipher
}

function clearPart(text: string): { cipher: string; publicKey: Buffer } | undefined {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*)-----END/.exec(text) ?? []
  const bytes = Buffer.from(body ?? '', 'base64')
  let at = 'openssh-key-v1\0'.length
  const next = () => {
    const start = at + 4
    at = start + bytes.readUInt32BE(at)
    return bytes.subarray(start, at)
  }
  try {
    const [cipher] = [next(), next(), next()]
    // The number of keys.
    at += 4
    return { cipher: cipher?.toString('latin1') ?? '', publicKey: next() }
  } catch {
    return undefined
  }
}

/** ssh2's words for what it cannot read, in words that help. */
function explain(message: string): string {
  if (/type: sk-/.test(message)) return 'it is a key of a security token (FIDO)'
  if (/Invalid initialization vector/.test(message))
    return 'it is encrypted with chacha20-poly1305: encrypt it anew with ssh-keygen -p -Z aes256-ctr'
  if (/Unsupported key format/.test(message)) return 'it is not a private key in a format that can be read'
  return message
}
