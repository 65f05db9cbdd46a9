// What is done about the key that a server shows: accepted, asked about, or refused. No key is ever accepted silently.
import { PluginError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import type { SshFiles } from '../ssh-files.ts'
import type { Prompts } from '../transport.ts'
import {
  fingerprint,
  hostNames,
  type KnownHost,
  keyType,
  knownHostsLine,
  parseKnownHosts,
  type Verdict,
  verdict,
} from './known-hosts.ts'

export interface HostKeyContext {
  parameters: SshParameters
  known: readonly KnownHost[]
  files: SshFiles
  prompts: Prompts
  signal: AbortSignal
  log: Log
  /** Tells the user of a trust decision that was taken without asking. */
  onNotice: (text: string) => void
}

export const TRUST = 'Yes, trust it and remember it'
export const REFUSE = 'No, refuse it'

/** Reads all known_hosts files that hold for a host. One that cannot be read counts as empty, as with OpenSSH, and is told. */
export async function readKnownHosts(
  parameters: SshParameters,
  files: Pick<SshFiles, 'read'>,
  log: Log,
  onNotice: (text: string) => void,
): Promise<KnownHost[]> {
  const paths = [...parameters.userKnownHostsFiles, ...parameters.globalKnownHostsFiles]
  const read = async (path: string) => {
    try {
      return parseKnownHosts((await files.read(path)) ?? '', path)
    } catch (error) {
      log.warn('a known_hosts file cannot be read', { path, error })
      onNotice(`${path} cannot be read, so the host keys in it do not count`)
      return []
    }
  }
  return (await Promise.all(paths.map(read))).flat()
}

/** The names under which the host of these parameters may be known. */
export function namesOf(parameters: SshParameters): readonly [string, ...string[]] {
  return hostNames(parameters.host, parameters.port, parameters.hostKeyAlias)
}

/**
 * Resolves when the key may be trusted, and remembers one that the user trusted.
 * @throws PluginError SSH_HOST_KEY_UNKNOWN, SSH_HOST_KEY_CHANGED, SSH_HOST_KEY_REVOKED; the signal's reason when given up.
 */
export async function judgeHostKey(key: Buffer, context: HostKeyContext): Promise<void> {
  const names = namesOf(context.parameters)
  const found = verdict(context.known, names, key)
  switch (found.kind) {
    case 'ok':
      return
    case 'revoked':
      throw revoked(found.entry, key, names[0])
    case 'changed':
      throw changed(found, key, names[0], context.parameters)
    case 'unknown':
      await decide(found, key, names[0], context)
      return remember(key, names[0], context)
  }
}

/**
 * Wraps a judge for ssh2, which accepts a key when its verifier returns anything but `undefined`, a promise too, and
 * when it is called back with anything but `false`. So: no async function, a block body, and strict booleans.
 * A key once accepted is accepted again at each re-keying without asking anew.
 */
export function hostVerifier(
  judge: (key: Buffer) => Promise<void>,
  refused: (reason: unknown) => void,
): (key: Buffer, verify: (isTrusted: boolean) => void) => void {
  let trusted: Buffer | undefined
  return (key, verify) => {
    if (trusted?.equals(key)) {
      verify(true)
      return
    }
    const shown = Buffer.from(key)
    judgeLater(judge, shown).then(
      () => {
        trusted = shown
        verify(true)
      },
      (reason) => {
        refused(reason)
        verify(false)
      },
    )
  }
}

/** A judge that throws before its first await denies too. */
async function judgeLater(judge: (key: Buffer) => Promise<void>, key: Buffer): Promise<void> {
  await judge(key)
}

async function decide(
  found: Verdict & { kind: 'unknown' },
  key: Buffer,
  name: string,
  context: HostKeyContext,
): Promise<void> {
  const { strictHostKeyChecking } = context.parameters
  const print = `${label(key)} key fingerprint is ${fingerprint(key)}`
  if (strictHostKeyChecking === 'yes') {
    throw new PluginError(
      'SSH_HOST_KEY_UNKNOWN',
      `No ${label(key)} host key is known for ${inWords(name)}, and StrictHostKeyChecking is yes`,
      {
        hint: `Add the key to known_hosts when it is the right one (${print}).`,
      },
    )
  }
  const isKnownOtherwise = found.otherTypes.length > 0
  if (strictHostKeyChecking === 'accept-new' && isKnownOtherwise && context.parameters.mayLeaveToOpenssh) {
    throw new PluginError(
      'SSH_UNSUPPORTED',
      `${inWords(name)} is known by a key that cannot be verified here (${found.otherTypes.join(', ')})`,
      { hint: 'The ssh program can verify it.' },
    )
  }
  if (strictHostKeyChecking === 'accept-new' && !isKnownOtherwise) {
    context.onNotice(`The new host key of ${name} is trusted, as StrictHostKeyChecking accept-new asks: ${print}`)
    context.log.warn('a new host key is trusted by accept-new', { name, fingerprint: fingerprint(key) })
    return
  }
  const question = { title: `The authenticity of host '${name}' can't be established`, detail: detailOf(found, print) }
  const choice = await context.prompts.choose({ ...question, choices: [REFUSE, TRUST] }, context.signal)
  if (choice === TRUST) return context.log.info('the user trusts a host key', { name, fingerprint: fingerprint(key) })
  throw new PluginError('SSH_HOST_KEY_UNKNOWN', `The host key of ${inWords(name)} was not trusted`, {
    hint: `Compare it with the server's: ssh-keygen -lf /etc/ssh/ssh_host_${fileLabel(key)}_key.pub (${print}).`,
  })
}

function detailOf(found: Verdict & { kind: 'unknown' }, print: string): string {
  const lines = [`${print}.`]
  if (found.otherTypes.length > 0) {
    lines.push(
      `Keys of other types are known for this host, which cannot be verified here: ${found.otherTypes.join(', ')}.`,
    )
  }
  if (found.authority) {
    const { file, line } = found.authority
    lines.push(`A certificate authority is named for this host (${file}:${line}), which cannot be verified here.`)
  }
  return lines.join('\n')
}

/** A key that cannot be written down is trusted for this time only, and that is told. */
async function remember(key: Buffer, name: string, context: HostKeyContext): Promise<void> {
  const [path] = context.parameters.userKnownHostsFiles
  if (path === undefined)
    return context.onNotice(`The host key of ${name} is not remembered: UserKnownHostsFile is none`)
  try {
    await context.files.appendLine(path, knownHostsLine(name, key, { hashed: context.parameters.hashKnownHosts }))
  } catch (error) {
    context.log.warn('a host key could not be remembered', { path, error })
    context.onNotice(`The host key of ${name} could not be written to ${path}: it will be asked about again`)
  }
}

function revoked(entry: KnownHost, key: Buffer, name: string): PluginError {
  return new PluginError(
    'SSH_HOST_KEY_REVOKED',
    `${inWords(name)} shows a host key that is marked as revoked at ${entry.file}:${entry.line} (${fingerprint(key)})`,
    {
      hint: 'Do not connect: somebody may have the stolen key. Ask who administers the server.',
    },
  )
}

function changed(
  found: Verdict & { kind: 'changed' },
  key: Buffer,
  name: string,
  parameters: SshParameters,
): PluginError {
  const { entry, knownFingerprint } = found
  const known = `${label(entry.key)} ${knownFingerprint} (${entry.file}:${entry.line})`
  return new PluginError(
    'SSH_HOST_KEY_CHANGED',
    `The host key of ${inWords(name)} has changed: known is ${known}, shown was ${label(key)} ${fingerprint(key)}`,
    {
      hint: `Somebody may be listening in. If the server was set up anew, forget its old key: ${mend(entry, name, parameters)}`,
    },
  )
}

/**
 * The command that forgets a key; the file is named unless it is the one that ssh-keygen takes by itself.
 * Between backticks, since Markdown would hide the brackets of `[host]:port`, as of a link.
 */
function mend(entry: KnownHost, name: string, parameters: SshParameters): string {
  const isDefault = entry.file === parameters.userKnownHostsFiles[0] && /\/\.ssh\/known_hosts$/.test(entry.file)
  return `\`ssh-keygen -R '${name}'${isDefault ? '' : ` -f '${entry.file}'`}\``
}

/** The type of a key as ssh names it to a person: ED25519, ECDSA, RSA. */
function label(key: Buffer): string {
  return fileLabel(key).toUpperCase()
}

function fileLabel(key: Buffer): string {
  return /ed25519|ecdsa|rsa|dss/.exec(keyType(key))?.[0].replace('dss', 'dsa') ?? keyType(key)
}

/** `[host]:port` of known_hosts as Markdown can show it. */
function inWords(name: string): string {
  return name.replace(/^\[(.+)\]:(\d+)$/, '$1 port $2')
}
