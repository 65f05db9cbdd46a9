import { describe, expect, it } from 'vitest'
import type { SshParameters } from '../../../src/tunnel/ssh-config/ssh-parameters.ts'
import { gatherEvidence } from '../../../src/tunnel/transport-evidence.ts'
import { memoryFiles, PARAMETERS } from './fakes.ts'

const publicKey = (type: string) => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(type.length)
  return `${type} ${Buffer.concat([length, Buffer.from(type), Buffer.alloc(36)]).toString('base64')} bob`
}
const PLAIN = publicKey('ssh-ed25519')
const TOKEN = publicKey('sk-ssh-ed25519@openssh.com')
const CERTIFICATE = publicKey('ssh-ed25519-cert-v01@openssh.com')
const HOSTS = '/home/bob/.ssh/known_hosts'

interface Given {
  files?: Record<string, string | Error>
  parameters?: Partial<SshParameters>
  env?: Record<string, string>
  hasMaster?: boolean
}

/** Only what was found. */
async function find({ files, parameters, env = {}, hasMaster = false }: Given) {
  const found = await gatherEvidence(
    { ...PARAMETERS, ...parameters },
    { files: memoryFiles(files), local: { env, uid: 1000 }, hasMaster: async () => hasMaster },
  )
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

describe('evidence for the ssh program', () => {
  it('is not there by itself', async () => {
    const files = { '/k': 'a private key', '/k.pub': PLAIN, [HOSTS]: `gpu.example.com ${PLAIN}` }
    expect(await find({ files, parameters: { identityFiles: ['/k'] } })).toEqual({})
  })

  it('is a master that lives', async () => {
    expect(await find({ hasMaster: true, parameters: { controlPath: '/m' } })).toEqual({ master: '/m' })
  })

  it('is a certificate that is named and there, or beside a key', async () => {
    const named = { certificateFiles: ['/none', '/c'] }
    expect(await find({ files: { '/c': CERTIFICATE }, parameters: named })).toEqual({ certificate: '/c' })
    const beside = { files: { '/k-cert.pub': CERTIFICATE }, parameters: { identityFiles: ['/k'] } }
    expect(await find(beside)).toEqual({ certificate: '/k-cert.pub' })
    expect(await find({ files: { '/c': PLAIN }, parameters: named })).toEqual({})
    expect(await find({ files: { '/c': new Error('EACCES') }, parameters: named })).toEqual({})
  })

  it('is a token key that would be offered first', async () => {
    const files = { '/t': 'x', '/t.pub': TOKEN, '/k': 'y', '/k.pub': PLAIN }
    expect(await find({ files, parameters: { identityFiles: ['/none', '/t', '/k'] } })).toEqual({ tokenKey: '/t' })
    expect(await find({ files, parameters: { identityFiles: ['/k', '/t'] } })).toEqual({})
  })

  it('is no key at all when files of keys may not be used', async () => {
    const files = { '/t': 'x', '/t.pub': TOKEN, '/t-cert.pub': CERTIFICATE }
    expect(await find({ files, parameters: { identityFiles: ['/t'], usesKeyFiles: false } })).toEqual({})
  })

  it('is an authority for the host, where no key of its own is known', async () => {
    const authority = `@cert-authority *.example.com ${PLAIN}`
    expect(await find({ files: { [HOSTS]: `# one\n${authority}` } })).toEqual({ authority: `${HOSTS}:2` })
    expect(await find({ files: { [HOSTS]: `${authority}\ngpu.example.com ${PLAIN}` } })).toEqual({})
    expect(await find({ files: { [HOSTS]: `@cert-authority other ${PLAIN}` } })).toEqual({})
  })

  it('is a ticket that may be used, where there is no key', async () => {
    const files = { '/tmp/krb5cc_1000': 'ticket' }
    expect(await find({ files, parameters: { gssapi: true } })).toEqual({ ticket: '/tmp/krb5cc_1000' })
    expect(await find({ files, parameters: { gssapi: false } })).toEqual({})
    expect(await find({ files, parameters: { gssapi: true, identityAgent: '/agent' } })).toEqual({})
    const elsewhere = { parameters: { gssapi: true }, env: { KRB5CCNAME: 'KEYRING:persistent:1000' } }
    expect(await find(elsewhere)).toEqual({ ticket: 'KEYRING:persistent:1000' })
  })
})
