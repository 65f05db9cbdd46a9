// One configured server as the rest of the host sees it: HTTP over its link, where that link stands, and its end.
import type { ServerConfig, SshTarget } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { PluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Http } from '../providers/provider.ts'
import { type ConnectDependencies, connectServer } from './connect.ts'
import { Connection, type ConnectionState } from './connection.ts'
import { DirectLink } from './direct.ts'
import { loadUndici, TunnelHttp } from './http/http.ts'
import type { Secrets } from './secrets/secrets.ts'
import type { LocalUser } from './ssh-config/ssh-parameters.ts'
import { type SshFiles, systemSshFiles } from './ssh-files.ts'
import { loadSsh2, type SshTimeouts } from './ssh2/ssh2.ts'
import type { ConnectionFacts, Link, Prompts } from './transport.ts'

/** Where a server's link stands now. */
export interface LinkStatus {
  /** A server without ssh is always `ready`: there is nothing to bring up. */
  state: ConnectionState
  /** Why it is lost or failed. */
  error?: PluginError
  /** Of the connection that is up. */
  facts?: ConnectionFacts
}

export interface Server {
  readonly config: ServerConfig
  readonly http: Http
  status(): LinkStatus
  /** Brings the link up now, whatever a back-off says. @throws PluginError SSH_* */
  connect(signal?: AbortSignal): Promise<void>
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
  secrets?: Secrets | undefined
  /** Another file than ~/.ssh/config. */
  sshConfigFile?: string | undefined
  local?: LocalUser | undefined
  files?: SshFiles | undefined
  timeouts?: Partial<SshTimeouts> | undefined
}

/** Opens nothing yet: the link comes up with the first request. Only the libraries for it are loaded meanwhile. */
export function openServer(config: ServerConfig, dependencies: ServerDependencies): Server {
  setImmediate(() => void preload(config.ssh !== undefined))
  const connection = config.ssh ? sshConnection(config.name, config.ssh, dependencies) : undefined
  const link: Link = connection ?? new DirectLink()
  const http = new TunnelHttp({ link, url: config.url })
  return {
    config,
    http,
    status: () => connection?.status() ?? { state: 'ready' },
    connect: (signal) => link.ready(signal ? { signal } : {}),
    disconnect: () => connection?.disconnect(),
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

function sshConnection(name: string, target: SshTarget, dependencies: ServerDependencies): Connection {
  const { log, onStatus } = dependencies
  const all: ConnectDependencies = {
    ...dependencies,
    files: dependencies.files ?? systemSshFiles,
    secrets: dependencies.secrets ?? new Map(),
    onNotice: dependencies.onNotice ?? ((text) => log.warn('notice', { text })),
  }
  const connection: Connection = new Connection({
    name,
    log,
    onState: () => onStatus?.(name, connection.status()),
    connect: (attempt) => connectServer(target, all, attempt),
  })
  return connection
}
