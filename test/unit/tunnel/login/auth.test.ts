import { generateKeyPairSync, randomBytes } from 'node:crypto'
import ssh2 from 'ssh2'
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../../src/core/log.ts'
import { fingerprint } from '../../../../src/tunnel/host-keys/known-hosts.ts'
import type { AgentIdentity } from '../../../../src/tunnel/login/agent-identities.ts'
import { Authenticator } from '../../../../src/tunnel/login/auth.ts'
import type { AuthAttempt, SigningKey } from '../../../../src/tunnel/login/auth-run.ts'
import { type ParseKey, publicKeyOf } from '../../../../src/tunnel/login/key-files.ts'
import { unlockKey } from '../../../../src/tunnel/login/key-unlocking.ts'
import type { SshParameters } from '../../../../src/tunnel/ssh-config/ssh-parameters.ts'
import { memoryFiles, PARAMETERS, scripted } from '../fakes.ts'

const never = new AbortController().signal
const parseKey = ssh2.utils.parseKey as unknown as ParseKey
const plain = ssh2.utils.generateKeyPairSync('ed25519')
const locked = ssh2.utils.generateKeyPairSync('ed25519', { passphrase: 'open', cipher: 'aes256-ctr', rounds: 1 })
const pemLocked = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' },
}).privateKey
const ALL = ['publickey', 'keyboard-interactive', 'password']

interface Options {
  files?: Record<string, string | Error>
  agent?: readonly string[] | Error
  answers?: (string | undefined)[]
  parameters?: Partial<SshParameters>
  secrets?: Map<string, string>
}

function rig(options: Options = {}) {
  const { asked, prompts } = scripted(...(options.answers ?? []))
  const secrets = options.secrets ?? new Map<string, string>()
  const agent = options.agent
  const keys = usable(agent).map(
    (line): SigningKey => ({
      publicKey: publicKeyOf(line) ?? Buffer.alloc(0),
      sign: async () => Buffer.from('signed'),
    }),
  )
  const authenticator = new Authenticator({
    parameters: { ...PARAMETERS, identityAgent: agent === undefined ? undefined : '/agent', ...options.parameters },
    prompts,
    signal: never,
    files: memoryFiles(options.files),
    secrets,
    log: silentLog,
    parseKey,
    unlock: (text, passphrase) => unlockKey(text, passphrase, parseKey, never),
    listAgentKeys: async () => {
      if (agent instanceof Error) throw agent
      return keys
    },
    listAgentIdentities: async () => (agent instanceof Error ? [] : (agent ?? [])).map(identityOf),
  })
  return { authenticator, asked, secrets }
}

/** ssh2 lists nothing else of an agent's. */
function usable(agent: Options['agent']): string[] {
  return agent instanceof Error ? [] : (agent ?? []).filter((line) => !/^sk-|-cert-/.test(line))
}

function identityOf(line: string): AgentIdentity {
  return { publicKey: publicKeyOf(line) ?? Buffer.alloc(0), comment: line.split(' ')[2] ?? '' }
}

/** A line of a `.pub` file. */
function wire(type: string, ...parts: string[]): string {
  const strings = [type, ...parts].map((part) => {
    const bytes = Buffer.from(part, 'latin1')
    return Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes])
  })
  return `${type} ${Buffer.concat(strings).toString('base64')} a-comment`
}

/** Refuses everything, as a server that offers `offered`, and tells what was tried. */
async function refuseAll(
  authenticator: Authenticator,
  offered: readonly string[] = ALL,
  act?: (attempt: AuthAttempt) => Promise<unknown>,
) {
  const tried: string[] = []
  let left: readonly string[] | null = null
  for (;;) {
    const attempt = await authenticator.next(left, left && false)
    if (!attempt) return tried
    tried.push(attempt.type)
    await act?.(attempt)
    left = offered
  }
}

const identity = (path: string, ...more: string[]) => ({ identityFiles: [path, ...more] })

