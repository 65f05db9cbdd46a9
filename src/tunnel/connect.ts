// Which transport makes a connection to a server. How each of them does it is in its own folder.
import type { SshTarget } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { connectOpenssh } from './openssh/openssh.ts'
import type { Secrets } from './secrets/secrets.ts'
import { resolveSsh } from './ssh-config/ssh-config.ts'
import type { LocalUser } from './ssh-config/tokens.ts'
import type { SshFiles } from './ssh-files.ts'
import { connectSsh2, type SshTimeouts } from './ssh2/ssh2.ts'
import type { LinkPhase, Milestone, Prompts, Session } from './transport.ts'

/** What every attempt to connect may use, whichever transport makes it. */
export interface ConnectDependencies {
  prompts: Prompts
  files: SshFiles
  secrets: Secrets
  log: Log
  clock: Clock
  /** Tells the user of a decision that was taken without asking. */
  onNotice: (text: string) => void
  timeouts?: Partial<SshTimeouts> | undefined
  /** Another file than ~/.ssh/config. */
  sshConfigFile?: string | undefined
  local?: LocalUser | undefined
}

export interface ConnectAttempt {
  signal: AbortSignal
  onPhase: (phase: LinkPhase) => void
  /** Told of each stage that is behind it, as far as the transport can tell. */
  onMilestone?: ((milestone: Milestone) => void) | undefined
}

/**
 * Makes one attempt. The configuration is read anew each time, so what the user mended counts at once.
 * @throws PluginError SSH_*; the signal's reason when it is aborted.
 */
export async function connectServer(
  target: SshTarget,
  dependencies: ConnectDependencies,
  { signal, onPhase, onMilestone }: ConnectAttempt,
): Promise<Session> {
  const { files, log, local, sshConfigFile } = dependencies
  const resolve = async (asked: SshTarget) => {
    const found = await resolveSsh(asked, { files, log, signal, local, configFile: sshConfigFile })
    onMilestone?.({ stage: 'configuration', hop: `${found.user}@${found.host}:${found.port}` })
    return found
  }
  const parameters = await resolve(target)
  const timeouts = { login: target.loginTimeoutMs, channel: target.channelTimeoutMs, ...dependencies.timeouts }
  if (target.transport === 'openssh') {
    const options = { ...dependencies, timeouts, signal, onPhase, configFile: sshConfigFile }
    return connectOpenssh(target, parameters, options)
  }
  return connectSsh2(parameters, {
    ...{ ...dependencies, timeouts, signal, onPhase, onMilestone },
    resolveHop: (hop) => resolve({ ...target, ...NO_CHOICE_OF_OUR_OWN, ...hop }),
  })
}

/** What is configured for a server does not hold for the hops on the way to it: they have ssh_config. */
const NO_CHOICE_OF_OUR_OWN = { auth: undefined, identityFile: undefined, knownHostsFile: undefined }
