// The way to a server over other servers: which they are, one login after the other, and the end of all of them together.
// How one of them is dialled and logged in to is not known here.
import type { Duplex } from 'node:stream'
import { PluginError } from '../../core/errors.ts'
import { lastJump, type SshParameters } from '../ssh-config/ssh-parameters.ts'
import { lostError } from '../ssh-errors.ts'
import type { ConnectionFacts, Session } from '../transport.ts'

/** A hop as ProxyJump names it; `jump` are the hops before it, without which its own configuration decides. */
export interface Hop {
  host: string
  port: number | undefined
  user: string | undefined
  jump: string | undefined
}

/**
 * All servers on the way, in the order of dialling; the last is the one that is wanted.
 * @throws PluginError SSH_CONFIG_INVALID for a way that leads back to itself.
 */
export async function planRoute(
  target: SshParameters,
  resolve: (hop: Hop) => Promise<SshParameters>,
): Promise<SshParameters[]> {
  const route = [target]
  const byOwnConfig = new Set([addressOf(target)])
  let jump = target.proxyJump
  while (jump !== undefined) {
    const { before, ...hop } = lastJump(jump)
    const next = await resolve({ ...hop, jump: before })
    if (before === undefined) {
      if (byOwnConfig.has(addressOf(next))) throw loop(target, next)
      byOwnConfig.add(addressOf(next))
    }
    route.unshift(next)
    jump = next.proxyJump
  }
  return route
}

/** Opens what the next login is made over; called once, when somebody listens for its errors. */
export type OpenCarrier = () => Duplex

export interface ChainSteps {
  /** The way to the first server. */
  dial(first: SshParameters): OpenCarrier
  logIn(stop: SshParameters, carrier: OpenCarrier, isFirst: boolean): Promise<Session>
  signal: AbortSignal
}

/**
 * Logs in to one after the other, each over a channel of the one before.
 * @throws PluginError SSH_* that names the hop it comes from; the signal's reason when it is aborted.
 */
export async function connectChain(route: readonly SshParameters[], steps: ChainSteps): Promise<Session> {
  const sessions: Session[] = []
  const target = route.at(-1)
  try {
    for (const stop of route) {
      const before = sessions.at(-1)
      const carrier = before ? await openNext(before, stop, steps.signal) : steps.dial(stop)
      sessions.push(await steps.logIn(stop, carrier, before === undefined))
    }
  } catch (error) {
    for (const session of sessions.toReversed()) session.end()
    const isOfHop = sessions.length < route.length - 1 || isLossOfHop(error, sessions)
    throw target && isOfHop && !steps.signal.aborted ? onTheWay(error, target) : error
  }
  return together(sessions, route)
}

/** `user@host:port` */
export function addressOf({ user, host, port }: SshParameters): string {
  return `${user}@${host}:${port}`
}

/** What a server does not forward is no failure of Ollama's but of the way. */
async function openNext(before: Session, next: SshParameters, signal: AbortSignal): Promise<OpenCarrier> {
  try {
    const channel = await before.open(next.host, next.port, signal)
    // It may break before the login listens to it.
    channel.on('error', () => {})
    return () => {
      if (channel.destroyed) throw channel.errored ?? signal.reason
      return channel
    }
  } catch (error) {
    if (!(error instanceof PluginError) || error.code !== 'API_UNAVAILABLE') throw error
    throw new PluginError('SSH_UNREACHABLE', `${before.facts.address} cannot reach ${next.host}:${next.port}`, {
      hint: `Check the name and the port of ${next.alias} as they are seen from there, and that sshd runs on it.`,
      cause: error,
    })
  }
}

function isLossOfHop(error: unknown, sessions: readonly Session[]): boolean {
  return error instanceof PluginError && error.code === 'SSH_DISCONNECTED' && sessions.length > 0
}

function onTheWay(error: unknown, target: SshParameters): unknown {
  if (!(error instanceof PluginError)) return error
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  return new PluginError(error.code, `On the way to ${target.alias}: ${error.message}`, { ...hint, cause: error })
}

function loop(target: SshParameters, again: SshParameters): PluginError {
  return new PluginError(
    'SSH_CONFIG_INVALID',
    `The way to ${target.alias} leads in a circle: ${addressOf(again)} is reached over itself`,
    { hint: 'A "Host *" with ProxyJump holds for the jump host too: give that one "ProxyJump none" in ~/.ssh/config.' },
  )
}

/** The target's session, whose end is the end of the hops. A hop's loss reaches the target as its carrier's error. */
function together(sessions: readonly Session[], route: readonly SshParameters[]): Session {
  const hops = sessions.slice(0, -1).toReversed()
  const last = sessions.at(-1) as Session
  if (hops.length === 0) return last
  const endHops = (reason?: PluginError) => {
    for (const hop of hops) hop.end(reason)
  }
  const place = route.at(-1) as SshParameters
  for (const hop of hops) void hop.closed.then((error) => last.end(lostError(error, place)))
  const closed = last.closed.then((error) => {
    endHops()
    return error
  })
  const via = route.slice(0, -1).map(addressOf).join(', ')
  const facts: ConnectionFacts = { ...last.facts, address: `${last.facts.address} via ${via}` }
  return {
    open: (host, port, signal) => last.open(host, port, signal),
    probe: (signal) => last.probe(signal),
    ...(last.run ? { run: last.run.bind(last) } : {}),
    closed,
    facts,
    get heardAt() {
      return last.heardAt
    },
    end: (reason) => {
      last.end(reason)
      endHops(reason)
    },
  }
}
