// The programs that can carry a stream on a server that forbids forwarding, and the commands that run them. Pure.
import { PluginError } from '../../core/errors.ts'

export type BridgeTool = 'nc' | 'socat' | 'curl'

/** In the order of preference. */
const TOOLS: readonly BridgeTool[] = ['nc', 'socat', 'curl']

/** A server may greet on stdout; its words shall not pass for an answer. */
const MARK = 'ollama-remote-has:'

/** Prints which of the programs are there, in any login shell, since it runs a POSIX one. */
export const PROBE = `sh -c 'for t in ${TOOLS.join(' ')}; do command -v $t >/dev/null 2>&1 && echo ${MARK}$t; done; :'`

/** The program to take, of those that the probe printed; `undefined` when there is none. */
export function toolFrom(printed: string): BridgeTool | undefined {
  const found = printed.split(/\r?\n/).map((line) => line.trim())
  return TOOLS.find((tool) => found.includes(`${MARK}${tool}`))
}

/**
 * The command that joins its stdin and stdout to `host:port`.
 * The quotes are the same in every shell, and nothing that could end them gets between them.
 * @throws PluginError CONFIG_INVALID for a host that has other signs than names and addresses have.
 */
export function bridgeCommand(tool: BridgeTool, host: string, port: number): string {
  const bare = host.replace(/^\[|\]$/g, '')
  if (!/^[a-z0-9_][a-z0-9_.-]*$|^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(bare) || !Number.isInteger(port)) {
    throw new PluginError('CONFIG_INVALID', `${host}:${port} cannot be named in a command on the server`, {
      hint: 'Check the url of this server: a host has letters, digits, dots and dashes only.',
    })
  }
  const inUrl = bare.includes(':') ? `[${bare}]` : bare
  switch (tool) {
    case 'nc':
      return `nc '${bare}' ${port}`
    case 'socat':
      return `socat - 'TCP:${inUrl}:${port}'`
    case 'curl':
      // Neither its own configuration nor a proxy counts, and nothing is held back.
      return `curl -q -sSN --noproxy '*' 'telnet://${inUrl}:${port}'`
  }
}
