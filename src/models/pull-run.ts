// One pull from the first request to its end: its progress, what it waits for, when it is asked for again. Whose turn it is, and
// who is told, is the queue's (pulls.ts).
import type { Clock } from '../core/clock.ts'
import { PluginError, toPluginError, toRecord } from '../core/errors.ts'
import type { ModelKeeper } from '../providers/provider.ts'
import type { PullRow } from '../rpc/shapes.ts'
import { afterReport, asked, isFetching, isStalled, type PullProgress, STALL_MS, shown } from './pull-progress.ts'

/** What is needed of a server whose models are pulled. */
export interface PullServer {
  keeper: Pick<ModelKeeper, 'pull' | 'loadedModels'>
  /** The digest of an installed model, asked of the server now. */
  digestOf(model: string, signal: AbortSignal): Promise<string | undefined>
  /**
   * Resolves when the way to the server is there again.
   * @throws PluginError why it does not come by itself; the signal's reason when aborted
   */
  whenBack(signal: AbortSignal): Promise<void>
}

export interface PullRunDeps {
  /** Looked up anew for each attempt. @throws PluginError SERVER_NOT_FOUND */
  server: () => PullServer
  clock: Clock
  /** Something that is shown may have changed. */
  onChange: () => void
}

/** How often it is looked whether anything comes, and what the rate is then. */
const LOOK_MS = 1_000

/** A stall that lasts so long is ended by asking again. */
const ASK_AGAIN_MS = 60_000

/** Stalls without a byte between them, after which there is no use in asking. */
const MOST_STALLS = 3

/** Failures without a byte between them, after which there is no use in waiting. */
const MOST_FAILURES = 10

/** A server that does not say by then what it has in memory is not asked further. */
const LONGEST_LOOK_MS = 5_000

const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 30_000

/** What a person should know of a model that is newer on the disk than in memory. */
const OLD_IN_MEMORY = 'The one in memory is still the old: unload it to have the new'

/** The reason by which an attempt is ended that stalls. */
const STALLED = Symbol('stalled')

export class PullRun {
  readonly server: string
  readonly model: string
  readonly #deps: PullRunDeps
  readonly #life = new AbortController()
  #state: PullRow['state'] = 'queued'
  #progress: PullProgress | undefined
  #error: PluginError | undefined
  #note: string | undefined
  #failures = 0
  #stalls = 0

  constructor({ server, model }: { server: string; model: string }, deps: PullRunDeps) {
    this.server = server
    this.model = model
    this.#deps = deps
  }

  get hasEnded(): boolean {
    return this.#state === 'done' || this.#state === 'failed' || this.#state === 'cancelled'
  }

  get hasFailed(): boolean {
    return this.#state === 'failed'
  }

