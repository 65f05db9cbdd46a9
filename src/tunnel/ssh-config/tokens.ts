// The tokens of ssh_config(5), `%h` and the like, in paths and in commands. Pure.
import { createHash } from 'node:crypto'
import { PluginError } from '../../core/errors.ts'

/** The machine and the person that paths and tokens speak of. */
export interface LocalUser {
  home: string
  name: string
  uid: number
  env: Readonly<Record<string, string | undefined>>
  /** As the machine names itself, with its domain if it has one. */
  hostname?: string
}

/** What is known of the server when its tokens are expanded. */
export interface TokenSource {
  alias: string
  host: string
  port: number
  user: string
  hostKeyAlias: string | undefined
  /** The host of ProxyJump alone. */
  jumpHost: string | undefined
}

/** Tokens by letter. */
export type Tokens = Readonly<Record<string, string>>

export function tokensOf(source: TokenSource, local: LocalUser): Tokens {
  const { alias, host, user } = source
  const port = String(source.port)
  const here = local.hostname ?? ''
  const jump = source.jumpHost ?? ''
  return {
    n: alias,
    h: host,
    p: port,
    r: user,
    k: source.hostKeyAlias ?? alias,
    j: jump,
    l: here,
    L: here.replace(/\..*/, ''),
    C: createHash('sha1').update(`${here}${host}${port}${user}${jump}`).digest('hex'),
  }
}

/**
 * Expands `~`, `${ENV}` and tokens in a path.
 * @throws PluginError SSH_UNSUPPORTED for what is not known.
 */
export function expandPath(path: string, tokens: Tokens, local: LocalUser): string {
  const all = withOwn(tokens, local)
  return path
    .replace(/^~(?=\/|$)/, local.home)
    .replace(/\$\{([^}]+)\}|%(.)/g, (written, variable: string | undefined, token: string | undefined) => {
      const value = variable === undefined ? all[token ?? ''] : local.env[variable]
      if (value !== undefined) return value
      throw new PluginError('SSH_UNSUPPORTED', `${written} in the path ${path} cannot be expanded`, {
        hint: 'Write the path without it in ~/.ssh/config, or set the variable.',
      })
    })
}

/** Of what OpenSSH lets neither into a host's nor a user's name in a command. */
const UNSAFE_IN_SHELL = /^-|[\s'"`$\\;&<>|(){}\u0000-\u001f\u007f]/
const NAMES = 'nhrkj'

/**
 * Expands the tokens of a command; the shell expands the rest.
 * @throws PluginError SSH_CONFIG_INVALID for a name that the shell could take for more than a name, SSH_UNSUPPORTED for
 *   an unknown token.
 */
export function expandCommand(command: string, tokens: Tokens, local: LocalUser): string {
  const all = withOwn(tokens, local)
  return command.replace(/%(.)/g, (written, token: string) => {
    const value = all[token]
    if (value === undefined) {
      throw new PluginError('SSH_UNSUPPORTED', `${written} in a ProxyCommand cannot be expanded`, {
        hint: 'Write the command without it in ~/.ssh/config.',
      })
    }
    if (NAMES.includes(token) && UNSAFE_IN_SHELL.test(value)) {
      throw new PluginError(
        'SSH_CONFIG_INVALID',
        `${written} of a ProxyCommand has characters that a shell would heed`,
        {
          hint: 'Name host and user without quotes, brackets, spaces or other signs of a shell.',
        },
      )
    }
    return value
  })
}

function withOwn(tokens: Tokens, local: LocalUser): Tokens {
  return { ...tokens, d: local.home, u: local.name, i: String(local.uid), '%': '%' }
}
