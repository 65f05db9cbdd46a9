import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { offerFor } from '../../../../src/tunnel/ssh2/algorithms.ts'
import { PARAMETERS } from '../fakes.ts'

const none = { keyExchanges: undefined, ciphers: undefined, macs: undefined, hostKeys: undefined }
const offer = (algorithms: Partial<typeof PARAMETERS.algorithms>, known: string[] = []) =>
  offerFor({ ...PARAMETERS, algorithms: { ...none, ...algorithms } }, known)

interface Defaults {
  DEFAULT_KEX: string[]
  DEFAULT_CIPHER: string[]
  DEFAULT_MAC: string[]
}
const defaults: Defaults = createRequire(import.meta.url)('ssh2/lib/protocol/constants.js')

describe('what is offered to a server', () => {
  it('is all that ssh2 does well where ssh_config says nothing', () => {
    const { kex, cipher, hmac, serverHostKey } = offer({})
    expect(kex.remove).toEqual(expect.arrayContaining(['diffie-hellman-group18-sha512']))
    expect([kex.remove.length, cipher.remove, hmac.remove]).toEqual([3, [], []])
    expect(serverHostKey[0]).toBe('ssh-ed25519')
  })

  it("names every algorithm of ssh2's own lists, so that none is offered unseen", () => {
    const one = offer({ keyExchanges: ['curve25519-sha256'], ciphers: ['aes256-ctr'], macs: ['hmac-sha2-512'] })
    const left = (list: string[], { remove }: { remove: string[] }) => list.filter((name) => !remove.includes(name))
    expect(left(defaults.DEFAULT_KEX, one.kex)).toEqual(['curve25519-sha256'])
    expect(left(defaults.DEFAULT_CIPHER, one.cipher)).toEqual(['aes256-ctr'])
    expect(left(defaults.DEFAULT_MAC, one.hmac)).toEqual(['hmac-sha2-512'])
  })

  it('asks for known host keys first, and for none that ssh_config leaves out', () => {
    expect(offer({ hostKeys: ['ssh-ed25519', 'rsa-sha2-256'] }, ['ssh-rsa']).serverHostKey).toEqual([
      'rsa-sha2-256',
      'ssh-ed25519',
    ])
  })

  it.each([
    ['KexAlgorithms', { keyExchanges: ['mlkem768x25519-sha256'] }],
    ['Ciphers', { ciphers: ['3des-cbc'] }],
    ['MACs', { macs: ['umac-64@openssh.com'] }],
    ['HostKeyAlgorithms', { hostKeys: ['sk-ssh-ed25519@openssh.com'] }],
  ])('is refused before dialling when %s leaves nothing', (keyword, algorithms) => {
    expect(() => offer(algorithms)).toThrow(
      expect.objectContaining({ code: 'SSH_NO_COMMON_ALGORITHM', message: expect.stringContaining(keyword) }),
    )
  })
})
