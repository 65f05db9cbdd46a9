// What is known of an SSH server before it is dialled, and how `ssh -G` tells it. Pure: no process, no file.

import type { SshTarget } from '../../config/schema.ts'
import { PluginError } from '../../core/errors.ts'
import { expandCommand, expandPath, type LocalUser, tokensOf } from './tokens.ts'

export type LoginMethod = 'publickey' | 'keyboard-interactive' | 'password'

/** Everything an attempt needs to know; all paths are absolute, all tokens expanded. */
export interface SshParameters {
  /** The host as the user wrote it, without a user. */
  alias: string
  host: string
  port: number
  user: string
  /** In the order of offering; `explicitIdentity` is first when there is one. */
  identityFiles: readonly string[]
  /** The key that the plugin's own configuration names; offered before everything that does not match it. */
  explicitIdentity: string | undefined
  /** Certificates that ssh_config names; one that lies beside its key is not among them. */
  certificateFiles: readonly string[]
  /** Whether private keys in files may be used, or only what an agent holds. */
  usesKeyFiles: boolean
  identitiesOnly: boolean
  /** Path of the agent's socket; `undefined` when no agent shall be asked. */
  identityAgent: string | undefined
  userKnownHostsFiles: readonly string[]
  globalKnownHostsFiles: readonly string[]
  hostKeyAlias: string | undefined
  strictHostKeyChecking: 'ask' | 'yes' | 'accept-new' | 'off'
  hashKnownHosts: boolean
  revokedHostKeysFile: string | undefined
  knownHostsCommand: string | undefined
  /** The hosts to go through, in the order of dialling and as `-J` takes them. */
  proxyJump: string | undefined
  /** A shell's command whose stdin and stdout lead to the server, with all tokens expanded. */
  proxyCommand: string | undefined
  /** ProxyUseFdpass: the command passes a socket, in place of being one. */
  proxyPassesSocket: boolean
  bindInterface: string | undefined
  bindAddress: string | undefined
  connectTimeoutMs: number
  /** How often a sign of life is asked for, and how many may stay out; `undefined` when ssh would not ask. */
  serverAlive: { intervalMs: number; count: number } | undefined
  /** What may be used at all, by ssh's names; `undefined` when ssh_config does not say. */
  algorithms: Readonly<Record<'keyExchanges' | 'ciphers' | 'macs' | 'hostKeys', readonly string[] | undefined>>
  /** 4 or 6 when only that family may be used. */
  addressFamily: 4 | 6 | undefined
  loginMethods: readonly LoginMethod[]
  passwordPrompts: number
  /** What ssh_config asks for at the login and this transport cannot do, as words for the report of a failed login. */
  unsupportedLogins: readonly string[]
  /**
   * Whether a login ends with SSH_KEY_UNSUPPORTED, before anything more is asked, when only a key that the ssh program
   * can use is left. False where that program shall not be taken or is not there.
   */
  mayLeaveToOpenssh: boolean
  pkcs11Provider: string | undefined
  /** Whether a Kerberos ticket may be used. */
  gssapi: boolean
  /** Where a master of the user's listens, if there is one. */
  controlPath: string | undefined
  /** Whether ssh would go into the background once it is logged in. */
  forksAfterLogin: boolean
}

/** Options of ssh_config by lower-case keyword; a keyword may stand several times. */
export type SshOptions = ReadonlyMap<string, readonly string[]>

/** Reads the output of `ssh -G`: one `keyword value` per line. Versions differ in the keywords' case. */
export function parseSshOptions(output: string): SshOptions {
  const options = new Map<string, string[]>()
  for (const line of output.split(/\r?\n/)) {
    const [, keyword, value] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? []
    if (keyword === undefined || value === undefined) continue
    const values = options.get(keyword.toLowerCase())
    if (values) values.push(value)
    else options.set(keyword.toLowerCase(), [value])
  }
  return options
}

/**
 * Makes parameters of the options that hold for a target.
 * @throws PluginError SSH_UNSUPPORTED for a token that cannot be expanded.
 */
