// Says a login's tries in ssh2's words. The library itself is given, never loaded here.
import type * as ssh2Library from 'ssh2'
import type { AnyAuthMethod, ParsedKey } from 'ssh2'
import type { AuthAttempt, SigningKey } from '../login/auth-run.ts'
import type { PrivateKey } from '../login/key-files.ts'

type Ssh2 = typeof ssh2Library

/** @param giveUp ends the login; ssh2 has no other way to leave a keyboard-interactive question unanswered. */
export function toMethod(ssh2: Ssh2, username: string, attempt: AuthAttempt, giveUp: () => void): AnyAuthMethod {
  switch (attempt.type) {
    case 'none':
      return { type: 'none', username }
    case 'password':
      return { type: 'password', username, password: attempt.password }
    case 'publickey':
      return { type: 'publickey', username, key: attempt.key as unknown as ParsedKey }
    case 'signer':
      return { type: 'agent', username, agent: agentOf(ssh2, attempt.key) }
    case 'keyboard-interactive':
      return {
        ...{ type: 'keyboard-interactive', username },
        prompt: (name, instructions, _language, questions, finish) => {
          attempt
            .answer(questions, `${name}\n${instructions}`)
            .then((answers) => (answers ? finish(answers) : giveUp()), giveUp)
        },
      }
  }
}

/** ssh2 signs elsewhere only through an agent, so a key that does so is shown to it as one. */
function agentOf(ssh2: Ssh2, key: SigningKey) {
  class Signer extends ssh2.BaseAgent<Buffer> {
    override getIdentities(callback: (error: Error | undefined, keys?: Buffer[]) => void): void {
      callback(undefined, [key.publicKey])
    }
    override sign(_publicKey: unknown, data: Buffer, options: unknown, callback?: unknown): void {
      const done = callback as (error: Error | undefined, signature?: Buffer) => void
      key.sign(data, (options as { hash?: string }).hash).then((signature) => done(undefined, signature), done)
    }
  }
  return new Signer()
}

/** The agent's keys that ssh2 can use; certificates and keys of security tokens are not among them. */
export function listAgentKeys(ssh2: Ssh2, socket: string): Promise<SigningKey[]> {
  const agent = ssh2.createAgent(socket)
  const sign = (key: ParsedKey) => (data: Buffer, hash: string | undefined) =>
    new Promise<Buffer>((resolve, reject) => {
      agent.sign(key as never, data, (hash === undefined ? {} : { hash }) as never, (error, signature) =>
        error || !signature ? reject(error ?? new Error('the agent gave no signature')) : resolve(signature),
      )
    })
  return new Promise((resolve, reject) => {
    agent.getIdentities((error, keys = []) => {
      if (error) return reject(error)
      resolve(
        (keys as PrivateKey[]).map((key) => ({
          publicKey: key.getPublicSSH(),
          sign: sign(key as unknown as ParsedKey),
        })),
      )
    })
  })
}
