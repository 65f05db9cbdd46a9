// Which transport makes a connection to a server. How each of them does it is in its own folder.
import type { SshTarget } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { connectOpenssh } from './openssh/openssh.ts'
import { MissingProgramError } from './openssh/openssh-errors.ts'
import { hasMaster } from './openssh/shared-master.ts'
import type { Secrets } from './secrets/secrets.ts'
import { resolveSsh, thisUser } from './ssh-config/ssh-config.ts'
import type { SshParameters } from './ssh-config/ssh-parameters.ts'
import type { LocalUser } from './ssh-config/tokens.ts'
import type { SshFiles } from './ssh-files.ts'
import type { SshTimeouts } from './ssh2/attempt.ts'
import type { BridgeConsent } from './ssh2/exec-bridge.ts'
import { type Hop, planRoute } from './ssh2/jump-chain.ts'
import { connectSsh2 } from './ssh2/ssh2.ts'
import type { LinkPhase, Milestone, Prompts, Session } from './transport.ts'
import { type Evidence, whyOpenssh, whyOpensshAfter } from './transport-choice.ts'
import { gatherEvidence } from './transport-evidence.ts'

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
  /** What the user has said of going round forbidden forwarding. */
  bridgeConsent?: BridgeConsent | undefined
  /** Another file than ~/.ssh/config. */
  sshConfigFile?: string | undefined
  local?: LocalUser | undefined
  memory?: TransportMemory | undefined
}

export interface ConnectAttempt {
  signal: AbortSignal
  onPhase: (phase: LinkPhase) => void
  /** Told of each stage that is behind it, as far as the transport can tell. */
  onMilestone?: ((milestone: Milestone) => void) | undefined
}

/** What was found out about one server's transport, for as long as it is configured. */
export interface TransportMemory {
  /** Why the ssh program is taken at once: ssh2 failed, and would again. */
  reason?: string
  /** There is no ssh program. */
  isMissing?: boolean
  /** Reasons that the user was told. */
  readonly told: Set<string>
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
  const { files, log, sshConfigFile } = dependencies
  const local = dependencies.local ?? thisUser()
  const tellOnce = (text: string) => {
    if (!dependencies.memory?.told.has(text)) dependencies.onNotice(text)
    dependencies.memory?.told.add(text)
  }
  const resolve = async (asked: SshTarget) => {
    const found = await resolveSsh(asked, { files, log, signal, local, configFile: sshConfigFile, onNotice: tellOnce })
    onMilestone?.({ stage: 'configuration', hop: `${found.user}@${found.host}:${found.port}` })
    return found
  }
  const parameters = await resolve(target)
  const own = {
    keyExchange: target.connectTimeoutMs,
    login: target.loginTimeoutMs,
    channel: target.channelTimeoutMs,
  }
  const timeouts = { ...own, ...dependencies.timeouts }
  const options = { ...dependencies, timeouts, signal, onPhase, onMilestone }
  const resolveHop = (hop: Hop) => resolve({ ...target, ...NO_CHOICE_OF_OUR_OWN, ...hop })
  const bySsh2 = (known: SshParameters) => connectSsh2(known, { ...options, resolveHop, mayNudge: target.nudge })
  const byOpenssh = async (reason?: string) => {
    const route = await planRoute(parameters, resolveHop)
    return connectOpenssh(target, parameters, { ...options, reason, route, configFile: sshConfigFile })
  }
  if (target.transport === 'openssh') return byOpenssh()
  if (target.transport === 'ssh2') return bySsh2(parameters)
  const evidence = await gatherEvidence(parameters, { files, local, hasMaster: () => hasMaster(parameters, options) })
  return connectAuto({ parameters, evidence, bySsh2, byOpenssh }, dependencies)
}

interface Ways {
  parameters: SshParameters
  evidence: Evidence
  bySsh2: (parameters: SshParameters) => Promise<Session>
  byOpenssh: (reason: string) => Promise<Session>
}

/** ssh2, unless it cannot; then the ssh program, once, and never after a login or a host key that was refused. */
export async function connectAuto(
  { parameters, evidence, bySsh2, byOpenssh }: Ways,
  { log, onNotice, memory = { told: new Set() } }: Pick<ConnectDependencies, 'log' | 'onNotice' | 'memory'>,
): Promise<Session> {
  const take = (reason: string) => {
    log.info('the ssh program is taken', { host: parameters.alias, reason })
    if (!memory.told.has(reason)) onNotice(`${parameters.alias} is reached by the ssh program: ${reason}`)
    memory.told.add(reason)
    return byOpenssh(reason)
  }
  const reason = whyOpenssh(parameters, evidence) ?? memory.reason
  if (reason !== undefined && !memory.isMissing) {
    try {
      return await take(reason)
    } catch (error) {
      if (!(error instanceof MissingProgramError)) throw error
      memory.isMissing = true
    }
  }
  try {
    return await bySsh2(memory.isMissing ? { ...parameters, mayLeaveToOpenssh: false } : parameters)
  } catch (error) {
    const after = error instanceof PluginError ? whyOpensshAfter(error) : undefined
    if (after === undefined || !(error instanceof PluginError)) throw error
    if (memory.isMissing) throw withoutProgram(error)
    try {
      const session = await take(after)
      memory.reason = after
      return session
    } catch (second) {
      if (!(second instanceof MissingProgramError)) throw withFirst(second, error)
      memory.isMissing = true
      throw withoutProgram(error)
    }
  }
}

function withoutProgram(error: PluginError): PluginError {
  const hint = [error.hint, 'The ssh program could do it, but none was found: install OpenSSH.']
  return new PluginError(error.code, error.message, { hint: hint.filter(Boolean).join(' '), cause: error })
}

/** ssh says of a login only that it was refused; what was wrong with a key, the first try has told. */
function withFirst(second: unknown, first: PluginError): unknown {
  if (!(second instanceof PluginError) || second.code !== 'SSH_AUTH_FAILED') return second
  const hint = second.hint === undefined ? {} : { hint: second.hint }
  return new PluginError(second.code, `${second.message} (${first.message})`, { ...hint, cause: second })
}

/** What is configured for a server does not hold for the hops on the way to it: they have ssh_config. */
const NO_CHOICE_OF_OUR_OWN = { auth: undefined, identityFile: undefined, knownHostsFile: undefined }
