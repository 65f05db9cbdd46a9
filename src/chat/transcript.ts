// A conversation and its picture in the editor, changed together, so that what is sent is what is seen.
// Not here: when something is asked, and what becomes of an answer (session.ts).

import { Picture, type PictureDeps, type Standing } from './picture/picture.ts'
import { Piece, piecesOf } from './picture/pieces.ts'
import type { AnswerText, Conversation, Turn, TurnEnd } from './record/conversation.ts'
import { branchAfter, current, type History, type HistoryChange, lastTurn } from './record/history.ts'
import type { Ledger } from './record/ledger.ts'
import { shownVariants } from './record/variants.ts'
import { type Left, standingOf, takeOver } from './take-over/take-over.ts'
import { TurnWriter } from './transcript/turn-writer.ts'

export class Transcript {
  readonly #picture: Picture
  readonly #ledger: Ledger
  /** Writes the last turn while its answer comes. */
  #writer: TurnWriter | undefined
  /** The heading of that turn until there are words: alone it would be written first, and they would wait for it. */
  #heading = ''

  constructor(chat: number, ledger: Ledger, deps: Omit<PictureDeps, 'whole'>) {
    this.#ledger = ledger
    this.#picture = new Picture(chat, { ...deps, whole: () => this.#whole() })
  }

  get conversation(): Conversation {
    return current(this.history)
  }

  /** Every version of it. */
  get history(): History {
    return this.#ledger.record.history
  }

  /** Its last turn, without a look at the others. */
  get last(): Turn | undefined {
    return lastTurn(this.history)
  }

  /** The line with which a shown turn begins in the editor, counted from 1. */
  headingOf(turn: number): string | undefined {
    const text = piecesOf(this.history, turn - 1)[0]?.text
    return text?.slice(0, text.indexOf('\n'))
  }

  append(...turns: readonly Turn[]): void {
    this.#ledger.apply({ type: 'append', turns })
    for (const piece of piecesOf(this.history, -turns.length)) this.#picture.append(piece.text, piece)
  }

  beginAnswer(turn: Turn): void {
    this.#ledger.apply({ type: 'append', turns: [turn] })
    this.#writer = this.#writerOf(turn)
    this.#heading = this.#writer.head()
  }

  /** @param thinkingMs how long it has thought, known with the first text */
  extendAnswer(part: AnswerText, thinkingMs: number | undefined): void {
    this.#ledger.apply({ type: 'extend', part })
    const { text } = part
    this.#write(part.type === 'thinking' ? this.#writer?.thinking(text) : this.#writer?.text(text, thinkingMs))
  }

  endAnswer(end: TurnEnd): void {
    const writer = this.#writer
    this.#writer = undefined
    this.#ledger.apply({ type: 'finish', end })
    const ended = this.last
    if (!writer || !ended) return
    // Thinking that came amid the text can only be put where it belongs by writing all anew.
    if (writer.isBehind) this.#picture.replace()
    else this.#write(writer.end(ended), Piece.of(ended, shownVariants(this.history).at(-1), writer.soFar))
  }

  /**
   * Opens the last turn again, as it is given; what it held before is shown no more.
   * @param isVersion whether that stays in the history
   */
  reopenAnswer(turn: Turn, isVersion = false): void {
    const before = this.conversation.turns.length - 1
    this.#ledger.apply(isVersion ? branchAfter(this.history, before, turn) : { type: 'reopen', turn })
    this.#writer = this.#writerOf(turn)
    this.#writer.head()
    this.#writer.thinking(turn.thinking ?? '')
    this.#writer.text(turn.text, turn.thinkingMs)
    this.#heading = ''
    this.#picture.replace()
  }

  /** Changes the history as it is told, and shows what is then to be shown. */
  change(change: HistoryChange): void {
    this.#ledger.apply(change)
    this.#picture.replace()
  }

  /** Shows the first turns of the conversation, and others after them; the former conversation stays in the history. */
  branch(count: number, ...turns: readonly Turn[]): void {
    this.change(branchAfter(this.history, count, ...turns))
  }

  /**
   * Goes on with what an earlier host has left in the buffer, if anything, and writes what is to be seen besides; returns what
   * could not be read as it was meant.
   */
  adopt(left?: Left): string[] {
    const { changes, problems } = takeOver(this.#ledger.record, left)
    for (const change of changes) this.#ledger.apply(change)
    this.#picture.stands(left && standingOf(piecesOf(this.history), left))
    this.#picture.replace()
    return problems
  }

  /** What stands in the editor now, where that is known. */
  get standing(): Standing | undefined {
    return this.#picture.standing
  }

  /** Writes the whole transcript anew; of a buffer in which it is known what stands, what differs. */
  show(standing?: Standing): void {
    this.#picture.stands(standing)
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

  /** Writes the last turn, which is in the history already. */
  #writerOf(turn: Turn): TurnWriter {
    return new TurnWriter(turn, shownVariants(this.history).at(-1))
  }

  #write(text = '', ended?: Piece): void {
    this.#picture.append(this.#heading + text, ended)
    this.#heading = ''
  }

  /** What shall be shown now: of an answer that comes only what was written of it. */
  #whole(): Piece[] {
    const pieces = piecesOf(this.history)
    return this.#writer ? [...pieces.slice(0, -1), Piece.open(this.#writer.soFar)] : pieces
  }
}
