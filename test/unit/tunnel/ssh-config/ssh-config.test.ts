import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { SshTarget } from '../../../../src/config/schema.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { resolveSsh, type SshAnswer } from '../../../../src/tunnel/ssh-config/ssh-config.ts'
import {
  lastJump,
  parseSshOptions,
  refuseUnsupportedRoute,
  toParameters,
} from '../../../../src/tunnel/ssh-config/ssh-parameters.ts'
import { expandCommand, expandPath, tokensOf } from '../../../../src/tunnel/ssh-config/tokens.ts'
import { sshTarget } from '../../../support/ssh-target.ts'
import { memoryFiles, PARAMETERS } from '../fakes.ts'

const LOCAL = { home: '/home/me', name: 'me', uid: 1000, env: { SSH_AUTH_SOCK: '/run/agent', KEYS: '/keys' } }
const TARGET: SshTarget = sshTarget({ host: 'gpu' })
const PRINTED = `host gpu
user bob
hostname gpu.example.com
port 2200
addressfamily inet
identitiesOnly yes
stricthostkeychecking true
hashknownhosts yes
revokedhostkeys ~/revoked/%h
knownhostscommand none
kbdinteractiveauthentication no
canonicalizePermittedcnames none
certificatefile ~/c-cert.pub
identityfile ~/.ssh/%r_%h
identityfile \${KEYS}/a b/%n%%
userknownhostsfile /home/me/.ssh/known_hosts /home/me/.ssh/known_hosts2
globalknownhostsfile none
connecttimeout 7
proxycommand none
`
const parameters = (printed: string, target: Partial<SshTarget> = {}) =>
  toParameters(parseSshOptions(printed), { ...TARGET, ...target }, LOCAL)

function resolve(answer: SshAnswer, target: Partial<SshTarget> = {}, config = '') {
  const calls: (readonly string[])[] = []
  const run = async (commandArguments: readonly string[]) => {
    calls.push(commandArguments)
    return answer
  }
  const files = memoryFiles({ '/home/me/.ssh/config': config })
  return { calls, result: resolveSsh({ ...TARGET, ...target }, { files, log: silentLog, local: LOCAL, run }) }
}

describe('the output of ssh -G', () => {
  it('becomes parameters with all paths expanded', () => {
    expect(parameters(PRINTED)).toEqual({
      ...PARAMETERS,
      port: 2200,
      addressFamily: 4,
      identitiesOnly: true,
      identityAgent: '/run/agent',
      identityFiles: ['/home/me/.ssh/bob_gpu.example.com', '/keys/a b/gpu%'],
      strictHostKeyChecking: 'yes',
      hashKnownHosts: true,
      revokedHostKeysFile: '/home/me/revoked/gpu.example.com',
      userKnownHostsFiles: ['/home/me/.ssh/known_hosts', '/home/me/.ssh/known_hosts2'],
      connectTimeoutMs: 7000,
      loginMethods: ['publickey', 'password'],
      certificateFiles: ['/home/me/c-cert.pub'],
    })
  })

  it.each([
    ['identityagent none', undefined],
    ['identityagent SSH_AUTH_SOCK', '/run/agent'],
    ['identityagent $KEYS', '/keys'],
    ['identityagent ~/agent', '/home/me/agent'],
  ])('%s means the agent %s', (line, expected) => {
    expect(parameters(line).identityAgent).toBe(expected)
  })

  it.each([
    ['ask', 'ask'],
    ['true', 'yes'],
    ['accept-new', 'accept-new'],
    ['false', 'off'],
    ['off', 'off'],
  ])('stricthostkeychecking %s means %s', (written, expected) => {
    expect(parameters(`stricthostkeychecking ${written}`).strictHostKeyChecking).toBe(expected)
  })

  it("offers the plugin's own key first and takes its known_hosts in place of ssh's", () => {
    const made = parameters(PRINTED, { identityFile: '~/mine', knownHostsFile: '~/known' })
    expect(made.identityFiles[0]).toBe('/home/me/mine')
    expect(made.explicitIdentity).toBe('/home/me/mine')
    expect(made.userKnownHostsFiles).toEqual(['/home/me/known'])
    expect(made.globalKnownHostsFiles).toEqual([])
  })

  it('heeds preferredauthentications and its order', () => {
    const { loginMethods } = parameters('preferredauthentications gssapi-with-mic,password,publickey')
    expect(loginMethods).toEqual(['password', 'publickey'])
  })

  it('restricts the ways to those that the target names', () => {
    const agentOnly = parameters('', { auth: ['agent'] })
    expect(agentOnly).toMatchObject({ loginMethods: ['publickey'], usesKeyFiles: false, identityAgent: '/run/agent' })
    const others = parameters('passwordauthentication no', { auth: ['key', 'password', 'keyboard-interactive'] })
    expect(others).toMatchObject({ loginMethods: ['publickey', 'keyboard-interactive'], usesKeyFiles: true })
    expect(others.identityAgent).toBeUndefined()
  })

  it('leaves nothing to another transport when one is chosen', () => {
    expect(parameters('', { transport: 'ssh2' }).mayLeaveToOpenssh).toBe(false)
  })
})

