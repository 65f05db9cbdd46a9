// The one place where failures of SSH get a code, a sentence and a hint. The words matched here are those of ssh2 1.17
// and of servers, found by experiment; a kind that is not in the tables is told with its own words.
import { type ErrorCode, PluginError } from '../core/errors.ts'

/** What is known of an error of ssh2, of a socket or of a channel. */
interface RawError {
  message: string
  level?: unknown
  code?: unknown
  reason?: unknown
}

export interface Place {
  /** As the user wrote it. */
  alias: string
  host: string
  port: number
}

interface Row {
  when: (error: RawError) => boolean
  code: ErrorCode
  say: (place: Place, error: RawError) => string
  hint: string | ((place: Place) => string)
}

const codeIs =
  (...codes: string[]) =>
  (error: RawError) =>
    codes.includes(String(error.code))
const says = (words: RegExp) => (error: RawError) => words.test(error.message)
const at = ({ host, port }: Place) => `${host}:${port}`

const CONNECT_ROWS: readonly Row[] = [
  {
    when: codeIs('ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA'),
    code: 'SSH_HOST_NOT_FOUND',
    say: ({ host }) => `The host name ${host} is not known`,
    hint: ({ alias }) => `Check the name and the network; "ssh -G ${alias}" shows what ssh makes of it.`,
  },
  {
    when: codeIs('ECONNREFUSED'),
    code: 'SSH_UNREACHABLE',
    say: (place) => `${at(place)} refuses connections`,
    hint: 'Check that sshd runs there and listens on this port.',
  },
  {
    when: codeIs('ENETUNREACH', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'),
    code: 'SSH_UNREACHABLE',
    say: (place) => `There is no way to ${at(place)}`,
    hint: 'Check the network, and the VPN if there is one.',
  },
  {
    when: codeIs('ETIMEDOUT'),
    code: 'SSH_CONNECTION_TIMEOUT',
    say: (place) => `${at(place)} does not answer`,
    hint: 'Check the network, the address and any firewall between.',
  },
  {
    when: says(/^Connection lost before handshake/),
    code: 'SSH_DROPPED_EARLY',
    say: (place) => `${at(place)} closed the connection before it said anything`,
    hint: 'It may not be an SSH server, or it turns us away for a while after failed logins: wait half a minute.',
  },
  {
    when: says(/^Handshake failed: no matching|no matching (key exchange|host key|C->S|S->C)/i),
    code: 'SSH_NO_COMMON_ALGORITHM',
    say: (place, error) => `${at(place)} and this client share no algorithm (${error.message})`,
    hint: 'The server may allow only post-quantum key exchange, or only algorithms that are too old to be safe.',
  },
  {
    when: says(
      /Invalid identification|Bad packet length|Malformed packet|Protocol version not supported|Unexpected packet/i,
    ),
    code: 'SSH_DROPPED_EARLY',
    say: (place, error) => `What answers at ${at(place)} does not speak SSH 2 (${error.message})`,
    hint: 'Check the port: it may be that of another service.',
  },
  {
    when: codeIs('ECONNRESET', 'EPIPE'),
    code: 'SSH_DROPPED_EARLY',
    say: (place) => `${at(place)} broke the connection off while it was being made`,
    hint: 'A firewall may be between, or the server turns us away for a while after failed logins: wait half a minute.',
  },
]

const LOST_ROWS: readonly Row[] = [
  {
    when: says(/^Keepalive timeout/),
    code: 'SSH_DISCONNECTED',
    say: ({ alias }) => `The SSH connection to ${alias} was lost: nothing came back any more`,
    hint: 'Check the network; the next request connects anew.',
  },
]

/** A failure before the login was through. */
export function connectError(thrown: unknown, place: Place): PluginError {
  return lookUp(CONNECT_ROWS, thrown, place, {
    when: () => true,
    code: 'SSH_UNREACHABLE',
    say: (_, error) => `The SSH connection to ${at(place)} failed: ${error.message}`,
    hint: ({ alias }) => `See whether it works in a terminal: ssh -v ${alias}`,
  })
}

/** The server hung up in the midst of the login without a word. */
export function droppedInLogin(place: Place): PluginError {
  return new PluginError('SSH_DROPPED_EARLY', `${at(place)} closed the connection during the login`, {
    hint: 'Servers give two minutes for a login (LoginGraceTime): answer sooner, or look into the log of sshd.',
  })
}

/** A phase of the connection's making that took longer than it may. */
export function timeoutError(phase: string, ms: number, place: Place): PluginError {
  const option = phase === 'logging in' ? 'login_timeout' : 'connect_timeout'
  return new PluginError('SSH_CONNECTION_TIMEOUT', `${at(place)} gave no answer in ${ms / 1000} s while ${phase}`, {
    hint: `Check the network, the address and any firewall between; ${option} sets how long is waited.`,
  })
}

/** The end of a connection that had been up. */
export function lostError(thrown: unknown, place: Place): PluginError {
  // Of the way: the hop before, or a ProxyCommand.
  if (thrown instanceof PluginError) {
    return new PluginError(
      'SSH_DISCONNECTED',
      `The SSH connection to ${place.alias} was lost on the way: ${thrown.message}`,
      { hint: 'The next request connects anew.', cause: thrown },
    )
  }
  return lookUp(LOST_ROWS, thrown, place, {
    when: () => true,
    code: 'SSH_DISCONNECTED',
    say: ({ alias }, error) =>
      `The SSH connection to ${alias} was lost${error.message === '' ? '' : `: ${error.message}`}`,
    hint: 'The next request connects anew.',
  })
}

/** A channel to `host:port` that the server did not open; reason 1 is "prohibited", 2 is "connect failed" (RFC 4254 5.1). */
export function channelError(thrown: unknown, target: { host: string; port: number }, place: Place): PluginError {
  const error = thrown as RawError
  const to = nameOf(target)
  if (error.reason === 1) {
    return new PluginError('SSH_FORWARDING_DENIED', `${place.alias} does not forward to ${to}`, {
      hint: 'Allow it in sshd_config on the server (AllowTcpForwarding, PermitOpen, DisableForwarding) or in the options of the key.',
      cause: thrown,
    })
  }
  if (error.reason === 2 && isSocket(target)) {
    // OpenSSH answers the same for a socket that is not there and for one that it may not forward to.
    return new PluginError('API_UNAVAILABLE', `${place.alias} does not open the socket ${to}`, {
      hint: 'Check that it is there, that you may use it, and AllowStreamLocalForwarding in sshd_config on the server.',
      cause: thrown,
    })
  }
  if (error.reason === 2) {
    const isName = /name resolution|not known/i.test(error.message)
    const message = isName
      ? `${place.alias} does not know the host ${target.host}`
      : `Nothing listens on ${to} at ${place.alias}`
    return new PluginError('API_UNAVAILABLE', message, {
      hint: isName
        ? 'Check the url of this server.'
        : 'Is Ollama running there, at this port? :Ollama service looks (systemctl status ollama).',
      cause: thrown,
    })
  }
  return new PluginError('SSH_FORWARDING_DENIED', `${place.alias} did not open a channel to ${to}: ${error.message}`, {
    hint: 'Look into the log of sshd on the server.',
    cause: thrown,
  })
}

/** Whether the server forbids what was asked for, rather than not being able to do it. */
export function isProhibited(error: unknown): error is PluginError {
  if (!(error instanceof PluginError) || error.code !== 'SSH_FORWARDING_DENIED') return false
  return (error.cause as RawError | undefined)?.reason === 1
}

/** A channel that was asked for and never came. */
export function channelTimeout(ms: number, target: { host: string; port: number }, place: Place): PluginError {
  return new PluginError(
    'SSH_CHANNEL_ERROR',
    `${place.alias} did not open a channel to ${nameOf(target)} in ${ms / 1000} s`,
    {
      hint: 'The address may be firewalled on the server: try again; channel_timeout sets how long is waited.',
    },
  )
}

const isSocket = ({ host }: { host: string }) => host.startsWith('/')
const nameOf = (target: { host: string; port: number }) =>
  isSocket(target) ? target.host : `${target.host}:${target.port}`

function lookUp(rows: readonly Row[], thrown: unknown, place: Place, otherwise: Row): PluginError {
  const error = (thrown instanceof Error ? thrown : { message: String(thrown ?? '') }) as RawError
  const row = rows.find(({ when }) => when(error)) ?? otherwise
  const hint = typeof row.hint === 'string' ? row.hint : row.hint(place)
  return new PluginError(row.code, row.say(place, error), { hint, cause: thrown })
}
