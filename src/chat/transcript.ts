// A conversation and its picture in the editor, changed together, so that what is sent is what is seen.
// Not here: when something is asked, and what becomes of an answer (session.ts).
import {
  type AnswerText,
  amend,
  append,
  type Conversation,
  current,
  emptyConversation,
  extend,
  finish,
  type History,
  push,
  startHistory,
  step,
  type Turn,
  type TurnEnd,
  withoutLast,
} from './conversation.ts'
import { Picture, type PictureDeps } from './picture.ts'
import { parse, render } from './transcript/format.ts'
import { renderTurn, TurnWriter } from './transcript/turn-writer.ts'

export class Transcript {
  readonly #picture: Picture
  #history: History = startHistory(emptyConversation)
  /** Writes the last turn while its answer comes. */
  #writer: TurnWriter | undefined
  /** The heading of that turn until there are words: alone it would be written first, and they would wait for it. */
  #heading = ''

  constructor(chat: number, deps: Omit<PictureDeps, 'whole'>) {
    this.#picture = new Picture(chat, { ...deps, whole: () => this.#whole() })
  }

  get conversation(): Conversation {
    return current(this.#history)
  }

  append(...turns: readonly Turn[]): void {
    this.#amend(append(this.conversation, ...turns))
    this.#picture.append(turns.map(renderTurn).join(''))
  }

  beginAnswer(turn: Turn): void {
    this.#writer = new TurnWriter(turn)
    this.#amend(append(this.conversation, turn))
    this.#heading = this.#writer.head()
  }

  /** @param thinkingMs how long it has thought, known with the first text */
  extendAnswer(part: AnswerText, thinkingMs: number | undefined): void {
    this.#amend(extend(this.conversation, part))
    const { text } = part
    this.#write(part.type === 'thinking' ? this.#writer?.thinking(text) : this.#writer?.text(text, thinkingMs))
  }

  endAnswer(end: TurnEnd): void {
    const writer = this.#writer
    this.#writer = undefined
    this.#amend(finish(this.conversation, end))
    const ended = this.conversation.turns.at(-1)
    if (!writer || !ended) return
    // Thinking that came amid the text can only be put where it belongs by writing all anew.
    if (writer.isBehind) this.#picture.replace()
    else this.#write(writer.end(ended))
  }

  /**
   * Opens the last turn again, as it is given; what it held before is shown no more.
   * @param isVersion whether that stays in the history
   */
  reopenAnswer(turn: Turn, isVersion = false): void {
    const { conversation } = this
    const reopened = append(withoutLast(conversation), turn)
    this.#history = isVersion ? push(this.#history, reopened) : amend(this.#history, reopened)
    this.#writer = new TurnWriter(turn)
    this.#writer.head()
    this.#writer.thinking(turn.thinking ?? '')
    this.#writer.text(turn.text, turn.thinkingMs)
    this.#heading = ''
    this.#picture.replace()
  }

  /** Shows another conversation; the former stays in the history. */
  change(conversation: Conversation): void {
    this.#history = push(this.#history, conversation)
    this.#picture.replace()
  }

  /** Shows an older or newer version; false when there is none. */
  step(by: -1 | 1): boolean {
    const history = step(this.#history, by)
    if (history === this.#history) return false
    this.#history = history
    this.#picture.replace()
    return true
  }

  /** Takes over what stands in the buffer already; returns what could not be read as it was meant. */
  adopt(text: string): string[] {
    const { conversation, problems } = parse(text)
    this.#history = startHistory(conversation)
    if (this.#whole() !== text) this.#picture.markStale()
    return problems
  }

  /** Writes the whole transcript anew. */
  show(): void {
    this.#picture.replace()
  }

  /** Writes what waits without waiting for the writer's interval. */
  hurry(): void {
    void this.#picture.settle()
  }

  /** Resolves when all stands in the editor, or cannot. Never rejects. */
  settle(): Promise<void> {
    return this.#picture.settle()
  }

  /** The editor hears no more of it. */
  close(): void {
    this.#picture.close()
  }

  #write(text = ''): void {
    this.#picture.append(this.#heading + text)
    this.#heading = ''
  }

  #amend(conversation: Conversation): void {
    this.#history = amend(this.#history, conversation)
  }

  /** What shall be shown now: of an answer that comes only what was written of it. */
  #whole(): string {
    if (!this.#writer) return render(this.conversation)
    return render({ turns: this.conversation.turns.slice(0, -1) }) + this.#writer.soFar
  }
}
