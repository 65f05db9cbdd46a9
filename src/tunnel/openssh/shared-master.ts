// The user's own master: found, used, and left alive. Nothing is asked, and nothing of it is changed.
import { systemClock } from '../../core/clock.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import { lostError } from '../ssh-errors.ts'
import type { Session } from '../transport.ts'
import { sharedCommandArguments, sharedStreamArguments } from './arguments.ts'
import { connectMux, type Mux } from './mux.ts'
import { OpensshSession } from './openssh-session.ts'
import { CARRIAGE, factsOf, type OpensshOptions, sessionParts } from './options.ts'
import type { RuntimeFolder } from './runtime-folder.ts'
import { ForwardedStreams, PipedStreams, type Streams } from './streams.ts'

/** Time in which a living master greets, in milliseconds; one that is stopped never does. */
const GREETING_MS = 1_000

/** Whether the user's ssh holds a connection to this server that can be shared. */
export async function hasMaster(
  parameters: SshParameters,
  options: Pick<OpensshOptions, 'signal' | 'clock'>,
): Promise<boolean> {
  const mux = await findMaster(parameters, options)
  mux?.end()
  return mux !== undefined
}

export async function findMaster(
  { controlPath }: SshParameters,
  { signal, clock = systemClock, carriage = CARRIAGE }: Pick<OpensshOptions, 'signal' | 'clock' | 'carriage'>,
): Promise<Mux | undefined> {
  if (controlPath === undefined || carriage === 'pipes') return undefined
  const isFound = new AbortController()
  const tooLong = new AbortController()
  clock.sleep(GREETING_MS, isFound.signal).then(
    () => tooLong.abort(new Error('The master does not greet')),
    () => {},
  )
  try {
    return await connectMux(controlPath, AbortSignal.any([signal, tooLong.signal]))
  } catch {
    signal.throwIfAborted()
    return undefined
  } finally {
    isFound.abort()
  }
}

export function shareMaster(
  mux: Mux,
  folder: RuntimeFolder,
  parameters: SshParameters,
  options: OpensshOptions,
): Session {
  const { controlPath = '' } = parameters
  const sockets = new ForwardedStreams({ mux, folder: folder.path, place: parameters })
  const pipes = new PipedStreams({
    command: ({ host, port }) => [options.program ?? 'ssh', ...sharedStreamArguments(controlPath, host, port)],
    place: parameters,
    isSound: () => mux.alive(),
  })
  // What the master says is heard by the user's terminal only, so a process of ours must ask where it can.
  const streams: Streams = {
    open: (to, signal) => (to.host.startsWith('/') ? sockets : pipes).open(to, signal),
    end: () => sockets.end(),
  }
  const facts = { ...factsOf(parameters, options), login: 'your ControlMaster' }
  return new OpensshSession({
    ...sessionParts(parameters, options),
    streams,
    facts,
    command: (command) => [options.program ?? 'ssh', ...sharedCommandArguments(controlPath, command)],
    gone: mux.closed.then(async () => {
      await folder.remove()
      return lostError('your ControlMaster ended', parameters)
    }),
    letGo: () => setImmediate(() => mux.end()),
  })
}
