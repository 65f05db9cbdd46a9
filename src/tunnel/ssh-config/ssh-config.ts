// Asks the user's own ssh what it would do for a host; where there is no ssh, reads ~/.ssh/config as far as a library can.
// The only door of this folder to node:child_process.
import { execFile } from 'node:child_process'
import { hostname, userInfo } from 'node:os'
import type { SshTarget } from '../../config/schema.ts'
import { PluginError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { type ConfigFiles, readWithIncludes } from './includes.ts'
import { parseSshOptions, type SshOptions, type SshParameters, toParameters } from './ssh-parameters.ts'
import type { LocalUser } from './tokens.ts'

/** What became of `ssh -G`. */
export type SshAnswer =
  | { kind: 'done'; code: number; stdout: string; stderr: string }
  | { kind: 'missing' }
  | { kind: 'timeout' }

export interface SshConfigDependencies {
  files: ConfigFiles
  log: Log
  /** Tells the user what is not understood where no ssh is. */
  onNotice?: ((text: string) => void) | undefined
  signal?: AbortSignal | undefined
  /** Another file than ~/.ssh/config, as `ssh -F` takes it. */
  configFile?: string | undefined
  local?: LocalUser | undefined
  run?: ((commandArguments: readonly string[], signal?: AbortSignal) => Promise<SshAnswer>) | undefined
}

/** `Match exec` runs commands of the user; one that hangs must not hang us. */
const SSH_G_TIMEOUT_MS = 10_000

/**
 * Finds out how a target is reached, by `ssh -G` and without it by the library `ssh-config`.
 * @throws PluginError SSH_CONFIG_INVALID with ssh's own words; SSH_UNSUPPORTED for what cannot be expanded.
 */
export async function resolveSsh(target: SshTarget, dependencies: SshConfigDependencies): Promise<SshParameters> {
  const local = dependencies.local ?? thisUser()
  const answer = await (dependencies.run ?? runSsh)(sshArguments(target, dependencies.configFile), dependencies.signal)
  dependencies.signal?.throwIfAborted()
  const options = answer.kind === 'missing' ? await readConfig(target, local, dependencies) : understand(answer, target)
  return toParameters(options, target, local)
}

/** `-T` keeps ssh from warning of a missing terminal; `--` keeps a host from being an option. */
function sshArguments(target: SshTarget, configFile: string | undefined): string[] {
  return [
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...['-T', '-G'],
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    ...(target.user === undefined ? [] : ['-l', target.user]),
    ...(target.jump === undefined ? [] : ['-o', `ProxyJump=${target.jump}`]),
    ...['--', target.host],
  ]
}

function understand(answer: Exclude<SshAnswer, { kind: 'missing' }>, target: SshTarget): SshOptions {
  if (answer.kind === 'timeout') {
    throw new PluginError(
      'SSH_CONFIG_INVALID',
      `ssh -G ${target.host} gave no answer in ${SSH_G_TIMEOUT_MS / 1000} s`,
      {
        hint: 'A "Match exec" in ~/.ssh/config may hang: try it in a terminal.',
      },
    )
  }
  if (answer.code === 0) return parseSshOptions(answer.stdout)
  const words = answer.stderr.trim().split(/\r?\n/).join('; ') || `ssh -G ended with ${answer.code}`
  throw new PluginError('SSH_CONFIG_INVALID', `ssh does not understand how to reach ${target.host}: ${words}`, {
    hint: `Mend ~/.ssh/config until this works in a terminal: ssh -G ${target.host}`,
  })
}

function runSsh(commandArguments: readonly string[], signal?: AbortSignal): Promise<SshAnswer> {
  return new Promise((resolve, reject) => {
    const options = { timeout: SSH_G_TIMEOUT_MS, maxBuffer: 1 << 20, windowsHide: true, ...(signal ? { signal } : {}) }
    execFile('ssh', commandArguments, options, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(signal.reason)
      if (!error) return resolve({ kind: 'done', code: 0, stdout, stderr })
      if (error.killed) return resolve({ kind: 'timeout' })
      if (typeof error.code === 'number') return resolve({ kind: 'done', code: error.code, stdout, stderr })
      if (error.code === 'ENOENT') return resolve({ kind: 'missing' })
      resolve({ kind: 'done', code: 1, stdout, stderr: `${stderr}\n${error.message}` })
    })
  })
}

/** ssh looks the home up in the password database and does not look at $HOME; so do we. */
export function thisUser(): LocalUser {
  const { homedir, username, uid } = userInfo()
  return { home: homedir, name: username, uid, env: process.env, hostname: hostname() }
}

const DEFAULTS: readonly (readonly [string, string])[] = [
  ['userknownhostsfile', '~/.ssh/known_hosts ~/.ssh/known_hosts2'],
  ['globalknownhostsfile', '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2'],
]
const DEFAULT_IDENTITIES = ['~/.ssh/id_rsa', '~/.ssh/id_ecdsa', '~/.ssh/id_ed25519']

/** The library knows neither Include nor tokens in HostName, so we do those; what is left out is told, not passed over. */
async function readConfig(
  target: SshTarget,
  local: LocalUser,
  dependencies: SshConfigDependencies,
): Promise<SshOptions> {
  const path = dependencies.configFile ?? `${local.home}/.ssh/config`
  const text = await readWithIncludes(dependencies.files, path, local.home)
  tellOfLimits(text, path, dependencies)
  const { default: SSHConfig } = await import('ssh-config')
  const config = SSHConfig.parse(text.replace(/^\s*canonicalizehostname\b.*$/gim, ''))
  const alias = target.host.replace(/^.*@/, '')
  const found = config.compute(alias, { ignoreCase: true, matchExec: false })
  const options = new Map<string, readonly string[]>(DEFAULTS.map(([keyword, value]) => [keyword, [value]]))
  options.set('identityfile', DEFAULT_IDENTITIES)
  for (const [keyword, value] of Object.entries(found)) options.set(keyword, valuesOf(keyword, value))
  const hostname = options.get('hostname')?.[0]?.replace(/%h/g, alias).replace(/%%/g, '%')
  if (hostname !== undefined) options.set('hostname', [hostname])
  if (target.port !== undefined) options.set('port', [String(target.port)])
  const user = target.user ?? /^(.*)@/.exec(target.host)?.[1]
  if (user !== undefined) options.set('user', [user])
  if (target.jump !== undefined) options.set('proxyjump', [target.jump])
  if (options.has('proxyjump')) options.delete('proxycommand')
  return options
}

/** As `ssh -G` prints them: keys one by one, all others in one line. */
function valuesOf(keyword: string, value: string | string[]): readonly string[] {
  if (typeof value === 'string') return [value]
  return keyword === 'identityfile' || keyword === 'certificatefile' ? value : [value.join(' ')]
}

function tellOfLimits(text: string, path: string, { log, onNotice }: SshConfigDependencies): void {
  const left = ['Match', 'CanonicalizeHostname'].filter((word) => new RegExp(`^\\s*${word}\\b`, 'im').test(text))
  log.warn('no ssh program was found: its configuration is read without it', { path, notUnderstood: left })
  if (text.trim() === '') return
  const limits = left.length === 0 ? 'as far as that is possible' : `but ${left.join(' and ')} may not be understood`
  onNotice?.(`No ssh program was found: ${path} is read without it, ${limits}`)
}
