import { describe, expect, it } from 'vitest'
import { parseRevokedKeys, readFurtherTrust } from '../../../../src/tunnel/host-keys/further-trust.ts'
import { hostNames, verdict } from '../../../../src/tunnel/host-keys/known-hosts.ts'
import type { SshParameters } from '../../../../src/tunnel/ssh-config/ssh-parameters.ts'
import { memoryFiles, PARAMETERS } from '../fakes.ts'

const key = (byte: number) => Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 '), Buffer.alloc(32, byte)])
const line = (byte: number) => `ssh-ed25519 ${key(byte).toString('base64')} a comment`
const FILE = '/etc/ssh/revoked'

function read(content: string | Error | undefined, more: Partial<SshParameters> = {}) {
  const notices: string[] = []
  const files = memoryFiles(content === undefined ? {} : { [FILE]: content })
  const parameters = { ...PARAMETERS, revokedHostKeysFile: FILE, ...more }
  return { notices, result: readFurtherTrust(parameters, files, (text) => notices.push(text)) }
}

describe('RevokedHostKeys', () => {
  it('refuses its keys for every host, and says where they stand', async () => {
    const { result } = read(`# stolen\r\n${line(1)}\r\n\nnonsense\n${line(2)}`)
    const names = hostNames('gpu', 2200, undefined)
    expect(verdict(await result, names, key(2))).toMatchObject({ kind: 'revoked', entry: { file: FILE, line: 5 } })
    expect(verdict(await result, names, key(3)).kind).toBe('unknown')
    expect(parseRevokedKeys('ssh-rsa AAAA\n', FILE)).toEqual([])
  })

  it.each([undefined, Object.assign(new Error(), { code: 'EACCES' })])(
    'that cannot be read trusts nobody',
    async (content) => {
      await expect(read(content).result).rejects.toMatchObject({
        code: 'SSH_CONFIG_INVALID',
        message: expect.stringContaining(FILE),
      })
    },
  )

  it('that is a binary list is left to the ssh program, or told', async () => {
    const list = 'SSHKRL\n\0\0\0\0\x01'
    await expect(read(list).result).rejects.toMatchObject({ code: 'SSH_UNSUPPORTED' })
    const { result, notices } = read(list, { mayLeaveToOpenssh: false })
    expect(await result).toEqual([])
    expect(notices).toEqual([expect.stringContaining(FILE)])
  })
})

describe('KnownHostsCommand', () => {
  it('is left to the ssh program, or told', async () => {
    const command = { knownHostsCommand: '/bin/keys %H', revokedHostKeysFile: undefined }
    await expect(read('', command).result).rejects.toMatchObject({ code: 'SSH_UNSUPPORTED' })
    const { result, notices } = read('', { ...command, mayLeaveToOpenssh: false })
    expect(await result).toEqual([])
    expect(notices).toEqual([expect.stringContaining('KnownHostsCommand')])
  })

  it('is nothing where ssh_config has none', async () => {
    const { result, notices } = read('', { revokedHostKeysFile: undefined })
    expect(await result).toEqual([])
    expect(notices).toEqual([])
  })
})
