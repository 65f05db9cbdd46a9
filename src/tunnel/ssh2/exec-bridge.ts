// Streams on a server that forbids forwarding: a program there joins an exec channel to the address. It goes round what an
// administrator has forbidden, so it is done only when the user says so, and asked once.
import type { Duplex } from 'node:stream'
import type { Clock } from '../../core/clock.ts'
import { PluginError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { Place } from '../ssh-errors.ts'
import type { Prompts } from '../transport.ts'
import { type BridgeTool, bridgeCommand, PROBE, toolFrom } from './bridge-tools.ts'
import { ChannelSocket } from './channel-socket.ts'
import { ExecChannel, type ExecClient, type RawExecChannel } from './exec-channel.ts'

/** What the user has said of a server; it outlives a connection. Forgotten, it is asked again. */
export interface BridgeConsent {
  answer: 'allowed' | 'refused' | undefined
}

export interface Bridge {
  /** @throws PluginError SSH_FORWARDING_DENIED, SSH_CHANNEL_ERROR; the signal's reason when aborted. */
  open(target: Target, denied: PluginError, lost: () => Error | undefined, signal?: AbortSignal): Promise<Duplex>
}

export interface ExecBridgeOptions {
  place: Place
  prompts: Prompts
  consent: BridgeConsent
  clock: Clock
  log: Log
  channelTimeoutMs: number
  /** Aborted when the connection is over. */
  over: AbortSignal
  /** Resolves when no other command of ours runs: a server may allow but one. */
  quiet: Promise<void>
}

interface Target {
  host: string
  port: number
}

/** Waits before a command is tried again that was one too many: a server needs a moment to forget the one before. */
const WAITS_MS = [50, 200, 800]

/** Time that other commands of ours are given to end. */
const QUIET_MS = 1_000

export const RUN = 'Yes, run it there'
export const LEAVE = 'No, leave it'

export class ExecBridge implements Bridge {
  readonly #client: ExecClient
  readonly #options: ExecBridgeOptions
  #tool: Promise<BridgeTool | undefined> | undefined
  #asking: { answered: Promise<void>; controller: AbortController; waiters: number } | undefined

  constructor(client: ExecClient, options: ExecBridgeOptions) {
    this.#client = client
    this.#options = options
  }

  async open(
    target: Target,
    denied: PluginError,
    lost: () => Error | undefined,
    signal?: AbortSignal,
  ): Promise<Duplex> {
    this.#tool ??= this.#findTool()
    const tool = await unlessAborted(this.#tool, signal)
    if (tool === undefined) throw withoutTool(denied)
    const command = bridgeCommand(tool, target.host, target.port)
    await this.#agree(command, signal)
    if (this.#options.consent.answer !== 'allowed') throw refused(denied, tool)
    const channel = new ExecChannel(await this.#run(command, signal))
    const failed = (words: string) => noAnswer(this.#options.place, target, tool, words)
    return new ChannelSocket(channel, () => lost() ?? channel.failure(failed))
  }

  async #findTool(): Promise<BridgeTool | undefined> {
    await this.#settle()
    try {
      const channel = await this.#run(PROBE)
      let printed = ''
      channel.stderr.on('data', () => {})
      channel.on('data', (chunk) => {
        printed += chunk.toString('latin1')
      })
      // A forced command in its place may wait for input, or never end.
      channel.end()
      if (await this.#closes(channel)) return toolFrom(printed)
      discard(channel)
      return undefined
    } catch (error) {
      this.#options.log.info('the server runs no command either', { error })
      return undefined
    }
  }

  async #closes(channel: RawExecChannel): Promise<boolean> {
    const timer = new AbortController()
    const late = this.#options.clock.sleep(this.#options.channelTimeoutMs, timer.signal).then(
      () => false,
      () => false,
    )
    const closed = new Promise<boolean>((resolve) => channel.on('close', () => resolve(true)))
    const isClosed = await Promise.race([closed, late])
    timer.abort()
    return isClosed
  }

  /** A forced command may take the nudge's place, and may never end. */
  async #settle(): Promise<void> {
    const timer = new AbortController()
    const late = this.#options.clock.sleep(QUIET_MS, timer.signal).catch(() => {})
    await Promise.race([this.#options.quiet, late])
    timer.abort()
  }

  /** All who wait share one question, which is taken away with the last of them and with the connection. */
  async #agree(command: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#options.consent.answer !== undefined) return
    this.#asking ??= this.#startAsking(command)
    const asking = this.#asking
    asking.waiters++
    try {
      await unlessAborted(asking.answered, signal)
    } finally {
      if (--asking.waiters === 0) {
        asking.controller.abort(signal?.reason)
        this.#asking = undefined
      }
    }
  }

  #startAsking(command: string): { answered: Promise<void>; controller: AbortController; waiters: number } {
    const controller = new AbortController()
    const signal = AbortSignal.any([controller.signal, this.#options.over])
    return { answered: this.#ask(command, signal), controller, waiters: 0 }
  }

  async #ask(command: string, signal: AbortSignal): Promise<void> {
    const { prompts, place, consent, log } = this.#options
    const question = {
      title: `${place.alias} forbids forwarding: run \`${command}\` there for each request?`,
      detail:
        'The administrator of this server has forbidden TCP forwarding; this goes round it.\nAsk them if in doubt.',
    }
    const choice = await prompts.choose({ ...question, choices: [LEAVE, RUN] }, signal)
    consent.answer = choice === RUN ? 'allowed' : 'refused'
    log.info('a bridge round forbidden forwarding', { host: place.alias, command, answer: consent.answer })
  }

  async #run(command: string, signal?: AbortSignal): Promise<RawExecChannel> {
    for (const wait of WAITS_MS) {
      try {
        return await this.#exec(command, signal)
      } catch (error) {
        if (!isTooMany(error)) throw error
        await this.#options.clock.sleep(wait, signal)
      }
    }
    return this.#exec(command, signal)
  }

  /** A channel that comes when nobody waits for it any more is closed at once. */
  #exec(command: string, signal?: AbortSignal): Promise<RawExecChannel> {
    const { clock, channelTimeoutMs, place } = this.#options
    const timer = new AbortController()
    const opening = new Promise<RawExecChannel>((resolve, reject) => {
      clock.sleep(channelTimeoutMs, timer.signal).then(
        () => reject(tooSlow(place, channelTimeoutMs)),
        () => {},
      )
      signal?.addEventListener('abort', () => reject(signal.reason), { signal: timer.signal })
      this.#client.exec(command, (error, channel) => {
        if (error) reject(notRun(place, error))
        else if (timer.signal.aborted) discard(channel)
        else resolve(channel)
      })
    })
    return opening.finally(() => timer.abort())
  }
}

