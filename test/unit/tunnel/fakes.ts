// In-memory stand-ins that several unit tests of the tunnel share.
import type { Clock } from '../../../src/core/clock.ts'
import type { SshParameters } from '../../../src/tunnel/ssh-config/ssh-parameters.ts'
import type { SshFiles } from '../../../src/tunnel/ssh-files.ts'
import type { Prompts } from '../../../src/tunnel/transport.ts'

/** Time that passes only when a test says so. */
export class FakeClock implements Clock {
  #now = 0
  readonly #sleepers = new Set<{ at: number; wake: () => void }>()

  now(): number {
    return this.#now
  }

  get sleepers(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const giveUp = () => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const sleeper = { at: this.#now + ms, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', giveUp)
    })
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > this.#now) continue
      this.#sleepers.delete(sleeper)
      sleeper.wake()
    }
    await turn()
  }
}

/** Lets everything run that is ready to. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Files by path; a path can be made unreadable. */
export function memoryFiles(
  initial: Record<string, string | Error> = {},
): SshFiles & { contents: Map<string, string | Error> } {
  const contents = new Map(Object.entries(initial))
  return {
    contents,
    read: async (path) => {
      const found = contents.get(path)
      if (found instanceof Error) throw found
      return found
    },
    appendLine: async (path, line) => {
      const found = contents.get(path)
      if (found instanceof Error) throw found
      contents.set(path, `${found ?? ''}${line}\n`)
    },
    list: async (folder) =>
      [...contents.keys()].flatMap((path) =>
        path.slice(0, path.lastIndexOf('/')) === folder ? [path.slice(folder.length + 1)] : [],
      ),
  }
}

/** Answers from a list; `undefined` cancels. */
export function scripted(...answers: (string | undefined)[]) {
  const asked: { title: string; detail: string; choices?: readonly string[] }[] = []
  const answer = async (question: { title: string; detail: string; choices?: readonly string[] }) => {
    asked.push(question)
    return answers.shift()
  }
  const prompts: Prompts = { secret: answer, choose: answer }
  return { asked, prompts }
}

export const PARAMETERS: SshParameters = {
  alias: 'gpu',
  host: 'gpu.example.com',
  port: 22,
  user: 'bob',
  identityFiles: [],
  explicitIdentity: undefined,
  certificateFiles: [],
  usesKeyFiles: true,
  identitiesOnly: false,
  identityAgent: undefined,
  userKnownHostsFiles: ['/home/bob/.ssh/known_hosts'],
  globalKnownHostsFiles: [],
  hostKeyAlias: undefined,
  strictHostKeyChecking: 'ask',
  hashKnownHosts: false,
  revokedHostKeysFile: undefined,
  knownHostsCommand: undefined,
  proxyJump: undefined,
  proxyCommand: undefined,
  proxyPassesSocket: false,
  bindInterface: undefined,
  bindAddress: undefined,
  connectTimeoutMs: 1000,
  serverAlive: undefined,
  algorithms: { keyExchanges: undefined, ciphers: undefined, macs: undefined, hostKeys: undefined },
  addressFamily: undefined,
  loginMethods: ['publickey', 'keyboard-interactive', 'password'],
  passwordPrompts: 3,
  unsupportedLogins: [],
  mayLeaveToOpenssh: true,
  pkcs11Provider: undefined,
  gssapi: false,
  controlPath: undefined,
  forksAfterLogin: false,
}
