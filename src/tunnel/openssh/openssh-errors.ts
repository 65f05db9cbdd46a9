// What the ssh program says when it fails, as our codes, sentences and hints. Found by experiment with OpenSSH 9.2 and 10.0.
import { type ErrorCode, PluginError } from '../../core/errors.ts'
import type { KnownHost } from '../host-keys/known-hosts.ts'
import { fingerprint, parseKnownHosts } from '../host-keys/known-hosts.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import { channelError, lostError, type Place } from '../ssh-errors.ts'
import type { SshFiles } from '../ssh-files.ts'

interface Row {
  when: RegExp
  code: ErrorCode
  say: (place: Place, words: string) => string
  hint: string | ((place: Place) => string)
}

const at = ({ host, port }: Place) => `${host}:${port}`

/** The first that fits counts: ssh says the cause before its consequences. */
const ROWS: readonly Row[] = [
  {
    when: /Bad configuration option|terminating, \d+ bad configuration|Bad owner or permissions|Unsupported option|missing argument/i,
    code: 'SSH_CONFIG_INVALID',
    say: ({ alias }, words) => `ssh does not understand how to reach ${alias}: ${words}`,
    hint: ({ alias }) => `Mend ~/.ssh/config until this works in a terminal: ssh -G ${alias}`,
  },
  {
    when: /Could not resolve hostname|Name or service not known/,
    code: 'SSH_HOST_NOT_FOUND',
    say: ({ host }, words) => `The host name ${/resolve hostname ([^:\s]+)/.exec(words)?.[1] ?? host} is not known`,
    hint: ({ alias }) => `Check the name and the network; "ssh -G ${alias}" shows what ssh makes of it.`,
  },
  {
    when: /REVOKED HOST KEY DETECTED|was revoked and you have requested|marked as revoked|host key .* revoked/i,
    code: 'SSH_HOST_KEY_REVOKED',
    say: (place) => `${at(place)} shows a host key that is marked as revoked`,
    hint: 'Do not connect: somebody may have the stolen key. Ask who administers the server.',
  },
  {
    when: /host key is known for .* requested strict checking/,
    code: 'SSH_HOST_KEY_UNKNOWN',
    say: (place) => `No host key is known for ${at(place)}, and StrictHostKeyChecking is yes`,
    hint: 'Add the key to known_hosts when it is the right one.',
  },
  {
    when: /Host key verification failed/,
    code: 'SSH_HOST_KEY_UNKNOWN',
    say: (place, words) => `The host key of ${at(place)} was not accepted: ${words}`,
    hint: ({ alias }) => `See what ssh says of it in a terminal: ssh ${alias}`,
  },
  {
    when: /Unable to negotiate|no matching (key exchange|host key|cipher|MAC)/i,
    code: 'SSH_NO_COMMON_ALGORITHM',
    say: (place, words) => `${at(place)} and the ssh program share no algorithm (${words})`,
    hint: 'The server may allow only algorithms that are too old to be safe, or too new for this ssh.',
  },
  {
    when: /Permission denied \(|Too many authentication failures|No more authentication methods/,
    code: 'SSH_AUTH_FAILED',
    say: (place, words) => `Login to ${place.alias} failed: ${words}`,
    hint: ({ alias }) => `Check the user and the key; in a terminal this shows what is tried: ssh -v ${alias}`,
  },
  {
    when: /timed out/i,
    code: 'SSH_CONNECTION_TIMEOUT',
    say: (place) => `${at(place)} does not answer`,
    hint: 'Check the network, the address and any firewall between; connect_timeout sets how long is waited.',
  },
  {
    when: /Connection refused/,
    code: 'SSH_UNREACHABLE',
    say: (place) => `${at(place)} refuses connections`,
    hint: 'Check that sshd runs there and listens on this port.',
  },
  {
    when: /No route to host|Network is (unreachable|down)|Host is down|Cannot assign requested address/,
    code: 'SSH_UNREACHABLE',
    say: (place) => `There is no way to ${at(place)}`,
    hint: 'Check the network, and the VPN if there is one.',
  },
  {
    when: /kex_exchange_identification|banner|Connection (closed|reset) by|Broken pipe|Connection reset/i,
    code: 'SSH_DROPPED_EARLY',
    say: (place, words) => `${at(place)} closed the connection before the login was through (${words})`,
    hint: 'It may not be an SSH server, or it turns us away for a while after failed logins: wait half a minute.',
  },
]

const OTHERWISE: Row = {
  when: /^/,
  code: 'SSH_UNREACHABLE',
  say: (place, words) => `The ssh program did not reach ${at(place)}: ${words || 'it ended without a word'}`,
  hint: ({ alias }) => `See whether it works in a terminal: ssh -v ${alias}`,
}

/** How many of ssh's last lines are quoted. */
const QUOTED_LINES = 3

/** Why ssh ended before it was up. `words` are all that it said to the user. */
export async function startError(
  words: readonly string[],
  parameters: SshParameters,
  files: Pick<SshFiles, 'read'>,
): Promise<PluginError> {
  const text = words.join('\n')
  if (/HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i.test(text)) return changed(text, parameters, files)
  const row = ROWS.find(({ when }) => when.test(text)) ?? OTHERWISE
  const telling = words.filter((line) => row.when.test(line))
  const quoted = (telling.length > 0 ? telling : words).slice(-QUOTED_LINES).map(plain).join('; ')
  const hint = typeof row.hint === 'string' ? row.hint : row.hint(parameters)
  return new PluginError(row.code, row.say(parameters, quoted), { hint })
}

/** Why ssh ended after it was up. */
export function endError(words: readonly string[], place: Place): PluginError {
  return lostError(words.slice(-1).map(plain).join(''), place)
}

/** Why a channel was not opened; the reason is the server's, after ssh's name for its kind (RFC 4254 5.1). */
export function refusedError(reason: string, target: { host: string; port: number }, place: Place): PluginError {
  const kind = reason.startsWith('administratively prohibited')
    ? 1
    : reason.startsWith('connect failed')
      ? 2
      : undefined
  return channelError(Object.assign(new Error(plain(reason)), { reason: kind }), target, place)
}

/** A host key that the user was asked about and did not trust. */
export function untrustedError(parameters: SshParameters, detail: string): PluginError {
  return new PluginError('SSH_HOST_KEY_UNKNOWN', `The host key of ${at(parameters)} was not trusted`, {
    hint: `Compare it with the server's: ${detail}`,
  })
}

export function cancelledError({ user, host, port }: SshParameters): PluginError {
  return new PluginError('SSH_AUTH_CANCELLED', `The login to ${user}@${host}:${port} was cancelled`, {
    hint: 'gr, or the next prompt, asks again.',
  })
}

/** There was nothing but a key that stayed locked. */
export function lockedError(path: string, cause: PluginError): PluginError {
  return new PluginError('SSH_PASSPHRASE_WRONG', `The passphrase of ${path} was wrong every time`, {
    hint: `gr, or the next prompt, asks again; ssh-keygen -y -f ${path} tells whether a passphrase is the right one.`,
    cause,
  })
}

/** There is no program to do it. */
export class MissingProgramError extends PluginError {
  constructor() {
    super('SSH_UNSUPPORTED', 'No ssh program was found, which transport = "openssh" needs', {
      hint: 'Install OpenSSH, or set transport = "ssh2" for this server.',
    })
  }
}

async function changed(text: string, parameters: SshParameters, files: Pick<SshFiles, 'read'>): Promise<PluginError> {
  const [, type = '', file = '', line = ''] = /Offending (\S+) key in (.+?):(\d+)/.exec(text) ?? []
  const [shown = 'unknown'] = /SHA256:[\w+/]+/.exec(text) ?? []
  const entry = await knownAt(file, Number(line), files)
  const known = `${type} ${entry ? `${fingerprint(entry.key)} ` : ''}(${file}:${line})`
  const name =
    parameters.hostKeyAlias ?? (parameters.port === 22 ? parameters.host : `[${parameters.host}]:${parameters.port}`)
  return new PluginError(
    'SSH_HOST_KEY_CHANGED',
    `The host key of ${at(parameters)} has changed: known is ${known}, shown was ${shown}`,
    {
      hint: `Somebody may be listening in. If the server was set up anew, forget its old key: \`ssh-keygen -R '${name}' -f '${file}'\``,
    },
  )
}

async function knownAt(path: string, line: number, files: Pick<SshFiles, 'read'>): Promise<KnownHost | undefined> {
  const text = await files.read(path).catch(() => undefined)
  return parseKnownHosts(text ?? '', path).find((entry) => entry.line === line)
}

/** A server's words may be among ssh's: on one line, without anything that could move a cursor. */
function plain(words: string): string {
  return words.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
}
