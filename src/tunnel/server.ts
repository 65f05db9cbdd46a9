// One configured server as the rest of the host sees it: HTTP over its link, and one way to end both.
import type { ServerConfig, SshTarget } from '../config/schema.ts'
import type { Clock } from '../core/clock.ts'
import type { PluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Http } from '../providers/provider.ts'
import { Connection, type ConnectionState } from './connection.ts'
import { DirectLink } from './direct.ts'
import { loadUndici, TunnelHttp } from './http/http.ts'
import type { Secrets } from './login/auth-run.ts'
import { resolveSsh } from './ssh-config/ssh-config.ts'
import type { LocalUser } from './ssh-config/ssh-parameters.ts'
import { type SshFiles, systemSshFiles } from './ssh-files.ts'
import { connectSsh2, loadSsh2, type SshTimeouts } from './ssh2/ssh2.ts'
import type { Link, Prompts } from './transport.ts'

export interface Server {
  readonly http: Http
  /** Where the link stands; a server without ssh is always `ready`. */
  state(): ConnectionState
  /** Ends all requests and the link; idempotent. */
  close(): void
}

export interface ServerDependencies {
  prompts: Prompts
  clock: Clock
  log: Log
  /** A trust decision that was taken without asking; by default it stands in the log only. */
  onNotice?: ((text: string) => void) | undefined
  onState?: ((state: ConnectionState, error: PluginError | undefined) => void) | undefined
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
    http,
    state: () => connection?.state ?? 'ready',
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

/** The configuration is read anew at each attempt, so what the user mended counts at once. */
function sshConnection(name: string, target: SshTarget, dependencies: ServerDependencies): Connection {
  const { log, clock, prompts, timeouts, local, onState } = dependencies
  const files = dependencies.files ?? systemSshFiles
  const secrets: Secrets = new Map()
  const onNotice = dependencies.onNotice ?? ((text) => log.warn('notice', { text }))
  return new Connection({
    name,
    log,
    onState,
    connect: async ({ signal, onPhase }) => {
      const parameters = await resolveSsh(target, { files, log, signal, local, configFile: dependencies.sshConfigFile })
      return connectSsh2(parameters, { prompts, files, secrets, log, signal, onPhase, onNotice, clock, timeouts })
    },
  })
}
