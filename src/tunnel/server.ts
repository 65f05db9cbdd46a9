// One configured server as the rest of the host sees it: HTTP over its link, where that link stands, and its end.
import type { ServerConfig, SshTarget } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Web } from '../models/web.ts'
import type { Http } from '../providers/provider.ts'
import { askedFirst, openedFirst } from './attended.ts'
import { type ConnectDependencies, connectServer } from './connect.ts'
import { Connection } from './connection.ts'
import { DirectLink } from './direct.ts'
import { loadUndici, TunnelHttp } from './http/http.ts'
import { readAuthorities } from './http/trust.ts'
import { type Detour, TunnelWeb } from './http/web.ts'
import { LinkWatch } from './link-watch.ts'
import type { Secrets } from './secrets/secrets.ts'
import { thisUser } from './ssh-config/ssh-config.ts'
import type { LocalUser } from './ssh-config/tokens.ts'
import { type SshFiles, systemSshFiles } from './ssh-files.ts'
import type { SshTimeouts } from './ssh2/attempt.ts'
import type { BridgeConsent } from './ssh2/exec-bridge.ts'
import { loadSsh2 } from './ssh2/ssh2.ts'
import type { CommandResult, Link, LinkStatus, Prompts } from './transport.ts'

export interface Server {
  readonly config: ServerConfig
  readonly http: Http
  status(): LinkStatus
  /** Brings the link up now, whatever a back-off says. @throws PluginError SSH_* */
  connect(signal?: AbortSignal): Promise<void>
  /**
   * Brings the link up if that needs nobody's answer.
   * @throws PluginError why it is not up; CANCELLED when somebody would have to answer
   */
  reach(): Promise<void>
  /**
   * Brings the link up ahead of a request, if that needs nobody's answer, and keeps it up until `release`. What goes wrong is
   * a status, and told with the request.
   */
  prepare(): void
  /** A link that is lost from now on stays so until somebody needs it. */
  release(): void
  /**
   * Resolves when the link is up (again), and has it tried again and again meanwhile, at growing intervals.
   * @throws PluginError why it does not come up by itself (a login or host key refused, a bad configuration), CANCELLED
   *   when the link was ended; the signal's reason when aborted.
   */
  whenBack(signal: AbortSignal): Promise<void>
  /** The time of one round trip to the far end, in milliseconds. @throws PluginError SSH_*, API_UNAVAILABLE */
  measure(signal: AbortSignal): Promise<number>
  /** The web as it is seen from there; `undefined` without ssh. Whoever opens it closes it. */
  openWeb(detour?: Detour): Web | undefined
  /**
   * Runs a command of ours there, if the link comes up without a question.
   * @throws PluginError SSH_*, SSH_UNSUPPORTED; the signal's reason when aborted
   */
  run(command: string, signal: AbortSignal): Promise<CommandResult>
  /** Ends the link; the next request brings it up again. */
  disconnect(): void
  /** Ends all requests and the link for good; idempotent. */
  close(): void
}

export interface ServerDependencies {
  prompts: Prompts
  clock: Clock
  log: Log
  /** A trust decision that was taken without asking; by default it stands in the log only. */
  onNotice?: ((text: string) => void) | undefined
  /** Told of each change of a link. */
  onStatus?: ((name: string, status: LinkStatus) => void) | undefined
  /** What tells that links may have died; by default each server has its own. */
  watch?: LinkWatch | undefined
  secrets?: Secrets | undefined
  /** Told of each request that is sent again. */
  onRepeat?: ((name: string, path: string, why: string) => void) | undefined
  /** In [0, 1); of the back-off. */
  random?: (() => number) | undefined
  /** Another file than ~/.ssh/config. */
  sshConfigFile?: string | undefined
  local?: LocalUser | undefined
  files?: SshFiles | undefined
  timeouts?: Partial<SshTimeouts> | undefined
}

