// What ssh_config says of host keys besides known_hosts: keys that are revoked in a file of their own (RevokedHostKeys),
// and keys that a command tells (KnownHostsCommand).
import { PluginError } from '../../core/errors.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import type { SshFiles } from '../ssh-files.ts'
import { type KnownHost, keyType } from './known-hosts.ts'

/** How a key revocation list begins, see PROTOCOL.krl of OpenSSH. */
const REVOCATION_LIST = 'SSHKRL\n\0'

/**
 * The revoked keys, as if known_hosts marked each of them for all hosts.
 * What only the ssh program understands is left to it where that may be, else told: it is never passed over in silence.
 * @throws PluginError SSH_UNSUPPORTED for what is left to the ssh program; SSH_CONFIG_INVALID when the revoked keys cannot
 *   be read, since as with OpenSSH no key may be trusted then.
 */
export async function readFurtherTrust(
  parameters: SshParameters,
  files: Pick<SshFiles, 'read'>,
  onNotice: (text: string) => void,
): Promise<KnownHost[]> {
  const { alias, knownHostsCommand, revokedHostKeysFile: path, mayLeaveToOpenssh } = parameters
  const leave = (what: string) => {
    if (!mayLeaveToOpenssh) return onNotice(`${what}: it does not count`)
    throw new PluginError('SSH_UNSUPPORTED', what, { hint: 'Only the ssh program heeds it.' })
  }
  if (knownHostsCommand !== undefined) leave(`KnownHostsCommand of ssh_config is not run for ${alias}`)
  if (path === undefined) return []
  const text = await readRevoked(path, files)
  if (!text.startsWith(REVOCATION_LIST)) return parseRevokedKeys(text, path)
  leave(`The key revocation list ${path} cannot be read here`)
  return []
}

/** One public key per line, with or without a comment. */
export function parseRevokedKeys(text: string, file: string): KnownHost[] {
  return text.split(/\r?\n/).flatMap((written, index) => {
    const [type = '', encoded = ''] = written.trim().split(/[ \t]+/)
    const key = Buffer.from(encoded, 'base64')
    if (type === '' || keyType(key) !== type) return []
    return [{ file, line: index + 1, marker: 'revoked' as const, hosts: '*', type, key }]
  })
}

async function readRevoked(path: string, files: Pick<SshFiles, 'read'>): Promise<string> {
  const refuse = (reason: string, cause?: unknown) =>
    new PluginError(
      'SSH_CONFIG_INVALID',
      `RevokedHostKeys ${path} cannot be read (${reason}), so no host key is trusted`,
      {
        hint: 'Put the file there, or take RevokedHostKeys out of ssh_config.',
        cause,
      },
    )
  const text = await files.read(path).catch((error: NodeJS.ErrnoException) => {
    throw refuse(error.code ?? error.message, error)
  })
  if (text === undefined) throw refuse('there is none')
  return text
}
