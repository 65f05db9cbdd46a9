// A chat that lives: its session, and the two who write down what becomes of it. Not here: which chats there are (chats.ts).
import type { Params } from '../rpc/protocol.ts'
import type { Journal } from './journal/journal.ts'
import type { Resumed } from './journal/journals.ts'
import { type Change, type ChatRecord, isBlank } from './record/record.ts'
import { Session } from './session.ts'
import type { SessionDeps } from './session-deps.ts'
import type { ChatFile } from './store/chat-file.ts'
import { Saver, type SaverDeps } from './store/saver.ts'

export interface LivingChatDeps extends SessionDeps {
  /** The chat asks nothing any more. */
  onIdle(): void
  saving: Pick<SaverDeps, 'folder' | 'claims' | 'isAutomatic' | 'say'>
}

/** What becomes of words that are in no file when the chat ends, as a person has said. */
export type Unsaved = NonNullable<Params<'chat.close'>['unsaved']>

export class LivingChat {
  readonly session: Session
  readonly saver: Saver
  readonly #journal: Journal

  /** @param taken the file that it was taken up from, where it has one; all that is known of the chat is saved then */
  constructor(chat: number, { journal, record }: Resumed, deps: LivingChatDeps, taken?: { file?: ChatFile }) {
    this.#journal = journal
    this.saver = new Saver(
      {
        ...{ clock: deps.clock, log: deps.log, ...deps.saving },
        record: () => this.session.record,
        settled: () => journal.flush(),
        note: (set) => void this.session.note(set),
      },
      taken && { ...taken, record },
    )
    this.session = new Session(chat, deps, {
      record,
      onChange: (change, now) => this.#noted(change, now),
      onIdle: () => deps.onIdle(),
      kept: () => ({ key: journal.key, ...this.saver.state }),
    })
  }

  /**
   * Ends it; what is saved by itself is saved, unless a person has said otherwise.
   * @throws PluginError STORE_CHANGED, STORE_FULL, STORE_UNWRITABLE; then the chat goes on
   */
  async close(unsaved?: Unsaved): Promise<void> {
    // What was sent and not asked is a draft again.
    this.session.stop({ all: true })
    await this.saver.end(unsaved)
    this.session.close()
    await this.#journal.close({ keep: false })
  }

  /** Its editor is gone: all that is known of the chat is on the disk when this resolves. */
  async leave(): Promise<void> {
    this.session.leave()
    const [filed] = await Promise.all([this.saver.leave(), this.#journal.flush()])
    if (filed) {
      await this.#journal.flush()
      this.#journal.filed(filed)
    }
    await this.#journal.close({ keep: !isBlank(this.session.record) })
  }

  #noted(change: Change, now: ChatRecord): void {
    this.#journal.write(change, now)
    if (endsTurn(change)) void this.#journal.flush()
    this.saver.noted(change)
  }
}

/** Whether a turn is whole after it. */
function endsTurn(change: Change): boolean {
  return change.type === 'finish' || (change.type === 'append' && change.turns.at(-1)?.role === 'user')
}
