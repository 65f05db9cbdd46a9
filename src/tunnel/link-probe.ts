// Whether a connection that is up still stands: asked when there is reason to doubt, with a deadline much shorter than that of
// the keep-alive. When there is reason is said by link-watch.ts and by the requests; what follows from a death is connection.ts's.
import type { Duplex } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import type { Occasion } from './link-watch.ts'
import type { Session } from './transport.ts'

/** Milliseconds until a probe that nothing answers proves the link dead. */
const DEADLINE_MS = 2_500

/** Milliseconds. Who was heard so lately lives. */
const FRESH_MS = 2_000

/**
 * Milliseconds. The keep-alive makes a living link heard every 5 s, so one that is silent for longer is most likely dead: a
 * request is not sent into it before it has answered, which costs a living link nothing.
 */
const SILENT_MS = 7_500

/** Where a transport cannot tell when the far end was heard: milliseconds between requests after which it is asked. */
const UNUSED_MS = 10_000

const WORDS: Readonly<Record<Occasion | 'asking', string>> = {
  waking: 'after waking',
  network: 'after the network changed',
  focus: 'when looked at',
  asking: 'when it was needed',
}

export interface LinkProbeOptions {
  session: Session
  clock: Clock
  /** The server's, for the sentence. */
  name: string
  onDead: (error: PluginError) => void
}

export class LinkProbe {
  readonly #options: LinkProbeOptions
  readonly #streams = new Set<Duplex>()
  #running: Promise<void> | undefined
  #suspicion: Promise<void> | undefined
  readonly #stopped = new AbortController()
  #usedAt: number
  #answeredAt = 0
  #roundTripMs: number | undefined

  constructor(options: LinkProbeOptions) {
    this.#options = options
    this.#usedAt = options.clock.now()
  }

  /** As it was last measured. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** A stream that is busy sending delays a probe, so that its lateness proves nothing. */
  keepAnEyeOn(stream: Duplex): void {
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
  }

  /** Asks; whoever comes meanwhile waits for the same answer. Resolves when it is known; never rejects. */
  run(occasion: Occasion | 'asking'): Promise<void> {
    this.#running ??= this.#ask(occasion).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Asks, and holds the requests that come meanwhile back. */
  suspect(occasion: Occasion | 'asking'): void {
    if (this.#isSending) return
    this.#suspicion ??= this.run(occasion).finally(() => {
      this.#suspicion = undefined
    })
  }

  /** Asks beside the request when the link was silent. What is returned must be waited for before anything is sent. */
  beforeRequest(): Promise<void> | undefined {
    const now = this.#options.clock.now()
    const { heardAt } = this.#options.session
    const silence = now - Math.max(heardAt ?? this.#usedAt, this.#answeredAt)
    this.#usedAt = now
    if (!this.#isSending) {
      if (heardAt !== undefined && silence > SILENT_MS) this.suspect('asking')
      else if (silence > (heardAt === undefined ? UNUSED_MS : FRESH_MS)) void this.run('asking')
    }
    return this.#suspicion
  }

  stop(): void {
    this.#stopped.abort()
  }

  get #isSending(): boolean {
    return [...this.#streams].some(({ writableLength }) => writableLength > 0)
  }

  async #ask(occasion: Occasion | 'asking'): Promise<void> {
    const { session, clock, onDead } = this.#options
    const begun = clock.now()
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, this.#stopped.signal])
    const late = clock.sleep(DEADLINE_MS, signal).then(
      // An answer that is stuck behind others, which do come, is only slow.
      () => (session.heardAt !== undefined && session.heardAt > begun ? undefined : this.#unanswered(occasion)),
      () => undefined,
    )
    const answered = session.probe(signal).then(
      () => {
        this.#answeredAt = clock.now()
        this.#roundTripMs = this.#answeredAt - begun
        return undefined
      },
      (error) => (error instanceof PluginError ? error : this.#unanswered(occasion)),
    )
    const dead = await Promise.race([answered, late])
    over.abort()
    if (dead && !this.#stopped.signal.aborted) onDead(dead)
  }

  #unanswered(occasion: Occasion | 'asking'): PluginError {
    const words = `did not answer within ${DEADLINE_MS / 1000} s ${WORDS[occasion]}`
    return new PluginError('SSH_DISCONNECTED', `The SSH connection to ${this.#options.name} was lost: it ${words}`, {
      hint: 'Check the network; the next request connects anew.',
    })
  }
}
