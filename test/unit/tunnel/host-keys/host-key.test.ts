import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../../src/core/log.ts'
import { hostVerifier, judgeHostKey, readKnownHosts, TRUST } from '../../../../src/tunnel/host-keys/host-key.ts'
import { fingerprint, knownHostsLine, parseKnownHosts } from '../../../../src/tunnel/host-keys/known-hosts.ts'
import type { SshParameters } from '../../../../src/tunnel/ssh-config/ssh-parameters.ts'
import { memoryFiles, PARAMETERS, scripted, turn } from '../fakes.ts'

const key = (byte: number) => Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 '), Buffer.alloc(32, byte)])
const [KEY, OTHER] = [key(1), key(2)]
const FILE = '/home/bob/.ssh/known_hosts'

function judge(
  options: { known?: string; answers?: (string | undefined)[]; parameters?: Partial<SshParameters> } = {},
) {
  const notices: string[] = []
  const files = memoryFiles()
  const { asked, prompts } = scripted(...(options.answers ?? []))
  const parameters = { ...PARAMETERS, ...options.parameters }
  const known = parseKnownHosts(options.known ?? '', FILE)
  const context = { parameters, known, files, prompts, signal: new AbortController().signal, log: silentLog }
  const verdict = judgeHostKey(KEY, { ...context, onNotice: (text) => notices.push(text) })
  return { verdict, asked, files, notices }
}

describe('a host key', () => {
  it('that is known needs no word', async () => {
    const { verdict, asked } = judge({ known: knownHostsLine('gpu.example.com', KEY, { hashed: true }) })
    await verdict
    expect(asked).toEqual([])
  })

  it('that is unknown is shown as ssh prints it, and remembered when trusted', async () => {
    const { verdict, asked, files } = judge({ answers: [TRUST] })
    await verdict
    expect(asked).toEqual([
      {
        title: "The authenticity of host 'gpu.example.com' can't be established",
        detail: `ED25519 key fingerprint is ${fingerprint(KEY)}.`,
        choices: ['No, refuse it', 'Yes, trust it and remember it'],
      },
    ])
    expect(files.contents.get(FILE)).toBe(`gpu.example.com ssh-ed25519 ${KEY.toString('base64')}\n`)
  })

  it.each(['No, refuse it', undefined, '', 'yes, trust it and remember it'])(
    'that is answered with %j is refused',
    async (answer) => {
      const { verdict, files } = judge({ answers: [answer] })
      await expect(verdict).rejects.toMatchObject({ code: 'SSH_HOST_KEY_UNKNOWN' })
      expect(files.contents.size).toBe(0)
    },
  )

  it('that cannot be written down is trusted this time, and that is told', async () => {
    const { verdict, notices } = judge({ answers: [TRUST], parameters: { userKnownHostsFiles: [] } })
    await verdict
    expect(notices).toEqual([expect.stringContaining('not remembered')])
  })

  it('that has changed is refused with the mend for the file', async () => {
    const { verdict, asked } = judge({
      known: `\n${knownHostsLine('gpu.example.com', OTHER, { hashed: false })}`,
      answers: [TRUST],
    })
    await expect(verdict).rejects.toMatchObject({
      code: 'SSH_HOST_KEY_CHANGED',
      message: `The host key of gpu.example.com has changed: known is ED25519 ${fingerprint(OTHER)} (${FILE}:2), shown was ED25519 ${fingerprint(KEY)}`,
      hint: expect.stringMatching(/ssh-keygen -R 'gpu\.example\.com'`$/),
    })
    expect(asked).toEqual([])
  })

  it('that is revoked is refused', async () => {
    const { verdict } = judge({ known: `@revoked * ssh-ed25519 ${KEY.toString('base64')}`, answers: [TRUST] })
    await expect(verdict).rejects.toMatchObject({ code: 'SSH_HOST_KEY_REVOKED' })
  })

  it('counts files that cannot be read as empty', async () => {
    const files = memoryFiles({ [FILE]: new Error('EACCES') })
    const notices: string[] = []
    expect(await readKnownHosts(PARAMETERS, files, silentLog, (text) => notices.push(text))).toEqual([])
    expect(notices[0]).toMatch(/cannot be read/)
  })
})

describe('the verifier given to ssh2', () => {
  // What ssh2 does with it: a returned value but `undefined` counts as the verdict, and so does a promise.
  function verify(judgeKey: (key: Buffer) => Promise<void>) {
    const answers: boolean[] = []
    const refusals: unknown[] = []
    const verifier = hostVerifier(judgeKey, (reason) => refusals.push(reason))
    return { show: (shown: Buffer) => verifier(shown, (isTrusted) => answers.push(isTrusted)), answers, refusals }
  }

  it('never returns anything, and says true only after the judge is content', async () => {
    let content = () => {}
    const { show, answers } = verify(() => new Promise((resolve) => (content = resolve)))
    expect(show(KEY)).toBeUndefined()
    await turn()
    expect(answers).toEqual([])
    content()
    await turn()
    expect(answers).toEqual([true])
  })

  it.each<[string, () => Promise<void>]>([
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
  ])('denies with exactly false when the judge %s', async (_, judgeKey) => {
    const { show, answers, refusals } = verify(judgeKey)
    expect(show(KEY)).toBeUndefined()
    await turn()
    expect(answers).toEqual([false])
    expect(refusals).toEqual([new Error('no')])
  })

  it('judges a key once, and another one anew', async () => {
    let judged = 0
    const { show, answers } = verify(async () => void judged++)
    show(KEY)
    await turn()
    show(KEY)
    show(OTHER)
    await turn()
    expect(judged).toBe(2)
    expect(answers).toEqual([true, true, true])
  })
})

describe('a host that is known by a key which cannot be verified here', () => {
  const token = Buffer.concat([Buffer.from('\0\0\0\x1ask-ssh-ed25519@openssh.com'), Buffer.alloc(40, 3)])
  const known = knownHostsLine('gpu.example.com', token, { hashed: false })

  it('is left to the ssh program rather than taken for a new one', async () => {
    const parameters = { strictHostKeyChecking: 'accept-new', mayLeaveToOpenssh: true } as const
    await expect(judge({ known, parameters }).verdict).rejects.toMatchObject({ code: 'SSH_UNSUPPORTED' })
  })

  it('is asked about where there is no ssh program', async () => {
    const parameters = { strictHostKeyChecking: 'accept-new', mayLeaveToOpenssh: false } as const
    const { verdict, asked } = judge({ known, parameters, answers: [undefined] })
    await expect(verdict).rejects.toMatchObject({ code: 'SSH_HOST_KEY_UNKNOWN' })
    expect(asked).toHaveLength(1)
  })
})
