import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  cipherOf,
  type ParseKey,
  publicHalf,
  publicKeyOf,
  readKeyFile,
} from '../../../../src/tunnel/login/key-files.ts'

const parseKey = ssh2.utils.parseKey as unknown as ParseKey
const plain = ssh2.utils.generateKeyPairSync('ed25519')
const locked = ssh2.utils.generateKeyPairSync('ed25519', { passphrase: 'open', cipher: 'aes256-ctr', rounds: 1 })

describe('key files', () => {
  it.each(['rsa', 'ec', 'ed25519'] as const)('of PKCS#8 are read: %s', (type) => {
    const options = { rsa: { modulusLength: 2048 }, ec: { namedCurve: 'P-256' }, ed25519: {} }[type]
    const { privateKey, publicKey } = generateKeyPairSync(type as 'rsa', options as { modulusLength: number })
    const file = readKeyFile(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), parseKey)
    if (file.kind !== 'private') throw new Error(JSON.stringify(file))
    const signature = file.key.sign(Buffer.from('data'), type === 'ed25519' ? undefined : 'sha256')
    if (signature instanceof Error) throw signature
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    expect((file.key as unknown as { getPublicPEM(): string }).getPublicPEM().replace(/\s/g, '')).toBe(
      pem.replace(/\s/g, ''),
    )
  })

  it('show their public half though they are encrypted', () => {
    expect(readKeyFile(locked.private, parseKey)).toEqual({ kind: 'encrypted', publicKey: publicKeyOf(locked.public) })
  })

  it('may hold a public key, or none', () => {
    expect(readKeyFile(plain.public, parseKey)).toEqual({ kind: 'public', publicKey: publicKeyOf(plain.public) })
    expect(readKeyFile('', parseKey).kind).toBe('unusable')
    expect(publicKeyOf('ssh-rsa AAAA')).toBeUndefined()
  })

  it.each(['aes256-ctr', 'chacha20-poly1305@openssh.com'])('tell their cipher: %s', (cipher) => {
    const folder = mkdtempSync(join(tmpdir(), 'cipher-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-a', '1', '-Z', cipher, '-N', 'open', '-f', path])
    const text = readFileSync(path, 'utf8')
    expect(cipherOf(text)).toBe(cipher)
    expect(publicHalf(text)).toEqual(publicKeyOf(readFileSync(`${path}.pub`, 'utf8')))
  })

  it('of no format of OpenSSH tell none', () => {
    expect(cipherOf('nonsense')).toBeUndefined()
    expect(cipherOf(plain.private)).toBe('none')
  })
})
