// When the ssh program is taken in place of ssh2. Pure: what is looked at is gathered in transport-evidence.ts.
import type { PluginError } from '../core/errors.ts'
import type { SshParameters } from './ssh-config/ssh-parameters.ts'

/** What is there that only the ssh program can use, each by its name for a person. */
export interface Evidence {
  /** A living connection of the user's ssh. */
  master?: string | undefined
  /** A certificate of the user's. */
  certificate?: string | undefined
  /** The first key that would be offered lies on a security token. */
  tokenKey?: string | undefined
  /** The line of known_hosts that names an authority for the host, where no key of the host's own is known. */
  authority?: string | undefined
  /** A Kerberos ticket, where it may be used and no key is there. */
  ticket?: string | undefined
}

/** Why ssh2 need not even try; `undefined` when it should. */
export function whyOpenssh(parameters: SshParameters, evidence: Evidence): string | undefined {
  const { bindInterface, pkcs11Provider } = parameters
  const reasons = [
    [evidence.master, 'your ssh is connected already'],
    [bindInterface, 'ssh_config asks for BindInterface'],
    [pkcs11Provider, 'ssh_config names a PKCS#11 provider'],
    [evidence.certificate, 'a certificate is there to log in with'],
    [evidence.tokenKey, 'the key is on a security token'],
    [evidence.authority, 'known_hosts names a certificate authority for the host'],
    [evidence.ticket, 'a Kerberos ticket is there to log in with'],
  ] as const
  const [what, reason] = reasons.find(([found]) => found !== undefined) ?? []
  return what === undefined ? undefined : `${reason} (${what})`
}

/**
 * Why the ssh program may do better after ssh2 failed so; `undefined` when it would not, or must not try: who failed to
 * log in may be locked out, and a host key that was refused stays refused.
 */
export function whyOpensshAfter(error: PluginError): string | undefined {
  switch (error.code) {
    case 'SSH_UNSUPPORTED':
      return error.message
    case 'SSH_NO_COMMON_ALGORITHM':
      return 'the server shares no algorithm with ssh2'
    case 'SSH_KEY_UNSUPPORTED':
      return 'ssh2 cannot use the key that is wanted'
    default:
      return undefined
  }
}
