// Whether a connection that is up still stands: asked when there is reason to doubt, with a deadline much shorter than that of
// the keep-alive. When there is reason is said by link-watch.ts and by requests without a sign of life; what follows from a death is connection.ts's.
import type { Duplex } from 'node:stream'
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import type { Occasion } from './link-watch.ts'
import type { Session } from './transport.ts'

/** Milliseconds until a probe that nothing answers proves the link dead. */
const DEADLINE_MS = 2_500

/** Milliseconds. A request after which nothing at all was heard for so long has the link asked: within 3 s it is known. */
const PATIENCE_MS = 500

/**
 * Milliseconds. The keep-alive makes a living link heard every 5 s, so one that is silent for longer is most likely dead: a
 * request is not sent into it before it has answered, which costs a living link nothing.
 */
const SILENT_MS = 7_500

const WORDS: Readonly<Record<Occasion | 'asking', string>> = {
  waking: 'after waking',
  network: 'after the network changed',
  focus: 'when looked at',
  asking: 'when it was needed',
}

export interface LinkProbeOptions {
  session: Pick<Session, 'probe' | 'heardAt'>
  clock: Clock
  /** @param words say what did not happen, as `did not answer within 2.5 s after waking`. */
  deadError: (words: string) => PluginError
  onDead: (error: PluginError) => void
}

export class LinkProbe {
  readonly #options: LinkProbeOptions
  readonly #streams = new Set<Duplex>()
  #running: Promise<void> | undefined
  #suspicion: Promise<void> | undefined
  readonly #stopped = new AbortController()
  #requestedAt = 0
  #heardAt = 0
  #isExpecting = false
  #roundTripMs: number | undefined

  constructor(options: LinkProbeOptions) {
    this.#options = options
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

  /** Asks when nothing is heard after the request. What is returned must be waited for before it is sent. */
  beforeRequest(): Promise<void> | undefined {
    const now = this.#options.clock.now()
    const silence = this.#options.session.heardAt === undefined ? 0 : now - this.#lastHeard
    this.#requestedAt = now
    if (silence > SILENT_MS) this.suspect('asking')
    void this.#expectSign()
    return this.#suspicion
  }

  /** Something came over the link that its session may not know of. */
  heard(): void {
    this.#heardAt = this.#options.clock.now()
  }

  stop(): void {
    this.#stopped.abort()
  }

  get #lastHeard(): number {
    return Math.max(this.#heardAt, this.#options.session.heardAt ?? 0)
  }

  /** Ends when something was heard after the last request, or the link has been asked. */
  async #expectSign(): Promise<void> {
    if (this.#isExpecting) return
    this.#isExpecting = true
    try {
      for (let since = Number.NaN; since !== this.#requestedAt; ) {
        since = this.#requestedAt
        await this.#options.clock.sleep(since + PATIENCE_MS - this.#options.clock.now(), this.#stopped.signal)
        if (this.#lastHeard > this.#requestedAt) return
      }
      if (!this.#isSending) await this.run('asking')
    } catch {
      // It is not up any more.
    } finally {
      this.#isExpecting = false
    }
  }

  get #isSending(): boolean {
    return [...this.#streams].some(({ writableLength }) => writableLength > 0)
  }

  async #ask(occasion: Occasion | 'asking'): Promise<void> {
    const { session, clock, onDead } = this.#options
    if (this.#stopped.signal.aborted) return
    const begun = clock.now()
    const over = new AbortController()
    const { signal } = over
    this.#stopped.signal.addEventListener('abort', () => over.abort(), { signal })
    const late = clock.sleep(DEADLINE_MS, signal).then(
      // An answer that is stuck behind others, which do come, is only slow.
      () => (this.#lastHeard > begun ? undefined : this.#unanswered(occasion)),
      () => undefined,
    )
    const answered = session.probe(signal).then(
      () => {
        this.heard()
        this.#roundTripMs = clock.now() - begun
        return undefined
      },
      (error) => (error instanceof PluginError ? error : this.#unanswered(occasion)),
    )
    const dead = await Promise.race([answered, late])
    over.abort()
    if (dead && !this.#stopped.signal.aborted) onDead(dead)
  }

  #unanswered(occasion: Occasion | 'asking'): PluginError {
    return this.#options.deadError(`did not answer within ${DEADLINE_MS / 1000} s ${WORDS[occasion]}`)
  }
}
