// What an attempt by the ssh program may use, and what follows from it for the session, however it came to be.
import type { Clock } from '../../core/clock.ts'
import { systemClock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import type { SshFiles } from '../ssh-files.ts'
import type { SshTimeouts } from '../ssh2/attempt.ts'
import type { ConnectionFacts, LinkPhase, Milestone, Prompts } from '../transport.ts'

export interface OpensshOptions {
  prompts: Prompts
  files: SshFiles
  secrets: Secrets
  log: Log
  signal: AbortSignal
  onPhase: (phase: LinkPhase) => void
  onMilestone?: ((milestone: Milestone) => void) | undefined
  onNotice: (text: string) => void
  clock?: Clock | undefined
  timeouts?: Partial<SshTimeouts> | undefined
  configFile?: string | undefined
  /** Why ssh2 is not taken. */
  reason?: string | undefined
  /** The way to the server as it was planned; the last is the server itself. */
  route?: readonly SshParameters[] | undefined
  /** The program; by default the `ssh` on PATH. */
  program?: string | undefined
  /** How streams are carried; by default as the system can. */
  carriage?: 'sockets' | 'pipes' | undefined
}

/** Milliseconds. */
export const TIMEOUTS = { keyExchange: 10_000, login: 15_000, channel: 8_000 }

/** Neither control sockets nor unix sockets that ssh would listen on. */
export const CARRIAGE = process.platform === 'win32' ? 'pipes' : 'sockets'

export function sessionParts(parameters: SshParameters, { clock = systemClock, timeouts }: OpensshOptions) {
  return { place: parameters, clock, channelTimeoutMs: { ...TIMEOUTS, ...timeouts }.channel }
}

export function factsOf(parameters: SshParameters, { reason, route }: OpensshOptions): ConnectionFacts {
  const hops = (route ?? []).slice(0, -1).map(accountOf)
  const address = `${accountOf(parameters)}${hops.length > 0 ? ` via ${hops.join(', ')}` : ''}`
  return { transport: 'openssh', address, ...(reason === undefined ? {} : { reason }) }
}

function accountOf({ user, host, port }: SshParameters): string {
  return `${user}@${host}:${port}`
}