describe('expansion', () => {
  it('knows the tokens of a path', () => {
    expect(expandPath('%d/%u/%h/%r/%n/%p/%i/%%', { h: 'H', r: 'R', n: 'N', p: '22' }, LOCAL)).toBe(
      '/home/me/me/H/R/N/22/1000/%',
    )
  })

  it('knows all tokens of a command', () => {
    const source = { alias: 'N', host: 'H', port: 22, user: 'R', hostKeyAlias: undefined, jumpHost: 'J' }
    const here = { ...LOCAL, hostname: 'here.example.com' }
    const written = '%h %p %r %n %u %d %i %l %L %k %j %% $HOME ~'
    expect(expandCommand(written, tokensOf(source, here), here)).toBe(
      'H 22 R N me /home/me 1000 here.example.com here N J % $HOME ~',
    )
    expect(expandCommand('%C', tokensOf(source, here), here)).toBe(
      createHash('sha1').update('here.example.comH22RJ').digest('hex'),
    )
  })

  it.each(['/keys/%Z', ['/keys/$', '{MISSING}'].join('')])('refuses what it does not know: %s', (path) => {
    expect(() => expandPath(path, {}, LOCAL)).toThrow(expect.objectContaining({ code: 'SSH_UNSUPPORTED' }))
  })

  it.each(['a;b', '$(x)', '`x`', 'a b', '-o', 'a"b'])('keeps a name from being a command: %s', (name) => {
    expect(() => expandCommand('nc %h', { h: name }, LOCAL)).toThrow(
      expect.objectContaining({ code: 'SSH_CONFIG_INVALID' }),
    )
  })

  it('refuses an unknown token of a command', () => {
    expect(() => expandCommand('nc %z', {}, LOCAL)).toThrow(expect.objectContaining({ code: 'SSH_UNSUPPORTED' }))
  })
})

describe('ways that cannot be gone', () => {
  it.each([
    ['BindInterface', { bindInterface: 'tun0' }],
    ['ProxyUseFdpass', { proxyCommand: 'x', proxyPassesSocket: true }],
  ])('%s is refused, never passed over', (option, change) => {
    const asked = () => refuseUnsupportedRoute({ ...PARAMETERS, ...change })
    expect(asked).toThrow(
      expect.objectContaining({ code: 'SSH_UNSUPPORTED', message: expect.stringContaining(option) }),
    )
  })

  it('a socket that no command passes is not missed', () => {
    expect(() => refuseUnsupportedRoute({ ...PARAMETERS, proxyPassesSocket: true })).not.toThrow()
  })
})

describe('a list of hops', () => {
  it.each([
    ['gate', { host: 'gate' }],
    ['me@gate:2222', { host: 'gate', port: 2222, user: 'me' }],
    ['a@b@gate', { host: 'gate', user: 'a@b' }],
    ['first:1,[::1]:22', { host: '::1', port: 22, before: 'first:1' }],
    ['a,b,ssh://me@[127.0.0.1]:5/', { host: '127.0.0.1', port: 5, user: 'me', before: 'a,b' }],
  ])('%s ends in the hop next to the host', (jump, expected) => {
    expect(lastJump(jump)).toEqual({ port: undefined, user: undefined, before: undefined, ...expected })
  })
})

