// One attempt to log in by an ssh program of our own, which stays and carries the streams. It ends in a session or in one
// error. What ssh is told is in arguments.ts, what it says in chatter.ts.
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import type { PluginError } from '../../core/errors.ts'
import { timeoutError } from '../ssh-errors.ts'
import { needsNudge } from '../ssh2/nudge.ts'
import { PhaseTimer, paused, pausing } from '../ssh2/phase-timer.ts'
import type { ConnectionFacts, Milestone, Session } from '../transport.ts'
import { type Destination, keeperArguments, sharedCommandArguments, streamArguments } from './arguments.ts'
import { Askpass } from './askpass.ts'
import { ChannelWatch } from './channel-watch.ts'
import { type ChatterEvent, understand } from './chatter.ts'
import { connectMux } from './mux.ts'
import { endError, lockedError, MissingProgramError, startError } from './openssh-errors.ts'
import { OpensshSession } from './openssh-session.ts'
import { CARRIAGE, factsOf, type OpensshOptions, sessionParts, TIMEOUTS } from './options.ts'
import { type Ending, type KeptProcess, startKept, startPiped } from './process.ts'
import type { RuntimeFolder } from './runtime-folder.ts'
import { ForwardedStreams, PipedStreams, type Streams } from './streams.ts'

/** Lines of ssh that are kept for the report of a failure. */
const MAX_WORDS = 100

export class OpensshLogin {
  readonly #destination: Destination
  readonly #folder: RuntimeFolder
  readonly #options: OpensshOptions
  readonly #timer: PhaseTimer
  readonly #watch = new ChannelWatch()
  /** What ssh said to the user. */
  readonly #words: string[] = []
  readonly #methods = new Set<string>()
  readonly #over = new AbortController()
  readonly #ready: Promise<void>
  #resolveReady: () => void = () => {}
  #askpass: Askpass | undefined
  #process: KeptProcess | undefined
  #facts: ConnectionFacts
  #key: string | undefined
  #greetings = 0
  /** Host keys that ssh has written into known_hosts. */
  #added = 0
  #readyCount = 0