  /** Whether any byte came. */
  get hasFetched(): boolean {
    return (this.#progress?.received ?? 0) > 0
  }

  get isOldInMemory(): boolean {
    return this.#note === OLD_IN_MEMORY
  }

  get row(): PullRow {
    const { server, model } = this
    const figures = this.#progress ? shown(this.#progress, this.#deps.clock.now()) : { status: '' }
    return {
      ...{ server, model, state: this.#state, ...figures },
      ...(this.#error === undefined ? {} : { error: toRecord(this.#error) }),
      ...(this.#note === undefined ? {} : { note: this.#note }),
    }
  }

  /** Ends it, whatever it is at: its channel is closed, and what was fetched stays on the server. */
  cancel(): void {
    if (this.hasEnded) return
    if (this.hasFetched) this.#note = 'What was fetched stays on the server for the next pull'
    this.#become('cancelled')
    this.#life.abort(new PluginError('CANCELLED', `The pull of ${this.model} was cancelled`))
  }

  /** Resolves when it has ended, in whatever way. */
  async run(): Promise<void> {
    const { signal } = this.#life
    try {
      while (!(await this.#attempt(signal)));
      this.#become('done')
      await this.#lookAtMemory()
    } catch (thrown) {
      if (this.hasEnded) return
      const error = toPluginError(thrown)
      this.#become(error.code === 'CANCELLED' ? 'cancelled' : 'failed', error)
    }
  }

  /** Whether it got to the end. @throws PluginError when there is no use in another attempt */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    const before = this.#progress?.received ?? 0
    const server = this.#deps.server()
    try {
      await this.#pull(server.keeper, signal)
      return true
    } catch (thrown) {
      signal.throwIfAborted()
      if ((this.#progress?.received ?? 0) > before) this.#failures = this.#stalls = 0
      if (thrown === STALLED) this.#refuseManyStalls()
      else await this.#waitAfter(toPluginError(thrown), server, signal)
      return false
    }
  }

  async #pull(keeper: PullServer['keeper'], signal: AbortSignal): Promise<void> {
    const { clock, onChange } = this.#deps
    const attempt = new AbortController()
    const life = AbortSignal.any([signal, attempt.signal])
    this.#progress = asked(clock.now(), this.#progress)
    this.#become('pulling')
    void this.#watch(attempt).catch(() => {}) // ended with the attempt
    try {
      for await (const report of keeper.pull(this.model, { signal: life })) {
        life.throwIfAborted()
        this.#progress = afterReport(this.#progress, report, clock.now())
        this.#state = this.#stateNow(this.#progress)
        onChange()
      }
    } catch (thrown) {
      throw attempt.signal.reason === STALLED ? STALLED : thrown
    } finally {
      attempt.abort()
    }
  }

  /** Tells of a stall, and ends an attempt that stalls for long. */
  async #watch(attempt: AbortController): Promise<void> {
    const { clock, onChange } = this.#deps
    for (;;) {
      await clock.sleep(LOOK_MS, attempt.signal)
      if (!this.#progress || this.hasEnded) return
      this.#state = this.#stateNow(this.#progress)
      onChange()
      const { status, moved } = this.#progress
      if (isFetching(status) && clock.now() - moved >= STALL_MS + ASK_AGAIN_MS) attempt.abort(STALLED)
    }
  }

  #stateNow(progress: PullProgress): PullRow['state'] {
    if (isStalled(progress, this.#deps.clock.now())) return 'stalled'
    return isFetching(progress.status) ? 'pulling' : 'verifying'
  }

  #refuseManyStalls(): void {
    this.#stalls += 1
    if (this.#stalls < MOST_STALLS) return
    throw new PluginError(
      'PULL_FAILED',
      `${this.server} gets nothing more of ${this.model}, though it was asked again`,
      {
        hint: 'What was fetched is kept there: pull again later, and see to its way to the internet.',
      },
    )
  }

  /** Waits until it makes sense to ask again. @throws PluginError when it never will */
  async #waitAfter(error: PluginError, server: PullServer, signal: AbortSignal): Promise<void> {
    if (!passes(error) || this.#failures >= MOST_FAILURES) throw error
    this.#become('waiting', error)
    // The first wait is the way's own; a server that is away behind a sound way is asked ever less often.
    const delay = this.#failures === 0 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failures - 1))
    this.#failures += 1
    if (delay > 0) await this.#deps.clock.sleep(delay, signal)
    await server.whenBack(signal)
  }

  /** A model that is in memory stays there as it was; that it is the old one is seen by the digests. */
  async #lookAtMemory(): Promise<void> {
    const { server, clock, onChange } = this.#deps
    const end = new AbortController()
    const { signal } = end
    void clock.sleep(LONGEST_LOOK_MS, signal).then(
      () => end.abort(),
      () => {},
    )
    try {
      const { keeper, digestOf } = server()
      const loaded = (await keeper.loadedModels(signal)).find(({ name }) => name === this.model)
      const installed = loaded?.digest && (await digestOf(this.model, signal))
      if (installed && installed !== loaded.digest) this.#note = OLD_IN_MEMORY
    } catch {
      // It is only a hint: the pull is done.
    }
    end.abort()
    onChange()
  }

  #become(state: PullRow['state'], error?: PluginError): void {
    this.#state = state
    this.#error = error
    this.#deps.onChange()
  }
}

/** Whether the server is only away, or has ended the pull as one that restarts does. A way that never comes back says so itself. */
function passes({ code }: PluginError): boolean {
  return code === 'API_UNAVAILABLE' || code === 'API_INCOMPLETE' || code.startsWith('SSH_')
}