describe('resolving a target', () => {
  it('asks ssh without a shell, with the host kept from being an option', async () => {
    const { calls, result } = resolve(
      { kind: 'done', code: 0, stdout: PRINTED, stderr: '' },
      { host: '-oX', port: 1, user: 'u', jump: 'gate' },
    )
    await result
    expect(calls).toEqual([['-T', '-G', '-p', '1', '-l', 'u', '-o', 'ProxyJump=gate', '--', '-oX']])
  })

  it('tells what ssh says of a bad configuration', async () => {
    const { result } = resolve({
      kind: 'done',
      code: 255,
      stdout: '',
      stderr: 'config: line 1: Bad option\nterminating\n',
    })
    await expect(result).rejects.toMatchObject({
      code: 'SSH_CONFIG_INVALID',
      message: expect.stringContaining('line 1: Bad option; terminating'),
    })
  })

  it('tells of a configuration that hangs', async () => {
    await expect(resolve({ kind: 'timeout' }).result).rejects.toMatchObject({ code: 'SSH_CONFIG_INVALID' })
  })

  describe('without ssh', () => {
    const CONFIG = `Host gpu
  hostname %h.example.com
  User bob
  Port 2200
  IdentityFile ~/.ssh/gpu
  IdentitiesOnly yes
  UserKnownHostsFile ~/a ~/b
  HostKeyAlias alias
Match exec "false"
  User never
Host jumped
  ProxyJump bastion
`

    it('reads what it can of ~/.ssh/config', async () => {
      expect(await resolve({ kind: 'missing' }, {}, CONFIG).result).toMatchObject({
        host: 'gpu.example.com',
        user: 'bob',
        port: 2200,
        identityFiles: ['/home/me/.ssh/gpu'],
        identitiesOnly: true,
        userKnownHostsFiles: ['/home/me/a', '/home/me/b'],
        hostKeyAlias: 'alias',
        identityAgent: '/run/agent',
      })
    })

    it('follows Includes, and tells what it may not understand', async () => {
      const notices: string[] = []
      const files = memoryFiles({
        '/home/me/.ssh/config': 'Include config.d/*\nHost *\n  User all\nMatch exec "true"\n  Port 9',
        '/home/me/.ssh/config.d/one': 'Host gpu\n  HostName one.example.com\n  Port 2201\n',
      })
      const run = async () => ({ kind: 'missing' }) as const
      const onNotice = (text: string) => notices.push(text)
      const found = await resolveSsh(TARGET, { files, log: silentLog, local: LOCAL, run, onNotice })
      expect(found).toMatchObject({ host: 'one.example.com', port: 2201, user: 'all' })
      expect(notices).toEqual([expect.stringMatching(/No ssh program .* Match may not be understood/)])
    })

    it('has defaults, and what the target says wins', async () => {
      expect(await resolve({ kind: 'missing' }, { host: 'joe@gpu', port: 5 }, CONFIG).result).toMatchObject({
        alias: 'gpu',
        user: 'joe',
        port: 5,
      })
      expect(await resolve({ kind: 'missing' }).result).toMatchObject({
        host: 'gpu',
        user: 'me',
        port: 22,
        userKnownHostsFiles: ['/home/me/.ssh/known_hosts', '/home/me/.ssh/known_hosts2'],
      })
    })

    it('keeps a ProxyJump, and prefers the one of the target', async () => {
      expect(await resolve({ kind: 'missing' }, { host: 'jumped' }, CONFIG).result).toMatchObject({
        proxyJump: 'bastion',
      })
      const target = { host: 'jumped', jump: 'none' }
      expect(await resolve({ kind: 'missing' }, target, CONFIG).result).toMatchObject({ proxyJump: undefined })
    })
  })
})
