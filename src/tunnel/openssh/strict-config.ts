// A configuration around the user's own, where it would trust any host key of a hop without asking. Pure.
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'

/** What ssh reads when it is not given another file, in this order. */
const USUAL_FILES = ['~/.ssh/config', '/etc/ssh/ssh_config']

/** Options under which ssh looks at every host key: both are no by default, and a yes would pass a key without a word. */
export const NEVER_BLIND = ['NoHostAuthenticationForLocalhost no', 'VerifyHostKeyDNS no'] as const

/**
 * The text of a file that asks about the keys of these hops and leaves all else as it is; `undefined` when there is no
 * hop. Of an option that stands twice ssh takes the first.
 */
export function strictConfig(hops: readonly SshParameters[], configFile: string | undefined): string | undefined {
  if (hops.length === 0) return undefined
  const blocks = hops.map(({ alias, strictHostKeyChecking }) => {
    const options = [...NEVER_BLIND, ...(strictHostKeyChecking === 'off' ? ['StrictHostKeyChecking ask'] : [])]
    return `Match originalhost ${alias}\n${options.map((option) => `  ${option}\n`).join('')}`
  })
  const files = configFile === undefined ? USUAL_FILES : [configFile]
  return `${blocks.join('')}Match all\n${files.map((file) => `  Include "${file}"\n`).join('')}`
}