export function toParameters(options: SshOptions, target: SshTarget, local: LocalUser): SshParameters {
  const first = (keyword: string) => options.get(keyword)?.[0]
  const set = (keyword: string) => notNone(first(keyword))
  const alias = target.host.replace(/^.*@/, '')
  const host = first('hostname') ?? alias
  const port = Number(first('port') ?? target.port ?? 22)
  const user = first('user') ?? target.user ?? local.name
  const hostKeyAlias = set('hostkeyalias')
  const proxyJump = set('proxyjump')
  const jumpHost = proxyJump === undefined ? undefined : lastJump(proxyJump).host
  const tokens = tokensOf({ alias, host, port, user, hostKeyAlias, jumpHost }, local)
  const command = set('proxycommand')
  const expand = (path: string) => expandPath(path, tokens, local)
  const revoked = set('revokedhostkeys')
  const explicitIdentity = target.identityFile === undefined ? undefined : expand(target.identityFile)
  const configured = (options.get('identityfile') ?? []).filter((path) => path !== 'none').map(expand)
  return {
    alias,
    host,
    port,
    user,
    identityFiles: [...new Set(explicitIdentity === undefined ? configured : [explicitIdentity, ...configured])],
    explicitIdentity,
    certificateFiles: (options.get('certificatefile') ?? []).filter((path) => path !== 'none').map(expand),
    usesKeyFiles: target.auth?.includes('key') ?? true,
    identitiesOnly: isYes(first('identitiesonly')),
    identityAgent: mayAskAgent(target) ? agentSocket(first('identityagent'), expand, local) : undefined,
    userKnownHostsFiles: (target.knownHostsFile ? [target.knownHostsFile] : paths(first('userknownhostsfile'))).map(
      expand,
    ),
    globalKnownHostsFiles: paths(first('globalknownhostsfile')).map(expand),
    hostKeyAlias,
    strictHostKeyChecking: strictness(first('stricthostkeychecking')),
    hashKnownHosts: isYes(first('hashknownhosts')),
    revokedHostKeysFile: revoked === undefined ? undefined : expand(revoked),
    knownHostsCommand: set('knownhostscommand'),
    proxyJump,
    proxyCommand: command === undefined ? undefined : expandCommand(command, tokens, local),
    proxyPassesSocket: isYes(first('proxyusefdpass')),
    bindInterface: set('bindinterface'),
    bindAddress: set('bindaddress'),
    connectTimeoutMs: Math.min(target.connectTimeoutMs, seconds(set('connecttimeout'))),
    serverAlive: serverAlive(first('serveraliveinterval'), first('serveralivecountmax')),
    algorithms: {
      keyExchanges: list(first('kexalgorithms')),
      ciphers: list(first('ciphers')),
      macs: list(first('macs')),
      hostKeys: list(first('hostkeyalgorithms')),
    },
    addressFamily: ({ inet: 4, inet6: 6 } as const)[first('addressfamily') ?? ''],
    loginMethods: loginMethods(options, target),
    passwordPrompts: Number(first('numberofpasswordprompts') ?? 3),
    unsupportedLogins: unsupportedLogins(options),
    mayLeaveToOpenssh: target.transport === 'auto',
    pkcs11Provider: set('pkcs11provider'),
    gssapi: isYes(first('gssapiauthentication')),
    controlPath: set('controlpath'),
    forksAfterLogin: isYes(first('forkafterauthentication')),
  }
}

/**
 * Refuses a way to the server that this transport cannot go, rather than dial the host past it.
 * @throws PluginError SSH_UNSUPPORTED naming the option.
 */
export function refuseUnsupportedRoute(parameters: SshParameters): void {
  const { proxyPassesSocket, proxyCommand, bindInterface } = parameters
  const routes = {
    ProxyUseFdpass: proxyPassesSocket && proxyCommand !== undefined ? 'yes' : undefined,
    BindInterface: bindInterface,
  }
  for (const [option, value] of Object.entries(routes)) {
    if (value === undefined) continue
    throw new PluginError('SSH_UNSUPPORTED', `ssh_config asks for ${option} ${value} to reach ${parameters.alias}`, {
      hint: `Only the ssh program can do ${option}: set transport = "openssh" for this server, or leave the option out.`,
    })
  }
}

