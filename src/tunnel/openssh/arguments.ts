// What the ssh program is told. Pure: the rules about its arguments are all in this one place.
// Of an option that stands twice ssh takes the first, so what stands here goes before the user's configuration.
import type { SshTarget } from '../../config/schema.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import { NEVER_BLIND } from './strict-config.ts'

export interface Destination {
  target: SshTarget
  parameters: SshParameters
  /** Another file than ~/.ssh/config. */
  configFile?: string | undefined
}

/** Seconds between questions to a silent server, and how many may stay unanswered: a dead link is noticed within 15 s. */
const ALIVE_INTERVAL_S = 5
const ALIVE_COUNT = 2

/**
 * Never more than is needed for streams, whatever the configuration asks for besides: above all no listener of its own.
 * The last two would trust a host key without asking.
 */
const NOTHING_BESIDES = [
  'ClearAllForwardings=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'Tunnel=no',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'RequestTTY=no',
  ...NEVER_BLIND.map((option) => option.replace(' ', '=')),
]

/** A login that stays, with a control socket when `controlPath` is given; it says on standard error what it does. */
export function keeperArguments(destination: Destination, controlPath: string | undefined): string[] {
  return [
    ...configArguments(destination.configFile),
    ...['-N', '-T', '-vv'],
    ...options([
      ...(controlPath === undefined ? ['ControlMaster=no', 'ControlPath=none'] : masterOptions(controlPath)),
      ...NOTHING_BESIDES,
      ...loginOptions(destination),
    ]),
    ...destinationArguments(destination),
  ]
}

/** One stream to `host:port` over standard input and output, by a login of its own. */
export function streamArguments(destination: Destination, host: string, port: number): string[] {
  return [
    ...configArguments(destination.configFile),
    ...['-T', '-vv', '-W', forwardAddress(host, port)],
    ...options(['ControlMaster=no', 'ControlPath=none', ...NOTHING_BESIDES, ...loginOptions(destination)]),
    ...destinationArguments(destination),
  ]
}

/** One stream through a living master; nothing of the configuration is read again, and nothing is asked. */
export function sharedStreamArguments(controlPath: string, host: string, port: number): string[] {
  return ['-v', '-W', forwardAddress(host, port), ...sharedArguments(controlPath)]
}

/** A command at the far end through a living master. */
export function sharedCommandArguments(controlPath: string, command: string): string[] {
  return [...sharedArguments(controlPath), command]
}

function sharedArguments(controlPath: string): string[] {
  return [
    ...['-F', 'none', '-T'],
    ...options(['ControlMaster=no', `ControlPath=${literal(controlPath)}`, 'BatchMode=yes', 'ProxyCommand=false']),
    ...['--', 'master'],
  ]
}

function configArguments(configFile: string | undefined): string[] {
  return configFile === undefined ? [] : ['-F', configFile]
}

function masterOptions(controlPath: string): string[] {
  return [
    'ControlMaster=yes',
    `ControlPath=${literal(controlPath)}`,
    'ControlPersist=no',
    'ExitOnForwardFailure=yes',
    'StreamLocalBindUnlink=yes',
    'StreamLocalBindMask=0177',
  ]
}

function loginOptions({ target, parameters }: Destination): string[] {
  return [
    `ServerAliveInterval=${ALIVE_INTERVAL_S}`,
    `ServerAliveCountMax=${ALIVE_COUNT}`,
    `ConnectTimeout=${Math.max(1, Math.ceil(parameters.connectTimeoutMs / 1000))}`,
    ...(parameters.strictHostKeyChecking === 'off' ? ['StrictHostKeyChecking=ask'] : []),
    // Not known to old versions, which would end over it.
    ...(parameters.forksAfterLogin ? ['ForkAfterAuthentication=no'] : []),
    ...(target.knownHostsFile === undefined ? [] : [`UserKnownHostsFile="${target.knownHostsFile}"`]),
    ...(target.auth === undefined ? [] : authOptions(target.auth)),
  ]
}

/** ssh knows one method for keys, wherever they are: which of them are used is said by where to look. */
function authOptions(auth: NonNullable<SshTarget['auth']>): string[] {
  const hasKeys = auth.includes('agent') || auth.includes('key')
  const methods = [...new Set(auth.map((way) => (way === 'agent' || way === 'key' ? 'publickey' : way)))]
  return [
    `PreferredAuthentications=${methods.join(',')}`,
    ...(hasKeys && !auth.includes('agent') ? ['IdentityAgent=none'] : []),
    ...(hasKeys && !auth.includes('key') ? ['IdentityFile=none', 'IdentitiesOnly=no'] : []),
  ]
}

function destinationArguments({ target }: Destination): string[] {
  return [
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    ...(target.user === undefined ? [] : ['-l', target.user]),
    ...(target.identityFile === undefined ? [] : ['-i', target.identityFile]),
    ...(target.jump === undefined ? [] : jumpArguments(target.jump)),
    ...['--', target.host],
  ]
}

function jumpArguments(jump: string): string[] {
  return jump === 'none' ? options(['ProxyJump=none']) : ['-J', jump]
}

function options(values: readonly string[]): string[] {
  return values.flatMap((value) => ['-o', value])
}

function forwardAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** ssh expands `%` in the path of a control socket. */
function literal(path: string): string {
  return path.replaceAll('%', '%%')
}