/** Opens nothing yet: the link comes up with the first request. Only the libraries for it are loaded meanwhile. */
export function openServer(config: ServerConfig, dependencies: ServerDependencies): Server {
  const { clock } = dependencies
  const since = clock.now()
  setImmediate(() => void preload(config.ssh !== undefined))
  const bridgeConsent: BridgeConsent = { answer: undefined }
  const connection = config.ssh ? sshConnection(config.name, config.ssh, { ...dependencies, bridgeConsent }) : undefined
  const place = placeOf(config.url)
  const watch = dependencies.watch ?? new LinkWatch({ clock })
  const direct = new DirectLink({ life: { place, clock, watch, onDoubt: () => http.renew() } })
  const link: Link = connection ?? direct
  const http: TunnelHttp = new TunnelHttp({
    link,
    url: config.url,
    authorities: authoritiesOf(config, dependencies),
    onRepeat: (path, why) => dependencies.onRepeat?.(config.name, path, why),
  })
  return {
    config,
    http,
    status: () => connection?.status() ?? { state: 'ready', since, attempts: 0 },
    connect: (signal) => link.ready(signal ? { signal } : {}),
    reach: () => connection?.reach() ?? direct.ready(),
    prepare: () => connection?.prepare(),
    release: () => connection?.keepUp(false),
    whenBack: (signal) => connection?.whenBack(signal) ?? direct.whenBack(place, dependencies, signal),
    measure: (signal) => connection?.measure(signal) ?? direct.measure(place, clock, signal),
    openWeb: (detour) => connection && new TunnelWeb({ clock, link: connection, detour }),
    run: async (command, signal) => {
      if (connection) return connection.run(command, signal)
      throw new PluginError('SSH_UNSUPPORTED', `${config.name} is reached without SSH: no command can be run there`)
    },
    disconnect: () => {
      bridgeConsent.answer = undefined
      connection?.disconnect()
    },
    close: () => {
      http.close()
      link.close()
    },
  }
}

/** Takes 60 ms, which a person spends on beginning a prompt; a failure is told where the library is needed. */
async function preload(withSsh: boolean): Promise<void> {
  await Promise.allSettled([loadUndici(), ...(withSsh ? [loadSsh2()] : [])])
}

/** What a stream to a server is opened to, as `Transport.open` takes it. */
export function placeOf({ hostname, port, protocol, pathname }: URL): { host: string; port: number } {
  if (protocol === 'unix:') return { host: decodeURIComponent(pathname), port: 0 }
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) }
}

/** The certificates to trust besides the usual ones. Read when they are needed, so what the user mended counts. */
export function authoritiesOf(
  { caFile }: ServerConfig,
  { files = systemSshFiles, local }: Pick<ServerDependencies, 'files' | 'local'>,
) {
  if (caFile === undefined) return undefined
  const path = caFile.replace(/^~(?=\/)/, (local ?? thisUser()).home)
  return () => readAuthorities(path, files)
}

function sshConnection(
  name: string,
  target: SshTarget,
  dependencies: ServerDependencies & { bridgeConsent: BridgeConsent },
): Connection {
  const { clock, log, onStatus } = dependencies
  const all: ConnectDependencies = {
    ...dependencies,
    files: dependencies.files ?? systemSshFiles,
    secrets: dependencies.secrets ?? new Map(),
    memory: { told: new Set() },
    onNotice: dependencies.onNotice ?? ((text) => log.warn('notice', { text })),
  }
  const connection: Connection = new Connection({
    name,
    log,
    clock,
    random: dependencies.random,
    watch: dependencies.watch ?? new LinkWatch({ clock }),
    onState: () => onStatus?.(name, connection.status()),
    connect: (attempt) => {
      const mayAsk = attempt.refuseUnattended
      const prompts = askedFirst(all.prompts, mayAsk)
      return connectServer(target, { ...all, prompts, secrets: openedFirst(all.secrets, mayAsk) }, attempt)
    },
  })
  return connection
}