describe('a login', () => {
  it('tries the keys of the agent, those of files, then asks the server before it asks the user', async () => {
    const other = ssh2.utils.generateKeyPairSync('ed25519')
    const { authenticator, asked } = rig({
      files: { '/k': plain.private },
      agent: [other.public],
      parameters: identity('/k'),
    })
    expect(await refuseAll(authenticator, ['publickey'])).toEqual(['signer', 'publickey'])
    expect(asked).toEqual([])
    const print = fingerprint(publicKeyOf(other.public) ?? Buffer.alloc(0))
    expect(authenticator.failure()).toMatchObject({
      code: 'SSH_AUTH_FAILED',
      message: `Login to bob@gpu failed: agent key ${print}: refused; /k: refused; password: not offered by the server`,
    })
  })

  it('asks what is offered when only the agent was tried, whose answer ssh2 keeps to itself', async () => {
    const { authenticator, asked } = rig({ agent: [plain.public], answers: ['secret'] })
    expect(await refuseAll(authenticator, ['publickey'])).toEqual(['signer', 'none'])
    expect(asked).toEqual([])
  })

  it('shows the agent the keys that IdentityFile names first, and with IdentitiesOnly no other', async () => {
    const other = ssh2.utils.generateKeyPairSync('ed25519')
    const offered = async (identitiesOnly: boolean) => {
      const { authenticator } = rig({
        files: { '/k.pub': plain.public },
        agent: [other.public, plain.public],
        parameters: { ...identity('/k'), identitiesOnly },
      })
      const keys: (Buffer | undefined)[] = []
      await refuseAll(authenticator, ['publickey'], async (attempt) => {
        if (attempt.type === 'signer') keys.push(attempt.key.publicKey)
      })
      return keys
    }
    expect(await offered(false)).toEqual([publicKeyOf(plain.public), publicKeyOf(other.public)])
    expect(await offered(true)).toEqual([publicKeyOf(plain.public)])
  })

  it("offers the plugin's own key before the agent's other keys", async () => {
    const { authenticator } = rig({
      files: { '/mine': plain.private },
      agent: [ssh2.utils.generateKeyPairSync('ed25519').public],
      parameters: { ...identity('/mine'), explicitIdentity: '/mine' },
    })
    expect(await refuseAll(authenticator, ['publickey'])).toEqual(['publickey', 'signer'])
  })

  it('asks for a passphrase only when the server would take the key', async () => {
    const { authenticator, asked } = rig({ files: { '/k': locked.private }, parameters: identity('/k') })
    expect(await refuseAll(authenticator, ['publickey'])).toEqual(['signer', 'none'])
    expect(asked).toEqual([])
  })

  it('asks three times for a passphrase, and says that it was wrong', async () => {
    const { authenticator, asked } = rig({
      files: { '/k': locked.private },
      answers: ['1', '2', '3', 'open'],
      parameters: identity('/k'),
    })
    const sign = async (attempt: AuthAttempt) =>
      attempt.type === 'signer' && attempt.key.sign(Buffer.from('x'), undefined).catch(() => {})
    await refuseAll(authenticator, ['publickey'], sign)
    expect(asked.map(({ detail }) => detail)).toEqual([
      'To log in as bob@gpu',
      'Wrong passphrase; 2 tries left',
      'Wrong passphrase; 1 try left',
    ])
    expect(authenticator.failure()).toMatchObject({
      code: 'SSH_PASSPHRASE_WRONG',
      message: expect.stringContaining('/k: wrong passphrase'),
      hint: expect.stringContaining('ssh-keygen -y -f /k'),
    })
  })

  it('keeps a right passphrase, and forgets it when the key was given another', async () => {
    const secrets = new Map<string, string>()
    const signing = (answers: string[]) => {
      const made = rig({ files: { '/k': locked.private }, answers, parameters: identity('/k'), secrets })
      return {
        ...made,
        run: async () => {
          const attempt = await made.authenticator.next(null, null)
          return attempt?.type === 'signer' ? attempt.key.sign(Buffer.from('x'), undefined) : undefined
        },
      }
    }
    expect(await signing(['open']).run()).toBeInstanceOf(Buffer)
    expect(await signing([]).run()).toBeInstanceOf(Buffer)
    secrets.set('passphrase of /k', 'old')
    const third = signing(['open'])
    await third.run()
    expect(third.asked).toHaveLength(1)
  })

  it('asks at once for the passphrase of a format that hides its public half', async () => {
    const { authenticator, asked } = rig({
      files: { '/k': pemLocked },
      answers: ['wrong', 'open'],
      parameters: identity('/k'),
    })
    expect(await refuseAll(authenticator, ['publickey'])).toEqual(['publickey'])
    expect(asked).toHaveLength(2)
  })

  it('is cancelled when all prompts are', async () => {
    const { authenticator } = rig({
      files: { '/k': pemLocked },
      answers: [undefined, undefined],
      parameters: identity('/k'),
    })
    expect(await refuseAll(authenticator, ['publickey', 'password'])).toEqual(['none'])
    expect(authenticator.failure()).toMatchObject({
      code: 'SSH_AUTH_CANCELLED',
      message: expect.stringContaining('/k: passphrase cancelled; password: cancelled'),
    })
  })

  it('says which keys cannot be used when there was nothing else', async () => {
    const { authenticator } = rig({
      files: { '/bad': 'nonsense', '/closed': Object.assign(new Error(), { code: 'EACCES' }) },
      parameters: identity('/bad', '/closed', '/missing'),
    })
    await refuseAll(authenticator, ['publickey'])
    expect(authenticator.failure()).toMatchObject({
      code: 'SSH_KEY_UNSUPPORTED',
      message: expect.stringMatching(
        /\/missing: no such file; \/bad: unusable, .*; \/closed: unusable, it cannot be read \(EACCES\)/,
      ),
    })
  })

  it('is cancelled when a question after a wrong passphrase is', async () => {
    const { authenticator } = rig({
      files: { '/k': locked.private },
      answers: ['wrong', undefined],
      parameters: { ...identity('/k'), loginMethods: ['publickey'] },
    })
    await refuseAll(authenticator, ['publickey'], async (attempt) => {
      if (attempt.type === 'signer') await attempt.key.sign(Buffer.from('x'), undefined).catch(() => {})
    })
    expect(authenticator.failure()).toMatchObject({ code: 'SSH_AUTH_CANCELLED' })
  })

  it('sends a kept password that was refused once only, however long the dropping of it takes', async () => {
    const slow = new Map([['password of bob@gpu.example.com:22', 'old']])
    slow.delete = () => false
    const sent: string[] = []
    const made = rig({ secrets: slow, answers: ['new', 'newer'], parameters: { loginMethods: ['password'] } })
    await refuseAll(made.authenticator, ['password'], async (attempt) => {
      if (attempt.type === 'password') sent.push(attempt.password)
    })
    expect(sent).toEqual(['old', 'new', 'newer'])
  })

  it('does not miss a default key that is not there', async () => {
    const { authenticator } = rig({ parameters: identity('/home/bob/.ssh/id_rsa') })
    await refuseAll(authenticator, ['publickey'])
    expect(authenticator.failure().message).toBe('Login to bob@gpu failed: password: not offered by the server')
  })

  it('goes on without an agent that cannot be reached, and tells so', async () => {
    const { authenticator } = rig({
      files: { '/k': plain.private },
      agent: new Error('gone'),
      parameters: identity('/k'),
    })
    expect(await refuseAll(authenticator, ['publickey'])).toEqual(['publickey'])
    expect(authenticator.failure().message).toContain('agent: cannot be reached; /k: refused')
  })

  it('keeps a password only when the server took it', async () => {
    const { authenticator, asked, secrets } = rig({ answers: ['wrong', 'right'] })
    expect(await authenticator.next(null, null)).toEqual({ type: 'none' })
    expect(await authenticator.next(['password'], false)).toEqual({ type: 'password', password: 'wrong' })
    expect(await authenticator.next(['password'], false)).toEqual({ type: 'password', password: 'right' })
    expect(secrets.size).toBe(0)
    authenticator.succeeded()
    expect([...secrets]).toEqual([['password of bob@gpu.example.com:22', 'right']])
    expect(asked.map(({ detail }) => detail)).toEqual(['To log in as bob@gpu', 'That was refused; try again'])
  })

  it('uses a kept password unasked, and forgets it when it is refused', async () => {
    const secrets = new Map([['password of bob@gpu.example.com:22', 'old']])
    const { authenticator, asked } = rig({ secrets, answers: ['new'] })
    await authenticator.next(null, null)
    expect(await authenticator.next(['password'], false)).toEqual({ type: 'password', password: 'old' })
    expect(await authenticator.next(['password'], false)).toEqual({ type: 'password', password: 'new' })
    expect(asked).toHaveLength(1)
    expect(secrets.size).toBe(0)
  })

  it('asks for a password three times, no more', async () => {
    const { authenticator, asked } = rig({ answers: ['1', '2', '3', '4'] })
    await refuseAll(authenticator, ['password'])
    expect(asked).toHaveLength(3)
  })

  it('gives up keyboard-interactive when the server asks nothing', async () => {
    const { authenticator } = rig({ answers: [undefined] })
    expect(await refuseAll(authenticator, ['keyboard-interactive'])).toEqual(['none', 'keyboard-interactive'])
  })

  it('keeps a password that was accepted in part, whatever becomes of the rest', async () => {
    const { authenticator, secrets } = rig({ answers: ['secret', undefined] })
    await authenticator.next(null, null)
    await authenticator.next(['password'], false)
    expect((await authenticator.next(['keyboard-interactive'], true))?.type).toBe('keyboard-interactive')
    expect([...secrets.values()]).toEqual(['secret'])
  })

  it('does not drop a kept password for a wrong code beside it, but asks for both anew', async () => {
    const secrets = new Map([['password of bob@gpu.example.com:22', 'kept']])
    const { authenticator, asked } = rig({ secrets, answers: ['wrong code', 'kept', 'code'] })
    const talk = async () => {
      const attempt = await authenticator.next(['keyboard-interactive'], false)
      if (attempt?.type !== 'keyboard-interactive') throw new Error(`not asked, but ${attempt?.type}`)
      return [await attempt.answer([{ prompt: 'Password: ' }], ''), await attempt.answer([{ prompt: 'Code: ' }], '')]
    }
    await authenticator.next(null, null)
    expect(await talk()).toEqual([['kept'], ['wrong code']])
    expect(await talk()).toEqual([['kept'], ['code']])
    expect(asked.map(({ title }) => title)).toEqual(['Code:', 'Password:', 'Code:'])
    expect(secrets.size).toBe(1)
  })

  it("never keeps a one-time code, and shows the server's instructions", async () => {
    const { authenticator, secrets, asked } = rig({ answers: ['123456'] })
    await authenticator.next(null, null)
    const attempt = await authenticator.next(['keyboard-interactive'], false)
    expect(
      attempt?.type === 'keyboard-interactive' &&
        (await attempt.answer([{ prompt: 'Verification code: ' }], 'Duo\r\n\nOpen the \u001b[2Japp.\n')),
    ).toEqual(['123456'])
    expect(asked[0]).toEqual({ title: 'Verification code:', detail: 'To log in as bob@gpu\nDuo\nOpen the  [2Japp.' })
    authenticator.succeeded()
    expect(secrets.size).toBe(0)
  })

  it('goes on after success in part', async () => {
    const { authenticator } = rig({
      files: { '/k': plain.private },
      answers: ['secret'],
      parameters: identity('/k', '/k2'),
    })
    await authenticator.next(null, null)
    expect(await authenticator.next(['password'], true)).toEqual({ type: 'password', password: 'secret' })
    expect(authenticator.login).toBe('key /k, password')
    await authenticator.next(['password'], false)
    expect(authenticator.failure().message).toContain('/k: accepted, but the server wants more; ')
  })

  it('begins anew after success in part, with a key that was refused while keys were not its turn', async () => {
    const { authenticator } = rig({ files: { '/k': plain.private }, answers: ['secret'], parameters: identity('/k') })
    expect((await authenticator.next(null, null))?.type).toBe('publickey')
    expect((await authenticator.next(['password'], false))?.type).toBe('password')
    expect((await authenticator.next(['publickey'], true))?.type).toBe('publickey')
    expect(authenticator.login).toBe('password, key /k')
  })

  it('learns what else is wanted after the agent has signed, and shows no other key meanwhile', async () => {
    const other = ssh2.utils.generateKeyPairSync('ed25519')
    const { authenticator, secrets } = rig({ agent: [plain.public, other.public], answers: ['secret'] })
    const first = await authenticator.next(null, null)
    await (first?.type === 'signer' && first.key.sign(Buffer.from('x'), undefined))
    // What ssh2 hands on after a try with an agent is what it knew before.
    expect((await authenticator.next(null, null))?.type).toBe('none')
    expect((await authenticator.next(['password'], false))?.type).toBe('password')
    authenticator.succeeded()
    expect(authenticator.login).toMatch(/^agent key SHA256:\S+, password$/)
    expect(secrets.size).toBe(1)
  })

  it('keeps the order of the methods that it is given', async () => {
    const { authenticator } = rig({
      files: { '/k': plain.private },
      answers: ['1', '2', '3'],
      parameters: { ...identity('/k'), loginMethods: ['password', 'publickey'] },
    })
    expect(await refuseAll(authenticator)).toEqual(['none', 'password', 'password', 'password', 'publickey'])
  })

  it('offers only what the agent holds where files may not be used', async () => {
    const { authenticator } = rig({
      files: { '/k': plain.private, '/l': locked.private },
      agent: [locked.public],
      parameters: { ...identity('/k', '/l'), usesKeyFiles: false },
    })
    expect(await refuseAll(authenticator, ['publickey'])).toEqual(['signer', 'none'])
  })

  describe('with a key that only the ssh program can use', () => {
    const token = wire('sk-ssh-ed25519@openssh.com', randomBytes(32).toString('latin1'), 'ssh:')
    const certificate = wire('ssh-ed25519-cert-v01@openssh.com', 'rest')

    it.each<[string, Options, string]>([
      ['in the agent', { agent: [token] }, 'agent key SHA256:'],
      ['in a file', { files: { '/k_sk': token }, parameters: identity('/k_sk') }, '/k_sk'],
      ['a certificate in the agent', { agent: [certificate] }, 'a certificate'],
      [
        'a certificate beside its key',
        { files: { '/k': plain.private, '/k-cert.pub': certificate }, parameters: identity('/k') },
        '/k-cert.pub',
      ],
      ['a certificate that is named', { files: { '/c': certificate }, parameters: { certificateFiles: ['/c'] } }, '/c'],
    ])('%s gives up before it asks for a password', async (_, options, words) => {
      const { authenticator, asked } = rig({ ...options, answers: ['secret'] })
      expect(await refuseAll(authenticator)).not.toContain('password')
      expect(asked).toEqual([])
      expect(authenticator.failure()).toMatchObject({
        code: 'SSH_KEY_UNSUPPORTED',
        message: expect.stringContaining(words),
      })
    })

    it('asks for the password where the server takes no key, or nothing else may be tried', async () => {
      const one = rig({ agent: [token], answers: ['secret'] })
      expect(await refuseAll(one.authenticator, ['password'])).toContain('password')
      const other = rig({ agent: [token], answers: ['secret'], parameters: { mayLeaveToOpenssh: false } })
      expect(await refuseAll(other.authenticator)).toContain('password')
      expect(other.authenticator.failure().code).toBe('SSH_AUTH_FAILED')
    })

    it('heeds a key of the agent that no file names only without IdentitiesOnly', async () => {
      const { authenticator } = rig({ agent: [token], parameters: { identitiesOnly: true } })
      await refuseAll(authenticator, ['publickey'])
      expect(authenticator.failure().code).toBe('SSH_AUTH_FAILED')
    })
  })

  it('tells what ssh_config asks for and cannot be done, and what the server said', async () => {
    const { authenticator } = rig({ parameters: { unsupportedLogins: ['certificate ~/c: not supported yet'] } })
    await refuseAll(authenticator, ['publickey'])
    expect(authenticator.failure('Too many authentication failures')).toMatchObject({
      message: expect.stringContaining('certificate ~/c: not supported yet; the server: Too many'),
      hint: expect.stringContaining('IdentitiesOnly'),
    })
  })
})
