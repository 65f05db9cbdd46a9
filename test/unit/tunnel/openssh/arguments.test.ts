import { describe, expect, it } from 'vitest'
import type { SshTarget } from '../../../../src/config/schema.ts'
import {
  keeperArguments,
  sharedCommandArguments,
  sharedStreamArguments,
  streamArguments,
} from '../../../../src/tunnel/openssh/arguments.ts'
import type { SshParameters } from '../../../../src/tunnel/ssh-config/ssh-parameters.ts'
import { sshTarget } from '../../../support/ssh-target.ts'
import { PARAMETERS } from '../fakes.ts'

function keeper(target: Partial<SshTarget> = {}, parameters: Partial<SshParameters> = {}): string {
  const destination = { target: sshTarget({ host: 'gpu', ...target }), parameters: { ...PARAMETERS, ...parameters } }
  return keeperArguments(destination, '/run/x/c').join(' ')
}

describe('the arguments of ssh', () => {
  it('make a master that neither listens on a port nor does anything besides', () => {
    const words = keeper()
    for (const option of ['ControlMaster=yes', 'ControlPath=/run/x/c', 'ClearAllForwardings=yes', 'Tunnel=no']) {
      expect(words).toContain(`-o ${option}`)
    }
    expect(words).toContain('-N -T -vv')
    expect(words).not.toMatch(/ -[LRD] /)
  })

  it('pass on what is configured, with the host after all options', () => {
    const words = keeper({ port: 2222, user: 'me', identityFile: '~/key', jump: 'gate', knownHostsFile: '/k nown' })
    expect(words).toMatch(/-p 2222 -l me -i ~\/key -J gate -- gpu$/)
    expect(words).toContain('-o UserKnownHostsFile="/k nown"')
    expect(words).toContain('-o ConnectTimeout=1 ')
  })

  it('never let a host be an option', () => {
    const words = keeperArguments(
      { target: sshTarget({ host: '-oProxyCommand=x' }), parameters: PARAMETERS },
      undefined,
    )
    expect(words.slice(-2)).toEqual(['--', '-oProxyCommand=x'])
  })

  it('ask about host keys where the configuration would not, and only there', () => {
    expect(keeper({}, { strictHostKeyChecking: 'off' })).toContain('-o StrictHostKeyChecking=ask')
    for (const kept of ['ask', 'yes', 'accept-new'] as const) {
      expect(keeper({}, { strictHostKeyChecking: kept })).not.toContain('StrictHostKeyChecking')
    }
  })

  it('keep ssh from going into the background, but name that option only where it is known', () => {
    expect(keeper({}, { forksAfterLogin: true })).toContain('-o ForkAfterAuthentication=no')
    expect(keeper()).not.toContain('ForkAfterAuthentication')
  })

  it('turn a jump off by `none`', () => {
    expect(keeper({ jump: 'none' })).toContain('-o ProxyJump=none -- gpu')
  })

  it.each([
    [['agent', 'key'], 'PreferredAuthentications=publickey', /IdentityAgent|IdentityFile/],
    [['key', 'password'], 'PreferredAuthentications=publickey,password -o IdentityAgent=none', /IdentityFile/],
    [['agent'], 'PreferredAuthentications=publickey -o IdentityFile=none', /IdentityAgent/],
    [['keyboard-interactive'], 'PreferredAuthentications=keyboard-interactive', /Identity/],
  ] as const)('allow %j by %s', (auth, wanted, unwanted) => {
    const words = keeper({ auth })
    expect(words).toContain(`-o ${wanted}`)
    expect(words).not.toMatch(unwanted)
  })

  it('share nothing when each stream logs in by itself', () => {
    const destination = { target: sshTarget({ host: 'gpu' }), parameters: PARAMETERS, configFile: '/c' }
    const words = streamArguments(destination, '::1', 80).join(' ')
    expect(words).toMatch(/^-F \/c .*-W \[::1\]:80 /)
    expect(words).toContain('-o ControlPath=none')
    expect(words).not.toContain('ControlMaster=yes')
  })

  it('use a master without reading, asking or dialling anything', () => {
    const words = sharedStreamArguments('/tmp/100%/m', 'localhost', 11434).join(' ')
    expect(words).toContain('-F none')
    expect(words).toContain('-W localhost:11434')
    expect(words).toContain('-o ControlPath=/tmp/100%%/m')
    expect(words).toMatch(/-o BatchMode=yes -o ProxyCommand=false -- master$/)
    expect(sharedCommandArguments('/m', 'true').slice(-3)).toEqual(['--', 'master', 'true'])
  })
})
