// What one login knows and keeps while it goes through its methods, and what a method may ask of it.
import type { Log } from '../../core/log.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { LoginMethod, SshParameters } from '../ssh-config/ssh-parameters.ts'
import type { SshFiles } from '../ssh-files.ts'
import type { Prompts } from '../transport.ts'
import type { AgentIdentity } from './agent-identities.ts'
import type { ParseKey, PrivateKey, Unlocked } from './key-files.ts'

/** A public key whose private half signs elsewhere: in an agent, or in a file that is opened only when it is needed. */
export interface SigningKey {
  /** As it goes over the wire. */
  readonly publicKey: Buffer
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>
}

export interface LoginQuestion {
  prompt: string
}

/** `instructions` are the server's own words around its questions. `undefined` gives the login up. */
export type AnswerQuestions = (
  questions: readonly LoginQuestion[],
  instructions: string,
) => Promise<string[] | undefined>

/** One try at the server, as the module that speaks SSH carries it out. */
export type AuthAttempt =
  | { type: 'none' }
  | { type: 'signer'; key: SigningKey }
  | { type: 'publickey'; key: PrivateKey }
  | { type: 'keyboard-interactive'; answer: AnswerQuestions }
  | { type: 'password'; password: string }

/** One method's tries in their order; it goes on when the server refused the try before. */
export type AuthSteps = AsyncGenerator<AuthAttempt, void, void>

export interface AuthDependencies {
  parameters: SshParameters
  prompts: Prompts
  /** Ends with the attempt: a prompt that is still open is then taken away. */
  signal: AbortSignal
  files: Pick<SshFiles, 'read'>
  secrets: Secrets
  log: Log
  parseKey: ParseKey
  /** Opens an encrypted key without holding up the host. @throws the signal's reason. */
  unlock(text: string, passphrase: string): Promise<Unlocked>
  /** @throws when the agent cannot be reached. */
  listAgentKeys(socket: string): Promise<SigningKey[]>
  /** All that the agent holds. @throws when the agent cannot be reached. */
  listAgentIdentities(socket: string, signal: AbortSignal): Promise<AgentIdentity[]>
}

export class AuthRun {
  /** What was tried and what became of it, by method or key, in order. */
  readonly report = new Map<string, string>()
  readonly dependencies: AuthDependencies
  /** Methods that the server says it would take; `undefined` when it was not asked since the last success in part. */
  offered: readonly string[] | undefined
  /** The server took the last try, but wants another method besides. */
  isPartial = false
  /** The same of any try in this round: then the methods begin anew, as with OpenSSH. */
  hasJustProgressed = false
  /** A key was offered or a password sent. */
  hasTried = false
  /** The key of the last try was used to sign, so the server had said that it would take it. */
  hasSigned = false
  hasUnusableKey = false
  /** Keys that are there and that ssh2 cannot use, with the reason. */
  readonly unsupportedKeys = new Map<string, string>()
  /** The server would take a key, and none but the unsupported ones is left. */
  lacksKeyOnly = false
  /** The last key whose passphrase was wrong every time. */
  lockedKey: string | undefined
  /** Tries that the server refused, those with a key that stayed locked left out. */
  refusals = 0
  /** Nothing more is asked: the user cancelled a login's prompt, or another transport shall try. */
  isGivenUp = false
  /** Keeps what was typed once the server has accepted it. */
  keep: (() => void) | undefined
  #asked = 0
  #cancelled = 0
  readonly #accepted = new Map<string, string>()
  #trying = ''

  constructor(dependencies: AuthDependencies) {
    this.dependencies = dependencies
  }

  /** Whether all that was asked was cancelled, or something was and the server has refused nothing. */
  get isCancelled(): boolean {
    return this.#cancelled > 0 && (this.#cancelled === this.#asked || this.refusals === 0)
  }

  /** What let us in, when the last try did. */
  get login(): string {
    return [...this.#accepted.values(), this.#trying].join(', ')
  }

  mayUse(method: LoginMethod): boolean {
    if (!this.dependencies.parameters.loginMethods.includes(method)) return false
    return this.offered?.includes(method) ?? true
  }

  /** One try that may let us in; `name` is what it is called then. */
  async *attempt(attempt: AuthAttempt, name: string): AuthSteps {
    const locked = this.lockedKey
    const cancelled = this.#cancelled
    this.hasTried = true
    this.hasSigned = false
    this.#trying = name
    yield attempt
    // A try that was left by its own question was none of the server's refusals.
    const isLeft = this.lockedKey !== locked || this.#cancelled > cancelled
    if (!this.isPartial && !isLeft) this.refusals++
  }

  /** Asks the server what it would take, where that is not known. */
  async *learnWhatIsOffered(): AuthSteps {
    if (this.offered === undefined) yield { type: 'none' }
  }

  /** The server took the last try and wants another. A key is given to it once only. */
  acceptInPart(what: string, publicKey?: Buffer): void {
    this.#accepted.set(publicKey?.toString('base64') ?? what, this.#trying)
    this.report.set(what, 'accepted, but the server wants more')
    this.keep?.()
    this.keep = undefined
  }

  wasAccepted(publicKey: Buffer): boolean {
    return this.#accepted.has(publicKey.toString('base64'))
  }

  /** Asks for a secret; `undefined` when the user cancels. */
  async ask(title: string, detail: string): Promise<string | undefined> {
    this.#asked++
    const answer = await this.dependencies.prompts.secret({ title, detail }, this.dependencies.signal)
    if (answer === undefined) this.#cancelled++
    return answer
  }

  /** `user@host`, with the port where it is not 22. */
  get account(): string {
    const { user, alias, port } = this.dependencies.parameters
    return `${user}@${alias}${port === 22 ? '' : `:${port}`}`
  }
}