  constructor(destination: Destination, folder: RuntimeFolder, options: OpensshOptions) {
    const { parameters } = destination
    this.#destination = destination
    this.#folder = folder
    this.#options = options
    this.#facts = factsOf(parameters, options)
    this.#ready = new Promise((resolve) => {
      this.#resolveReady = resolve
    })
    this.#timer = new PhaseTimer(options.clock ?? systemClock, (phase, ms) =>
      this.#over.abort(timeoutError(phase, ms, parameters)),
    )
  }

  async run(): Promise<Session> {
    const { signal } = this.#options
    const giveUp = () => this.#over.abort(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      const process = await this.#start()
      const stopped = new Promise<never>((_, reject) => {
        this.#over.signal.addEventListener('abort', () => reject(this.#over.signal.reason), { once: true })
      })
      stopped.catch(() => {})
      const failed = process.ended.then(async (ending) => Promise.reject(await this.#startFailure(ending)))
      failed.catch(() => {})
      await Promise.race([this.#ready, stopped, failed])
      return await Promise.race([this.#finish(process), stopped, failed])
    } catch (error) {
      await this.#abandon()
      throw this.#over.signal.aborted ? this.#over.signal.reason : error
    } finally {
      this.#timer.stop()
      signal.removeEventListener('abort', giveUp)
    }
  }

  async #start(): Promise<KeptProcess> {
    const { parameters } = this.#destination
    const { prompts, secrets, log, onNotice, program = 'ssh', clock } = this.#options
    const askpass = await Askpass.start({
      ...{ folder: this.#folder, parameters, log, onNotice },
      secrets: {
        get: (name, signal) => paused(this.#timer, async () => secrets.get(name, signal)),
        set: (name, secret) => secrets.set(name, secret),
        delete: (name) => secrets.delete(name),
      },
      prompts: pausing(prompts, this.#timer),
      onRefused: (reason) => this.#over.abort(reason),
    })
    this.#askpass = askpass
    this.#over.signal.throwIfAborted()
    this.#timer.start('dialling', parameters.connectTimeoutMs)
    const command = [program, ...keeperArguments(this.#destination, this.#controlPath)]
    this.#process = startKept(command, this.#folder.path, {
      environment: askpass.environment,
      onLine: (line) => this.#onLine(line),
      clock,
    })
    return this.#process
  }

  get #carriage(): 'sockets' | 'pipes' {
    return this.#options.carriage ?? CARRIAGE
  }

  get #controlPath(): string | undefined {
    return this.#carriage === 'sockets' ? join(this.#folder.path, 'c') : undefined
  }

  #onLine(line: string): void {
    const event = understand(line)
    if (!event) return
    this.#watch.take(event)
    this.#take(event)
  }

  /** A jump host's ssh speaks here too, before the target's: of what both say the last counts. */
  #take(event: ChatterEvent): void {
    const { keyExchange, login } = { ...TIMEOUTS, ...this.#options.timeouts }
    switch (event.type) {
      case 'greeted':
        this.#greetings++
        this.#facts = { ...this.#facts, banner: event.banner }
        this.#pass('tcp', event.banner)
        this.#timer.start('agreeing on keys', keyExchange)
        break
      case 'logging in':
        this.#options.onPhase('authenticating')
        this.#pass('host-key')
        this.#timer.start('logging in', login)
        break
      case 'trying':
        if (this.#askpass) this.#askpass.method = event.method
        break
      case 'key accepted':
        this.#key = event.key
        break
      case 'logged in':
        this.#methods.add(event.method)
        this.#facts = { ...this.#facts, login: event.method === 'publickey' ? (this.#key ?? 'key') : event.method }
        break
      case 'master':
        if (event.controlPath === this.#controlPath) this.#resolveReady()
        break
      case 'ready':
        this.#readyCount++
        if (this.#controlPath === undefined && this.#readyCount > this.#hops) this.#resolveReady()
        break
      case 'words':
        this.#words.push(event.text)
        if (this.#words.length > MAX_WORDS) this.#words.shift()
        this.#options.log.info('ssh says', { text: event.text })
        this.#tellTrust(event.text)
        break
    }
  }

  /** A key that nobody was asked about, as StrictHostKeyChecking accept-new has it, is told. */
  #tellTrust(words: string): void {
    if (!/^Warning: Permanently added .* to the list of known hosts/.test(words)) return
    if (++this.#added > (this.#askpass?.trusted ?? 0)) this.#options.onNotice(words)
  }

  /** What a hop's ssh says is not told as the target's. */
  #pass(stage: Milestone['stage'], detail?: string): void {
    if (this.#greetings <= this.#hops) return
    const { user, host, port } = this.#destination.parameters
    this.#options.onMilestone?.({ stage, hop: `${user}@${host}:${port}`, ...(detail ? { detail } : {}) })
  }

  get #hops(): number {
    return (this.#options.route?.length ?? 1) - 1
  }

  async #finish(process: KeptProcess): Promise<Session> {
    const { parameters } = this.#destination
    const mux = this.#controlPath === undefined ? undefined : await connectMux(this.#controlPath, this.#over.signal)
    const askpass = this.#askpass
    askpass?.succeeded(this.#methods)
    // Streams that log in by themselves may have to ask again.
    if (mux) askpass?.close()
    this.#pass('authentication', this.#facts.login)
    if (mux) this.#nudge()
    this.#words.length = 0
    const gone = process.ended.then(async () => {
      mux?.end()
      askpass?.close()
      await this.#folder.remove()
      return endError(this.#words, parameters)
    })
    return new OpensshSession({
      ...sessionParts(parameters, this.#options),
      streams: mux
        ? new ForwardedStreams({ mux, folder: this.#folder.path, place: parameters, watch: this.#watch })
        : this.#pipes(),
      facts: this.#facts,
      command: mux ? (command) => this.#sharedCommand(command) : undefined,
      gone,
      letGo: () => process.end(),
    })
  }

  /** Has `true` run there where sshd would hold small packets back; nobody waits for it. */
  #nudge(): void {
    if (!this.#destination.target.nudge || !needsNudge(this.#facts.banner ?? '')) return
    const process = startPiped(this.#sharedCommand('true'), { onLine: () => {}, clock: this.#options.clock })
    process.output.resume()
    // A forced command may run in its place, and wait for input.
    process.end()
  }

  #sharedCommand(command: string): readonly string[] {
    return [this.#options.program ?? 'ssh', ...sharedCommandArguments(this.#controlPath ?? '', command)]
  }

  #pipes(): Streams {
    const { program = 'ssh' } = this.#options
    return new PipedStreams({
      command: ({ host, port }) => [program, ...streamArguments(this.#destination, host, port)],
      environment: () => this.#askpass?.environment ?? {},
      place: this.#destination.parameters,
    })
  }

  async #startFailure(ending: Ending): Promise<PluginError> {
    if (ending === 'missing') return new MissingProgramError()
    const error = await startError(this.#words, this.#destination.parameters, this.#options.files)
    const key = this.#askpass?.lockedKey
    return error.code === 'SSH_AUTH_FAILED' && key !== undefined ? lockedError(key, error) : error
  }

  async #abandon(): Promise<void> {
    this.#askpass?.close()
    this.#process?.end()
    await this.#process?.ended
  }
}