function isTooMany(error: unknown): boolean {
  return error instanceof PluginError && (error.cause as { reason?: unknown } | undefined)?.reason === 2
}

function discard(channel: RawExecChannel): void {
  channel.on('error', () => {})
  channel.stderr.on('data', () => {})
  channel.close()
  channel.resume()
}

/** Stops waiting, not what is waited for. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  signal.throwIfAborted()
  const over = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    over.abort()
  }
}

function withoutTool(denied: PluginError): PluginError {
  return new PluginError('SSH_FORWARDING_DENIED', denied.message, {
    hint: `${denied.hint ?? ''} There is neither nc, socat nor curl on the server to go round it.`.trim(),
    cause: denied,
  })
}

function refused(denied: PluginError, tool: BridgeTool): PluginError {
  return new PluginError('SSH_FORWARDING_DENIED', `${denied.message}, and you chose not to run ${tool} there`, {
    hint: `${denied.hint ?? ''} Disconnect the server to be asked again.`.trim(),
    cause: denied,
  })
}

function noAnswer({ alias }: Place, { host, port }: Target, tool: BridgeTool, words: string): PluginError {
  return new PluginError('API_UNAVAILABLE', `${tool} on ${alias} does not reach ${host}:${port}: ${words}`, {
    hint: 'Is Ollama running there? :Ollama service looks (systemctl status ollama).',
  })
}

function notRun({ alias }: Place, cause: Error): PluginError {
  return new PluginError('SSH_CHANNEL_ERROR', `${alias} does not run another command now: ${cause.message}`, {
    hint: 'Where forwarding is forbidden each request needs a command of its own: MaxSessions in sshd_config limits them.',
    cause,
  })
}

function tooSlow({ alias }: Place, ms: number): PluginError {
  return new PluginError('SSH_CHANNEL_ERROR', `${alias} did not run a command in ${ms / 1000} s`, {
    hint: 'The connection may be dead: try again.',
  })
}
