// A configuration around the user's own, where it would trust any host key of a hop without asking. Pure.
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'

/** What ssh reads when it is not given another file, in this order. */
const USUAL_FILES = ['~/.ssh/config', '/etc/ssh/ssh_config']

/**
 * The text of a file that asks about the keys of these hops and leaves all else as it is; `undefined` when there is
 * nothing to change. Of an option that stands twice ssh takes the first.
 */
export function strictConfig(hops: readonly SshParameters[], configFile: string | undefined): string | undefined {
  const careless = hops.filter(({ strictHostKeyChecking }) => strictHostKeyChecking === 'off')
  if (careless.length === 0) return undefined
  const blocks = careless.map(({ alias }) => `Match originalhost ${alias}\n  StrictHostKeyChecking ask\n`)
  const files = configFile === undefined ? USUAL_FILES : [configFile]
  return `${blocks.join('')}Match all\n${files.map((file) => `  Include "${file}"\n`).join('')}`
}
