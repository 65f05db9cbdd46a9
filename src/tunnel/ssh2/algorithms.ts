// Which algorithms are offered to a server: those that ssh2 does well, as far as the user's ssh_config allows them. Pure.
import { PluginError } from '../../core/errors.ts'
import { hostKeyAlgorithms } from '../host-keys/known-hosts.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'

/** In ssh2's order, which is that of their speed here. */
const KEY_EXCHANGES = [
  'curve25519-sha256@libssh.org',
  'curve25519-sha256',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group15-sha512',
  'diffie-hellman-group16-sha512',
] as const

/** ssh2 knows these too, but their big primes block the event loop for a second and more. */
const SLOW_KEY_EXCHANGES = [
  'diffie-hellman-group-exchange-sha256',
  'diffie-hellman-group17-sha512',
  'diffie-hellman-group18-sha512',
] as const

const CIPHERS = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'chacha20-poly1305@openssh.com',
] as const

const MACS = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha1-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
  'hmac-sha1',
] as const

/** What is taken from ssh2's own lists, and the host keys that are asked for. */
export interface Offer {
  kex: { append: []; prepend: []; remove: string[] }
  cipher: { append: []; prepend: []; remove: string[] }
  hmac: { append: []; prepend: []; remove: string[] }
  serverHostKey: string[]
}

/**
 * ssh_config takes away; the order stays ours, since all that is left is allowed.
 * @param knownTypes types of the host's known keys, which go first.
 * @throws PluginError SSH_NO_COMMON_ALGORITHM when nothing is left of a kind, which is known without dialling.
 */
export function offerFor(parameters: SshParameters, knownTypes: readonly string[]): Offer {
  const { keyExchanges, ciphers, macs, hostKeys } = parameters.algorithms
  const without = (own: readonly string[], allowed: readonly string[] | undefined, keyword: string) => {
    const remove = own.filter((name) => allowed?.includes(name) === false)
    if (remove.length === own.length) throw nothingLeft(parameters, keyword, allowed ?? [])
    return { append: [] as [], prepend: [] as [], remove }
  }
  const kex = without(KEY_EXCHANGES, keyExchanges, 'KexAlgorithms')
  kex.remove.push(...SLOW_KEY_EXCHANGES)
  const ours = hostKeyAlgorithms(knownTypes)
  const serverHostKey = ours.filter((name) => hostKeys?.includes(name) ?? true)
  if (serverHostKey.length === 0) throw nothingLeft(parameters, 'HostKeyAlgorithms', hostKeys ?? [])
  return { kex, cipher: without(CIPHERS, ciphers, 'Ciphers'), hmac: without(MACS, macs, 'MACs'), serverHostKey }
}

function nothingLeft({ alias }: SshParameters, keyword: string, allowed: readonly string[]): PluginError {
  return new PluginError(
    'SSH_NO_COMMON_ALGORITHM',
    `${keyword} of ssh_config allows for ${alias} nothing that ssh2 can do (${allowed.join(', ')})`,
    { hint: `The ssh program may know them: set transport = "openssh" for this server, or add to ${keyword}.` },
  )
}
