// The plan of a login: which method is tried next, and what is told when all have failed. It does not speak SSH.
import { PluginError } from '../../core/errors.ts'
import type { LoginMethod } from '../ssh-config/ssh-parameters.ts'
import { keySteps } from './auth-keys.ts'
import { keyboardSteps, passwordSteps } from './auth-login.ts'
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
    this.#hear(methodsLeft ?? undefined, isPartial === true)
    const step = await this.#steps.next()
    this.#last = step.done ? undefined : step.value
    return this.#last
  }

  /** What let us in, as `agent key SHA256:…`, `key ~/.ssh/id_ed25519`, `password`; several where the server wants several. */
  get login(): string {
    return this.#run.login
  }

  /** Keeps the secret that opened the server. */
  succeeded(): void {
    this.#run.keep?.()
  }

  /**
   * Why nothing led in: SSH_AUTH_CANCELLED; SSH_KEY_UNSUPPORTED when the key that is wanted may be one that cannot be used
   * here; SSH_PASSPHRASE_WRONG when there was nothing but a key that stayed locked; else SSH_AUTH_FAILED.
   */
  failure(serverWords?: string): PluginError {
    const run = this.#run
    const { unsupportedLogins, user } = run.dependencies.parameters
    const tried = [...run.report].map(([what, became]) => `${what}: ${became}`)
    const rows = [...tried, ...unsupportedLogins, ...(serverWords === undefined ? [] : [`the server: ${serverWords}`])]
    const words = rows.length > 0 ? rows.join('; ') : 'no key was found and no other way is offered'
    if (run.isCancelled) {
      return new PluginError('SSH_AUTH_CANCELLED', `The login to ${run.account} was cancelled (${words})`, {
        hint: 'gr, or the next prompt, asks again.',
      })
    }
    if (run.lacksKeyOnly && !run.report.has('password') && !run.report.has('keyboard-interactive')) {
      const keys = [...run.unsupportedKeys].map(([key, reason]) => `${key} is ${reason}`).join(', ')
      return new PluginError(
        'SSH_KEY_UNSUPPORTED',
        `The login to ${run.account} may need a key of another kind: ${keys} (${words})`,
        {
          hint: "Only the ssh program can use such a key: set transport = 'openssh' for this server.",
        },
      )
    }
    if (!run.hasTried && run.hasUnusableKey) {
      return new PluginError('SSH_KEY_UNSUPPORTED', `No key for ${run.account} can be used: ${words}`, {
        hint: 'Name another key by identity_file, or load it into an ssh agent.',
      })
    }
    if (run.lockedKey !== undefined && run.refusals === 0) {
      return new PluginError(
        'SSH_PASSPHRASE_WRONG',
        `The passphrase of ${run.lockedKey} was wrong every time (${words})`,
        {
          hint: `gr, or the next prompt, asks again. Try it in a terminal: ssh-keygen -y -f ${run.lockedKey}`,
        },
      )
    }
    return new PluginError('SSH_AUTH_FAILED', `Login to ${run.account} failed: ${words}`, {
      hint: hintFor(serverWords, user),
    })
  }

  /** ssh2 does not pass on what the server says after a try with an agent: it is told from whether the agent signed. */
  #hear(methodsLeft: readonly string[] | undefined, isPartial: boolean): void {
    const run = this.#run
    const isSilent = this.#last?.type === 'signer'
    run.isPartial = isSilent ? run.hasSigned : isPartial
    if (!isSilent) run.offered = methodsLeft
    else if (run.hasSigned) run.offered = undefined
    if (run.isPartial) run.hasJustProgressed = true
  }
}

const STEPS: Readonly<Record<LoginMethod, (run: AuthRun) => AuthSteps>> = {
  publickey: keySteps,
  'keyboard-interactive': keyboardSteps,
  password: passwordSteps,
}

/** In the order of PreferredAuthentications, and from its beginning after each success in part, as with OpenSSH. */
async function* allSteps(run: AuthRun): AuthSteps {
  do {
    // No key shall be shown to a server that may want a password now: it counts each as a failure.
    if (run.hasJustProgressed) yield* run.learnWhatIsOffered()
    run.hasJustProgressed = false
    for (const method of run.dependencies.parameters.loginMethods) {
      yield* STEPS[method](run)
      if (run.hasJustProgressed) break
    }
  } while (run.hasJustProgressed)
  const mayType = run.dependencies.parameters.loginMethods.some((method) => method !== 'publickey')
  const isOffered = run.offered?.includes('password') || run.offered?.includes('keyboard-interactive')
  if (mayType && !run.isGivenUp && !isOffered && !run.report.has('password')) {
    run.report.set('password', 'not offered by the server')
  }
}

function hintFor(serverWords: string | undefined, user: string): string {
  if (serverWords !== undefined && /too many/i.test(serverWords)) {
    return 'The server ends a login after a few keys: set IdentitiesOnly yes and IdentityFile for this host in ~/.ssh/config.'
  }
  return `Check that the public key stands in ~/.ssh/authorized_keys of ${user} on the server, and the user's name.`
}
