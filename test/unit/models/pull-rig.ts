// A server whose pulls a test writes line by line, and a queue of pulls before it in time that stands still.
import { PluginError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import type { PullServer } from '../../../src/models/pull-run.ts'
import { Pulls } from '../../../src/models/pulls.ts'
import type { LoadedModel, PullReport } from '../../../src/providers/provider.ts'
import type { PullRow } from '../../../src/rpc/shapes.ts'
import { FakeClock, settle } from '../core/fake-clock.ts'

export const MB = 1_000_000

/** One pull as the server was asked for it. */
export class AskedPull {
  readonly model: string
  isOpen = true
  readonly #reports: PullReport[] = []
  #end: 'open' | 'done' | unknown = 'open'
  #wake = () => {}

  constructor(model: string) {
    this.model = model
  }

  /** So much of a layer of 100 MB. */
  layer(megabytes: number, digest = 'sha256:a'): this {
    return this.report({ status: 'pulling a', layer: { digest, total: 100 * MB, completed: megabytes * MB } })
  }

  report(report: PullReport): this {
    this.#reports.push(report)
    this.#wake()
    return this
  }

  done(): this {
    this.report({ status: 'success' })
    this.#end = 'done'
    return this
  }

  fail(code: ConstructorParameters<typeof PluginError>[0], message: string = code): this {
    this.#end = new PluginError(code, message)
    this.#wake()
    return this
  }

  async *read(signal: AbortSignal): AsyncGenerator<PullReport> {
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    try {
      for (;;) {
        signal.throwIfAborted()
        const next = this.#reports.shift()
        if (next) yield next
        else if (this.#end === 'done') return
        else if (this.#end !== 'open') throw this.#end
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      this.isOpen = false
    }
  }
}

export function setUpPulls({ atOnce = 1, installed = [] as string[], digest = 'new' } = {}) {
  const clock = new FakeClock()
  const asked: AskedPull[] = []
  const rows: PullRow[] = []
  const messages: string[] = []
  /** The state of each as the list of models was told it last. */
  const shown = new Map<string, PullRow['state']>()
  const backs: Array<{ back: () => void; never: (error: Error) => void }> = []
  const loaded: LoadedModel[] = []
  const server: PullServer = {
    keeper: {
      pull: (model, { signal }) => {
        const pull = new AskedPull(model)
        asked.push(pull)
        return pull.read(signal)
      },
      loadedModels: async () => loaded,
    },
    digestOf: async () => digest,
    whenBack: (signal) =>
      new Promise((resolve, reject) => {
        const giveUp = () => reject(signal.reason)
        signal.addEventListener('abort', giveUp, { once: true })
        const back = () => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        }
        backs.push({ back, never: reject })
      }),
  }
  const pulls = new Pulls({
    surface: {
      pull: async (row) => void rows.push(row),
      notify: async (level, text) => void messages.push(`${level}: ${text}`),
    },
    server: (name) => {
      if (name !== 'gone') return server
      throw new PluginError('SERVER_NOT_FOUND', 'No server is called "gone"')
    },
    locate: (reference) => {
      const [name = '', ...rest] = reference.split(':')
      return { server: name, model: rest.join(':') }
    },
    atOnce: () => atOnce,
    isInstalled: (_, model) => installed.includes(model),
    onRow: ({ model, state }) => void shown.set(model, state),
    clock,
    log: silentLog,
  })
  const start = async (model: string, on = 'gpu') => {
    pulls.handlers['pulls.start']({ server: on, model })
    await settle()
  }
  const startByReference = async (model: string) => {
    pulls.handlers['pulls.start']({ model })
    await settle()
  }
  const cancel = async (model: string) => {
    pulls.handlers['pulls.cancel']({ server: 'gpu', model })
    await settle()
  }
  const row = (model: string) => pulls.rows.find((one) => one.model === model) as PullRow
  /** The pull of the last request there was. */
  const last = () => asked.at(-1) as AskedPull
  return { pulls, clock, asked, rows, messages, shown, backs, loaded, start, startByReference, cancel, row, last }
}
