// The ways in which an ssh program carries a stream: a unix socket that our own master forwards, or the standard input
// and output of a process, by a login of its own or through a master of the user's.
import { connect } from 'node:net'
import { join } from 'node:path'
import { PluginError } from '../../core/errors.ts'
import type { Place } from '../ssh-errors.ts'
import type { ChannelWatch } from './channel-watch.ts'
import { type ChatterEvent, understand } from './chatter.ts'
import type { ForwardTarget, Mux } from './mux.ts'
import { refusedError } from './openssh-errors.ts'
import type { Pipe } from './pipe-socket.ts'
import { startPiped } from './process.ts'

/** A stream that stands. */
export interface Opened extends Pipe {
  /** Resolves when an end that came was meant. Rejects with the reason when the carrier died. */
  isSound(): Promise<void>
}

export interface Streams {
  /** @throws PluginError when the far end refuses; the signal's reason; any other error when the carrier is gone. */
  open(target: ForwardTarget, signal: AbortSignal): Promise<Opened>
  /** Lets go of what was set up for streams. */
  end(): void
}

interface Forward {
  target: ForwardTarget
  path: string
  isThere: Promise<void>
}

/** Sockets in a private folder, one for each target, that a master listens on. */
export class ForwardedStreams implements Streams {
  readonly #mux: Mux
  readonly #folder: string
  readonly #place: Place
  /** Absent for a master whose words we do not hear. */
  readonly #watch: ChannelWatch | undefined
  readonly #forwards = new Map<string, Forward>()
  #count = 0

  constructor(options: { mux: Mux; folder: string; place: Place; watch?: ChannelWatch | undefined }) {
    this.#mux = options.mux
    this.#folder = options.folder
    this.#place = options.place
    this.#watch = options.watch
  }

  async open(target: ForwardTarget, signal: AbortSignal): Promise<Opened> {
    const path = await this.#forward(target)
    signal.throwIfAborted()
    const expected = this.#watch?.expect(target)
    const socket = connect({ path, allowHalfOpen: true })
    socket.on('error', () => {})
    const made = new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve())
      socket.once('error', (error) => {
        expected?.forget()
        reject(error)
      })
    })
    try {
      const reason = await orAborted(
        made.then(() => expected?.outcome),
        signal,
      )
      if (reason !== undefined) throw refusedError(reason, target, this.#place)
    } catch (error) {
      socket.destroy()
      throw error
    }
    return { input: socket, output: socket, end: () => socket.destroy(), isSound: () => this.#mux.alive() }
  }

  /** A master of the user's lives on, so it is told to forget; ours goes with its sockets. */
  end(): void {
    if (this.#watch) return
    for (const { path, target } of this.#forwards.values()) this.#mux.forget(path, target).catch(() => {})
  }

  async #forward(target: ForwardTarget): Promise<string> {
    const name = target.host.startsWith('/') ? target.host : `${target.host}:${target.port}`
    const forward = this.#forwards.get(name) ?? this.#startForward(target)
    this.#forwards.set(name, forward)
    try {
      await forward.isThere
    } catch (error) {
      this.#forwards.delete(name)
      await this.#mux.alive()
      throw new PluginError('SSH_CHANNEL_ERROR', `The ssh program does not forward to ${name}: ${wordsOf(error)}`, {
        hint: 'See :Ollama log for what ssh says.',
        cause: error,
      })
    }
    return forward.path
  }

  #startForward(target: ForwardTarget): Forward {
    const path = join(this.#folder, `s${this.#count++}`)
    return { target, path, isThere: this.#mux.forward(path, target) }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A process for each stream. */
export class PipedStreams implements Streams {
  readonly #command: (target: ForwardTarget) => readonly string[]
  readonly #environment: () => Readonly<Record<string, string>>
  readonly #place: Place
  /** Of a process that ends with 0 whether its master died or not. */
  readonly #isSound: (() => Promise<void>) | undefined

  constructor(options: {
    command: (target: ForwardTarget) => readonly string[]
    environment?: (() => Readonly<Record<string, string>>) | undefined
    place: Place
    isSound?: (() => Promise<void>) | undefined
  }) {
    this.#command = options.command
    this.#environment = options.environment ?? (() => ({}))
    this.#place = options.place
    this.#isSound = options.isSound
  }

  async open(target: ForwardTarget, signal: AbortSignal): Promise<Opened> {
    if (target.host.startsWith('/')) {
      throw new PluginError('SSH_UNSUPPORTED', `ssh -W does not lead to the unix socket ${target.host}`, {
        hint: 'Set transport = "ssh2" for this server, or let Ollama be reached by a host and port.',
      })
    }
    const words: string[] = []
    let tell: (event: ChatterEvent) => void = () => {}
    const opened = new Promise<void>((resolve, reject) => {
      tell = (event) => {
        if (event.type === 'words') words.push(event.text)
        if (event.type === 'channel opened' || event.type === 'stream opened') resolve()
        if (event.type === 'channel refused') reject(refusedError(event.reason, target, this.#place))
      }
    })
    opened.catch(() => {})
    const process = startPiped(this.#command(target), {
      environment: this.#environment(),
      onLine: (line) => {
        const event = understand(line)
        if (event) tell(event)
      },
    })
    try {
      await orAborted(Promise.race([opened, process.ended.then(() => this.#refused(words, target))]), signal)
    } catch (error) {
      process.end()
      throw error
    }
    return {
      input: process.input,
      output: process.output,
      end: () => process.end(),
      isSound: () => this.#ended(process, words),
    }
  }

  end(): void {}

  #refused(words: readonly string[], target: ForwardTarget): never {
    if (words.some((line) => /Session open refused by peer/.test(line))) {
      throw new PluginError('API_UNAVAILABLE', `${this.#place.alias} did not lead to ${target.host}:${target.port}`, {
        hint: 'Is Ollama running there? :Ollama service looks (systemctl status ollama). Or the server forbids forwarding (AllowTcpForwarding, PermitOpen).',
      })
    }
    throw new Error(words.at(-1) ?? 'ssh ended without a word')
  }

  async #ended(process: { ended: Promise<unknown> }, words: readonly string[]): Promise<void> {
    const ending = (await process.ended) as { code?: number | null } | 'missing'
    if (ending === 'missing' || ending.code !== 0) throw new Error(words.at(-1) ?? '')
    await this.#isSound?.()
  }
}

/** Waits, but not longer than the signal lets. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
