// What a row of the fault matrix is, and what was seen of it. The rows are in rows/, how they are played in play.ts.
import type { ErrorCode } from '../../src/core/errors.ts'
import type { WorldOptions } from '../nvim/chat/world.ts'
import type { Behaviour } from '../support/ollama-double/behaviour.ts'
import type { Stage } from './stage.ts'

/** When the fault strikes. */
export type Moment =
  | 'first prompt'
  | 'idle, then a prompt'
  | 'before the first byte'
  | 'with the first byte'
  | 'in mid-answer'

export interface Fault {
  name: string
  /** How it is made, for the reader of the table. */
  how: string
  moment: Moment
  /**
   * Any of these must be met, or the answer comes whole without the user's doing. Empty, and no `words`: nothing need be
   * told, and the answer must come whole.
   */
  codes: readonly ErrorCode[]
  /** What the screen must show, of a fault that has no code. */
  words?: RegExp
  /** Seconds within which the user must know, or, of a fault that is survived, the answer must be there. */
  within: 1 | 3 | 15 | 30
  /** What the row cannot do without, besides Neovim and sshd. */
  needs?: 'a network namespace' | 'a password' | undefined
  /** How the question is answered where the fault strikes in its answer. */
  behaviour?: Behaviour
  /** Neovim itself dies: see the-end.ts. */
  isTheEnd?: boolean
  /** Lines of sshd_config for the row. */
  sshd?: readonly string[]
  world?: (stage: Stage) => WorldOptions | Promise<WorldOptions>
  strike(stage: Stage): unknown
  /** What the user does about it before there is anything to know; the time counts from its end. */
  gestures?: (stage: Stage) => unknown
  /** What is done before the next prompt; the proxy's weather is fair again before it. */
  mend?: (stage: Stage) => unknown
}

/** What was seen when a row was played. */
export interface Seen {
  name: string
  how: string
  moment: Moment
  /** Why the row was not played here. */
  notRun?: string
  /** From the fault to the first sign of it on the screen. */
  knownMs?: number
  code?: string
  /** The sentences that are read, with all that differs from run to run taken out. */
  read?: string
  /** What is left in the chat. */
  left?: string
  byItself?: string
  nextPrompt?: string
  /** What was still there when it should have been gone. */
  leaks: readonly string[]
  /** Where the row did not do what it must. */
  problems: readonly string[]
}
