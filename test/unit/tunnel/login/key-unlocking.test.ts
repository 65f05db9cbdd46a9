import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ParseKey, publicKeyOf, whyLocked } from '../../../../src/tunnel/login/key-files.ts'
import { unlockKey } from '../../../../src/tunnel/login/key-unlocking.ts'

const parseKey = ssh2.utils.parseKey as unknown as ParseKey
const never = new AbortController().signal
const OPENSSH = { passphrase: 'open', cipher: 'aes256-ctr', rounds: 1 }
const pem = (type: 'pkcs1' | 'pkcs8') =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' },
  }).privateKey

const KEYS: [string, string][] = [
  ['ed25519', ssh2.utils.generateKeyPairSync('ed25519', OPENSSH).private],
  ['ecdsa', ssh2.utils.generateKeyPairSync('ecdsa', { ...OPENSSH, bits: 384 }).private],
  ['rsa', ssh2.utils.generateKeyPairSync('rsa', { ...OPENSSH, bits: 2048 }).private],
  ['an old PEM', pem('pkcs1')],
  ['PKCS#8', pem('pkcs8')],
]

describe('an encrypted key', () => {
  it.each(KEYS)('%s is opened by the right passphrase only, and signs', async (_, text) => {
    const opened = await unlockKey(text, 'open', parseKey, never)
    if (opened.kind !== 'private') throw new Error(JSON.stringify(opened))
    const data = Buffer.from('data')
    const signature = opened.key.sign(data, opened.key.type === 'ssh-rsa' ? 'sha256' : undefined)
    if (signature instanceof Error) throw signature
    const publicKey = ssh2.utils.parseKey(opened.key.getPublicSSH())
    if (publicKey instanceof Error) throw publicKey
    const hash = opened.key.type === 'ssh-rsa' ? 'sha256' : undefined
    expect(publicKey.verify(data, signature, hash as never)).toBe(true)
    expect((await unlockKey(text, 'shut', parseKey, never)).kind).toBe('wrong')
    expect((await unlockKey(text, '', parseKey, never)).kind).toBe('wrong')
  })

  it('is not called unusable when a wrong passphrase happens to fit its padding', () => {
    expect(whyLocked('error:1E08010C:DECODER routines::unsupported')).toEqual({ kind: 'wrong' })
  })

  it('that is none is unusable', async () => {
    expect(await unlockKey('nonsense', 'open', parseKey, never)).toEqual({
      kind: 'unusable',
      reason: expect.stringContaining('not a private key'),
    })
  })

  it('with a slow key derivation does not hold up the host', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slow-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-a', '40', '-N', 'open', '-f', path])
    let beats = 0
    const timer = setInterval(() => {
      beats += 1
    }, 5)
    const opened = await unlockKey(readFileSync(path, 'utf8'), 'open', parseKey, never)
    clearInterval(timer)
    expect(opened.kind === 'private' && opened.key.getPublicSSH()).toEqual(
      publicKeyOf(readFileSync(`${path}.pub`, 'utf8')),
    )
    // Were it done on the host's own thread, there would be none.
    expect(beats).toBeGreaterThan(5)
  })

  it('is given up with the signal, at once', async () => {
    const text = ssh2.utils.generateKeyPairSync('ed25519', { ...OPENSSH, rounds: 16 }).private
    const controller = new AbortController()
    const opening = unlockKey(text, 'open', parseKey, controller.signal)
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(opening).rejects.toBe(reason)
    await expect(unlockKey(text, 'open', parseKey, controller.signal)).rejects.toBe(reason)
  })
})
