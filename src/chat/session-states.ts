// The states of a chat and the legal moves between them, as data. What is done in a state is session.ts's.
import { PluginError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { ChatState } from '../rpc/shapes.ts'

type Ended = NonNullable<ChatState['ended']>
export type SessionState = ChatState['phase'] | Ended

const ENDS: readonly Ended[] = ['done', 'stopped', 'failed', 'interrupted']
const WORDS: readonly SessionState[] = ['thinking', 'writing']

/** Skipping forward is legal: a warm link goes from connecting straight to the first word. */
const MOVES: Record<SessionState, readonly SessionState[]> = {
  idle: ['queued'],
  queued: ['connecting', 'resuming', ...ENDS],
  connecting: ['authenticating', 'loading', 'reading', 'waiting', ...WORDS, ...ENDS],
  // Behind a jump host the next connection is made after the first authentication.
  authenticating: ['connecting', 'loading', 'reading', 'waiting', ...WORDS, ...ENDS],
  // Before the first word a lost link is made anew.
  loading: ['connecting', 'reading', 'resuming', 'busy', 'waiting', ...WORDS, ...ENDS],
  // What a server says of a model that is being loaded may be corrected.
  reading: ['connecting', 'loading', 'waiting', ...WORDS, ...ENDS],
  thinking: ['writing', 'waiting', ...ENDS],
  writing: ['thinking', 'waiting', ...ENDS],
  // What goes on when the server is back: the whole request, or what was cut of its answer.
  waiting: ['connecting', 'resuming', ...ENDS],
  resuming: ['loading', 'busy', 'waiting', ...WORDS, ...ENDS],
  busy: ['loading', 'resuming', 'waiting', ...WORDS, ...ENDS],
  done: ['idle', 'queued', 'connecting'],
  stopped: ['idle', 'queued', 'connecting'],
  failed: ['idle', 'queued', 'connecting'],
  interrupted: ['idle', 'queued', 'connecting'],
}

export class SessionStates {
  readonly #chat: number
  readonly #log: Log
  #state: SessionState = 'idle'

  constructor(chat: number, log: Log) {
    this.#chat = chat
    this.#log = log
  }

  get current(): SessionState {
    return this.#state
  }

  /** How the last answer ended, when none has begun since. */
  get ended(): Ended | undefined {
    return ENDS.find((end) => end === this.#state)
  }

  /** The state as a phase: whatever has ended is idle. */
  get phase(): ChatState['phase'] {
    const state = this.#state
    switch (state) {
      case 'done':
      case 'stopped':
      case 'failed':
      case 'interrupted':
        return 'idle'
      default:
        return state
    }
  }

  /** Whether the state has changed. Staying is no move. */
  move(to: SessionState): boolean {
    const from = this.#state
    if (from === to) return false
    if (!MOVES[from].includes(to)) {
      const error = new PluginError('INTERNAL', `A chat cannot go from ${from} to ${to}`, {
        hint: 'This is a defect of the plugin: see :Ollama log.',
      })
      this.#log.error('illegal move', { chat: this.#chat, from, to })
      throw error
    }
    this.#log.debug('move', { chat: this.#chat, from, to })
    this.#state = to
    return true
  }
}
