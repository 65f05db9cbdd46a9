import { describe, expect, it } from 'vitest'
import { ERROR_CODES, PluginError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import { connectAuto, type TransportMemory } from '../../../src/tunnel/connect.ts'
import { MissingProgramError } from '../../../src/tunnel/openssh/openssh-errors.ts'
import type { SshParameters } from '../../../src/tunnel/ssh-config/ssh-parameters.ts'
import type { Session } from '../../../src/tunnel/transport.ts'
import { type Evidence, whyOpenssh, whyOpensshAfter } from '../../../src/tunnel/transport-choice.ts'
import { PARAMETERS } from './fakes.ts'

describe('why the ssh program is taken', () => {
  it('beforehand: for nothing, when nothing speaks for it', () => {
    expect(whyOpenssh(PARAMETERS, {})).toBeUndefined()
  })

  it.each<[Evidence, Partial<SshParameters>, string]>([
    [{ master: '/m' }, {}, 'your ssh is connected already (/m)'],
    [{ certificate: '/c' }, {}, 'a certificate is there to log in with (/c)'],
    [{ tokenKey: '/k' }, {}, 'the key is on a security token (/k)'],
    [{ authority: '/h:3' }, {}, 'known_hosts names a certificate authority for the host (/h:3)'],
    [{ ticket: '/t' }, {}, 'a Kerberos ticket is there to log in with (/t)'],
    [{}, { pkcs11Provider: '/p.so' }, 'ssh_config names a PKCS#11 provider (/p.so)'],
    [{}, { bindInterface: 'wg0' }, 'ssh_config asks for BindInterface (wg0)'],
    [{ master: '/m', certificate: '/c' }, {}, 'your ssh is connected already (/m)'],
  ])('beforehand: %j %j', (evidence, parameters, reason) => {
    expect(whyOpenssh({ ...PARAMETERS, ...parameters }, evidence)).toBe(reason)
  })

  it('afterwards: only for what it may do better', () => {
    const codes = ERROR_CODES.filter((code) => whyOpensshAfter(new PluginError(code, 'why')) !== undefined)
    expect(codes).toEqual(['SSH_NO_COMMON_ALGORITHM', 'SSH_KEY_UNSUPPORTED', 'SSH_UNSUPPORTED'])
  })
})

describe('the choice by itself', () => {
  const bySsh2 = { facts: { transport: 'ssh2' } } as Session
  const byOpenssh = { facts: { transport: 'openssh' } } as Session
  const common = new PluginError('SSH_NO_COMMON_ALGORITHM', 'none', { hint: 'Old?' })

  function rig(options: { ssh2?: Error; openssh?: Error; evidence?: Evidence } = {}) {
    const tried: string[] = []
    const notices: string[] = []
    const memory: TransportMemory = { told: new Set() }
    const run = () =>
      connectAuto(
        {
          parameters: PARAMETERS,
          evidence: options.evidence ?? {},
          bySsh2: async (parameters) => {
            tried.push(parameters.mayLeaveToOpenssh ? 'ssh2' : 'ssh2 alone')
            if (options.ssh2) throw options.ssh2
            return bySsh2
          },
          byOpenssh: async () => {
            tried.push('openssh')
            if (options.openssh) throw options.openssh
            return byOpenssh
          },
        },
        { log: silentLog, onNotice: (text) => notices.push(text), memory },
      )
    return { run, tried, notices, memory }
  }

  it('is ssh2', async () => {
    const { run, tried, notices } = rig()
    expect(await run()).toBe(bySsh2)
    expect([tried, notices]).toEqual([['ssh2'], []])
  })

  it('is remembered after a failure, and told once', async () => {
    const { run, tried, notices } = rig({ ssh2: common })
    expect(await run()).toBe(byOpenssh)
    expect(await run()).toBe(byOpenssh)
    expect(tried).toEqual(['ssh2', 'openssh', 'openssh'])
    expect(notices).toEqual(['gpu is reached by the ssh program: the server shares no algorithm with ssh2'])
  })

  it('is not remembered when the program fails too', async () => {
    const denied = new PluginError('SSH_AUTH_FAILED', 'no')
    const { run, tried } = rig({ ssh2: common, openssh: denied })
    await expect(run()).rejects.toMatchObject({ code: 'SSH_AUTH_FAILED', message: 'no (none)', cause: denied })
    await expect(run()).rejects.toMatchObject({ code: 'SSH_AUTH_FAILED', message: 'no (none)', cause: denied })
    expect(tried).toEqual(['ssh2', 'openssh', 'ssh2', 'openssh'])
  })

  it.each(['SSH_AUTH_FAILED', 'SSH_HOST_KEY_CHANGED', 'SSH_AUTH_CANCELLED'] as const)(
    'is final after %s',
    async (code) => {
      const { run, tried } = rig({ ssh2: new PluginError(code, 'no') })
      await expect(run()).rejects.toMatchObject({ code })
      expect(tried).toEqual(['ssh2'])
    },
  )

  it('falls back to ssh2 where there is no ssh program', async () => {
    const { run, tried } = rig({ evidence: { certificate: '/c' }, openssh: new MissingProgramError() })
    expect(await run()).toBe(bySsh2)
    expect(await run()).toBe(bySsh2)
    expect(tried).toEqual(['openssh', 'ssh2 alone', 'ssh2 alone'])
  })

  it('tells the first failure where there is no ssh program, and that it would help', async () => {
    const { run } = rig({ ssh2: common, openssh: new MissingProgramError() })
    for (const _ of ['once', 'again']) {
      await expect(run()).rejects.toMatchObject({
        code: 'SSH_NO_COMMON_ALGORITHM',
        message: 'none',
        hint: 'Old? The ssh program could do it, but none was found: install OpenSSH.',
      })
    }
  })
})
