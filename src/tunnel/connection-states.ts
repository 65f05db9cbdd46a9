// The states of a connection and the legal moves between them, as data. What is done in a state is connection.ts's.
import { PluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

export type ConnectionState =
  | 'idle'
  | 'connecting'
  | 'authenticating'
  | 'ready'
  | 'lost'
  /** Tried again at a time that is known. */
  | 'waiting'
  | 'failed'
  | 'closed'

/** From each state the ones that may follow. */
export const MOVES: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  idle: ['connecting', 'closed'],
  connecting: ['authenticating', 'ready', 'failed', 'idle', 'closed'],
  // Behind a jump host the next connection is made after the first authentication.
  authenticating: ['connecting', 'ready', 'failed', 'idle', 'closed'],
  ready: ['lost', 'idle', 'closed'],
  lost: ['connecting', 'waiting', 'idle', 'closed'],
  // When nobody needs it any more, it stands again where it came from.
  waiting: ['connecting', 'lost', 'failed', 'idle', 'closed'],
  failed: ['connecting', 'waiting', 'idle', 'closed'],
  closed: [],
}

export interface ConnectionStatesOptions {
  /** The server's, for the log. */
  name: string
  log: Log
  now: () => number
  /** Told after each move. */
  onMove: (state: ConnectionState, error: PluginError | undefined) => void
}

export class ConnectionStates {
  readonly #options: ConnectionStatesOptions
  #current: ConnectionState = 'idle'
  #error: PluginError | undefined
  #since: number

  constructor(options: ConnectionStatesOptions) {
    this.#options = options
    this.#since = options.now()
  }

  get current(): ConnectionState {
    return this.#current
  }

  /** Why the link is lost or failed, or what it waits after; `undefined` in every other state. */
  get error(): PluginError | undefined {
    return this.#error
  }

  /** When the current state began, in milliseconds since the epoch. */
  get since(): number {
    return this.#since
  }

  /**
   * @param fields for the log
   * @throws PluginError INTERNAL for a move that is not in the table.
   */
  move(to: ConnectionState, error?: PluginError, fields: Record<string, unknown> = {}): void {
    const from = this.#current
    const { name, log, now, onMove } = this.#options
    if (!MOVES[from].includes(to)) {
      const refused = new PluginError('INTERNAL', `The connection to ${name} cannot go from ${from} to ${to}`, {
        hint: 'This is a defect of the plugin: see :Ollama log.',
      })
      log.error('illegal move of a connection', { server: name, from, to, error: refused })
      throw refused
    }
    this.#current = to
    this.#error = error
    this.#since = now()
    const line = { server: name, from, to, ...fields, ...(error ? { code: error.code, error } : {}) }
    if (error) log.warn('connection', line)
    else log.info('connection', line)
    onMove(to, error)
  }
}