/**
 * Takes the hop next to the host off a list as `-J` and ProxyJump have it: `[user@]host[:port]` or `ssh://…`, by commas.
 * `before` are the hops that lead to it; without them its own configuration decides.
 */
export function lastJump(jump: string): {
  host: string
  port: number | undefined
  user: string | undefined
  before: string | undefined
} {
  const comma = jump.lastIndexOf(',')
  const written = jump.slice(comma + 1).trim()
  const [, user, place = ''] = /^(?:ssh:\/\/)?(?:(.*)@)?(.*?)\/?$/s.exec(written) ?? []
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(place) ?? []
  return {
    host: bracketed ?? plain ?? place,
    port: digits === undefined ? undefined : Number(digits),
    user,
    before: comma < 0 ? undefined : jump.slice(0, comma),
  }
}

function agentSocket(
  written: string | undefined,
  expand: (path: string) => string,
  local: LocalUser,
): string | undefined {
  if (written === 'none') return undefined
  if (written === undefined || written === 'SSH_AUTH_SOCK') return local.env.SSH_AUTH_SOCK || undefined
  if (/^\$\w+$/.test(written)) return local.env[written.slice(1)] || undefined
  return expand(written)
}

/** Who sets `no` or `off` asks for silent trust, which we never give: that is told apart from `ask` for the notice only. */
function strictness(written: string | undefined): SshParameters['strictHostKeyChecking'] {
  if (written === 'accept-new') return 'accept-new'
  if (isYes(written)) return 'yes'
  return written === 'no' || written === 'off' || written === 'false' ? 'off' : 'ask'
}

const OPENSSH_ORDER: readonly LoginMethod[] = ['publickey', 'keyboard-interactive', 'password']
const SWITCHES: Readonly<Record<LoginMethod, string>> = {
  publickey: 'pubkeyauthentication',
  'keyboard-interactive': 'kbdinteractiveauthentication',
  password: 'passwordauthentication',
}

/** What both the plugin's configuration and ssh_config allow, in the order of PreferredAuthentications. */
function loginMethods(options: SshOptions, { auth }: SshTarget): LoginMethod[] {
  const preferred = options.get('preferredauthentications')?.[0]?.split(',')
  const isOn = (method: LoginMethod) => !isNo(options.get(SWITCHES[method])?.[0])
  const ways = (method: LoginMethod) => (method === 'publickey' ? (['agent', 'key'] as const) : [method])
  const isWanted = (method: LoginMethod) => auth === undefined || ways(method).some((way) => auth.includes(way))
  const order = preferred?.flatMap((name) => OPENSSH_ORDER.filter((method) => method === name)) ?? OPENSSH_ORDER
  return [...new Set(order)].filter((method) => isOn(method) && isWanted(method))
}

function mayAskAgent({ auth }: SshTarget): boolean {
  return auth?.includes('agent') ?? true
}

/** Kerberos is not among them: Debian switches it on for everybody, and whoever has a ticket is taken to the ssh program. */
function unsupportedLogins(options: SshOptions): string[] {
  return ['pkcs11provider', 'hostbasedauthentication']
    .filter((keyword) => !isNo(notNone(options.get(keyword)?.[0]) ?? 'no'))
    .map((keyword) => `${keyword} of ssh_config: not supported`)
}

const notNone = (value: string | undefined) => (value === 'none' ? undefined : value)
const isYes = (value: string | undefined) => value === 'yes' || value === 'true'
const isNo = (value: string | undefined) => value === 'no' || value === 'false'
const paths = (value: string | undefined) => (value ?? '').split(/\s+/).filter((path) => path !== '' && path !== 'none')
const seconds = (value: string | undefined) => (Number(value) > 0 ? Number(value) * 1000 : Number.POSITIVE_INFINITY)
/** What begins with a sign changes ssh's own list, which only ssh knows. */
const list = (value: string | undefined) => (value === undefined || /^[+^-]/.test(value) ? undefined : value.split(','))
const serverAlive = (interval: string | undefined, count: string | undefined) =>
  Number(interval) > 0 ? { intervalMs: Number(interval) * 1000, count: Number(count ?? 3) } : undefined
