// A login that nothing leads in, against a server that refuses everything.
import ssh2 from 'ssh2'
import { silentLog } from '../../../../src/core/log.ts'
import { Authenticator } from '../../../../src/tunnel/login/auth.ts'
import type { AuthAttempt } from '../../../../src/tunnel/login/auth-run.ts'
import type { ParseKey } from '../../../../src/tunnel/login/key-files.ts'
import { unlockKey } from '../../../../src/tunnel/login/key-unlocking.ts'
import type { LoginMethod } from '../../../../src/tunnel/ssh-config/ssh-parameters.ts'
import { memoryFiles, PARAMETERS, scripted } from '../fakes.ts'

const parseKey = ssh2.utils.parseKey as unknown as ParseKey

export interface FailedLogin {
  files?: Record<string, string>
  identity?: string
  /** Path of an identity that a passphrase locks. */
  locked?: string
  answers?: (string | undefined)[]
  methods: readonly LoginMethod[]
}

/** @throws what the user is told then. */
export async function failedLogin({ files = {}, locked, identity = locked, answers = [], methods }: FailedLogin) {
  const { signal } = new AbortController()
  const authenticator = new Authenticator({
    parameters: { ...PARAMETERS, loginMethods: methods, identityFiles: identity === undefined ? [] : [identity] },
    prompts: scripted(...answers).prompts,
    signal,
    files: memoryFiles({ ...files, ...(locked === undefined ? {} : { [locked]: lockedKey() }) }),
    secrets: new Map<string, string>(),
    log: silentLog,
    parseKey,
    unlock: (text, passphrase) => unlockKey(text, passphrase, parseKey, signal),
    listAgentKeys: async () => [],
    listAgentIdentities: async () => [],
  })
  let left: readonly string[] | null = null
  for (;;) {
    const attempt = await authenticator.next(left, left && false)
    if (!attempt) throw authenticator.failure()
    await sign(attempt)
    left = methods
  }
}

/** A server asks for a signature only when it knows the public half. */
async function sign(attempt: AuthAttempt): Promise<void> {
  if (attempt.type !== 'signer') return
  await attempt.key.sign(Buffer.from('session'), undefined).catch(() => {})
}

function lockedKey(): string {
  return ssh2.utils.generateKeyPairSync('ed25519', { passphrase: 'right', cipher: 'aes256-ctr', rounds: 1 }).private
}
