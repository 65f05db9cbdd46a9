// The plan of a login: which method is tried next, and what is told when all have failed. It does not speak SSH.
import { PluginError } from '../../core/errors.ts'
import { keySteps } from './auth-keys.ts'
import { loginSteps } from './auth-login.ts'
import { type AuthAttempt, type AuthDependencies, AuthRun, type AuthSteps } from './auth-run.ts'

export class Authenticator {
  readonly #run: AuthRun
  readonly #steps: AuthSteps
  #last: AuthAttempt | undefined

  constructor(dependencies: AuthDependencies) {
    this.#run = new AuthRun(dependencies)
    this.#steps = allSteps(this.#run)
  }

  /**
   * The next try, or `undefined` when there is none left.
   * @param methodsLeft what the server says it would take; `null` when it has not said so yet.
   * @param isPartial the server took the last try, but wants another method besides.
   */
  async next(methodsLeft: readonly string[] | null, isPartial: boolean | null): Promise<AuthAttempt | undefined> {
    // ssh2 does not pass on what the server says after a try with an agent: then it is old news.
    const isFresh = methodsLeft !== null && this.#last?.type !== 'signer'
    this.#run.offered = isFresh ? methodsLeft : undefined
    this.#run.isPartial = isFresh && isPartial === true
    const step = await this.#steps.next()
    this.#last = step.done ? undefined : step.value
    return this.#last
  }

  /** Keeps the secret that opened the server. */
  succeeded(): void {
    this.#run.keep?.()
  }

  /** Why nothing led in: SSH_AUTH_CANCELLED, SSH_KEY_UNSUPPORTED when there was nothing but bad keys, or SSH_AUTH_FAILED. */
  failure(serverWords?: string): PluginError {
    const run = this.#run
    const { unsupportedLogins, user } = run.dependencies.parameters
    const tried = [...run.report].map(([what, became]) => `${what}: ${became}`)
    const rows = [...tried, ...unsupportedLogins, ...(serverWords === undefined ? [] : [`the server: ${serverWords}`])]
    const words = rows.length > 0 ? rows.join('; ') : 'no key was found and no other way is offered'
    if (run.isCancelled) {
      return new PluginError('SSH_AUTH_CANCELLED', `The login to ${run.account} was cancelled (${words})`, {
        hint: 'Send again to be asked again.',
      })
    }
    if (!run.hasTried && run.hasUnusableKey) {
      return new PluginError('SSH_KEY_UNSUPPORTED', `No key for ${run.account} can be used: ${words}`, {
        hint: 'Name another key by identity_file, or load it into an ssh agent.',
      })
    }
    return new PluginError('SSH_AUTH_FAILED', `Login to ${run.account} failed: ${words}`, {
      hint: hintFor(serverWords, user),
    })
  }
}

async function* allSteps(run: AuthRun): AuthSteps {
  yield* keySteps(run)
  yield* loginSteps(run)
}

function hintFor(serverWords: string | undefined, user: string): string {
  if (serverWords !== undefined && /too many/i.test(serverWords)) {
    return 'The server ends a login after a few keys: set IdentitiesOnly yes and IdentityFile for this host in ~/.ssh/config.'
  }
  return `Check that the public key stands in ~/.ssh/authorized_keys of ${user} on the server, and the user's name.`
}
