// The first stretch of the way to a server: a TCP socket, or the command that ProxyCommand names.
import { connect } from 'node:net'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import type { OpenCarrier } from './jump-chain.ts'
import { ProxyCommandStream } from './proxy-command.ts'

/** Without Nagle's algorithm: a request's headers and body are two packets, and the second would wait for the first's acknowledgement. */
export function dial(parameters: SshParameters): OpenCarrier {
  const { proxyCommand, alias, host, port, addressFamily, bindAddress } = parameters
  if (proxyCommand !== undefined) return () => new ProxyCommandStream(proxyCommand, alias)
  const options = {
    host,
    port,
    ...(addressFamily === undefined ? {} : { family: addressFamily }),
    ...(bindAddress === undefined ? {} : { localAddress: bindAddress }),
  }
  return () => connect(options).setNoDelay(true)
}
