// Brings an SSH connection up inside this process, over all hops of the way. The only module that imports ssh2, and that
// on first need: it costs a start 30 ms.
import { readFurtherTrust } from '../host-keys/further-trust.ts'
import { readKnownHosts } from '../host-keys/host-key.ts'
import { refuseUnsupportedRoute, type SshParameters } from '../ssh-config/ssh-parameters.ts'
import type { LinkPhase, Session } from '../transport.ts'
import { offerFor } from './algorithms.ts'
import { Attempt, type AttemptOptions } from './attempt.ts'
import { dial } from './dial.ts'
import { connectChain, type Hop, type OpenCarrier, planRoute } from './jump-chain.ts'

type Ssh2 = typeof import('ssh2')

export interface Ssh2Options extends Omit<AttemptOptions, 'isFirst' | 'isLast'> {
  /** Finds out how a hop of ProxyJump is reached. */
  resolveHop: (hop: Hop) => Promise<SshParameters>
}

/**
 * Connects and logs in, over all hops. Nothing is tried twice: a server may lock out who fails too often.
 * @throws PluginError SSH_*; the signal's reason when it is aborted.
 */
export async function connectSsh2(parameters: SshParameters, options: Ssh2Options): Promise<Session> {
  const { signal } = options
  const route = await planRoute(parameters, options.resolveHop)
  for (const stop of route) {
    refuseUnsupportedRoute(stop)
    offerFor(stop, [])
  }
  signal.throwIfAborted()
  const ssh2 = await loadSsh2()
  const told = new Set<LinkPhase>()
  const onPhase = (phase: LinkPhase) => {
    if (!told.has(phase)) options.onPhase(phase)
    told.add(phase)
  }
  const logIn = async (stop: SshParameters, openCarrier: OpenCarrier, isFirst: boolean) => {
    const { files, log, onNotice } = options
    const revoked = await readFurtherTrust(stop, files, onNotice)
    const known = [...(await readKnownHosts(stop, files, log, onNotice)), ...revoked]
    signal.throwIfAborted()
    return new Attempt(ssh2, stop, openCarrier, { ...options, onPhase, isFirst, isLast: stop === parameters }).run(
      known,
    )
  }
  return connectChain(route, { dial, logIn, signal })
}

export async function loadSsh2(): Promise<Ssh2> {
  return (await import('ssh2')).default as unknown as Ssh2
}
