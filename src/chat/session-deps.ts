// What a session is given: the editor, the servers, and what was known of its chat before. Not here: what it does (session.ts).
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { ChatState } from '../rpc/shapes.ts'
import type { Answerer } from './answer/answer-run.ts'
import type { Ways } from './answer/patience.ts'
import type { ChatSettings } from './parameters.ts'
import type { TranscriptSurface } from './picture/picture.ts'
import type { OnChange } from './record/ledger.ts'
import type { ChatRecord } from './record/record.ts'

/** What a session needs of an editor. */
export interface ChatSurface extends TranscriptSurface {
  state(state: ChatState): Promise<void>
}

export interface SessionDeps {
  surface: ChatSurface
  answerer: Answerer
  ways: Ways
  clock: Clock
  log: Log
  settings(): ChatSettings
}

/** Where a session begins, and who keeps what becomes of it. */
export interface SessionStart {
  /** What is known of the chat already. */
  record?: ChatRecord
  onChange?: OnChange
  /** Nothing is asked any more, and nothing waits to be. */
  onIdle?(): void
  /** Told with the state: what is kept of the chat, and where. */
  kept?(): Pick<ChatState, 'key' | 'title' | 'named' | 'file' | 'unsaved' | 'autosave' | 'save_fails' | 'read_only'>
}
