// The transcript as it stands in the editor, kept in step with the conversation. It decides nothing about either.
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import { inSlices } from '../../core/steps.ts'
import { SLICE_LENGTH, slicesFromEnd } from '../transcript/slices.ts'
import { commonCount, linesOf, type Piece, rendering, textOf } from './pieces.ts'
import { Writer, type Written } from './writer.ts'

/** What a transcript needs of an editor. */
export interface TranscriptSurface {
  /** Replaces the whole transcript by its end; `above`: how many lines are to come before it. */
  render(chat: number, text: string, above: number): Promise<Written | 'written'>
  /** Puts in what stands before all that is there; `above`: how many lines are still to come. */
  prepend(chat: number, text: string, above: number): Promise<Written | 'written'>
  append(chat: number, text: string): Promise<Written>
  /**
   * Replaces all that stands from a row on, counted from 0. `differs`: the buffer has not so many lines as are told, so that
   * something else stands there, and nothing was changed.
   */
  amend(chat: number, text: string, from: { row: number; lines: number }): Promise<Written | 'differs'>
}

/** What an editor's buffer holds: turns in order, and how many lines with the empty one at its end. */
export interface Standing {
  pieces: readonly Piece[]
  lines: number
}

export interface PictureDeps {
  surface: TranscriptSurface
  clock: Clock
  log: Log
  /** All that has been appended or shall be shown. */
  whole(): readonly Piece[]
}

/** A writer, and the turns that are whole when so much of what it was given is written. */
interface Flow {
  writer: Writer
  given: number
  landed: number
  ends: Array<{ at: number; piece: Piece }>
}

/**
 * `shown`: what was appended stands there or is on its way. `gone`: there is no buffer until the next `replace`.
 * `stale`: it differs, and is made good by the next `settle`.
 */
type PictureState = 'shown' | 'gone' | 'stale' | 'closed'

export class Picture {
  readonly #chat: number
  readonly #deps: PictureDeps
  #state: PictureState = 'shown'
  #flow: Flow
  /** What stands in the editor, as far as it has answered; unknown while the whole is being written. */
  #standing: Standing | undefined
  /** Counts the buffers: what was written into one says nothing of the next. */
  #buffer = 0
  /** The last whole writing; the writer that came with it waits for it. */
  #rendering: Promise<void> = Promise.resolve()
  #appending: Promise<unknown> = Promise.resolve()

  constructor(chat: number, deps: PictureDeps) {
    this.#chat = chat
    this.#deps = deps
    this.#flow = this.#newFlow()
  }

  /** What stands in the editor now, where that is known. */
  get standing(): Standing | undefined {
    return this.#standing
  }

  /** @param ended the turn that is whole with this text */
  append(text: string, ended?: Piece): void {
    this.#flow.given += text.length
    if (ended) this.#flow.ends.push({ at: this.#flow.given, piece: ended })
    this.#flow.writer.push(text)
  }

  /** Makes the transcript what it shall be, after what is under way and instead of what still waits. */
  replace(): void {
    if (this.#state === 'closed') return
    this.#state = 'shown'
    this.#flow = this.#newFlow()
    this.#rendering = this.#render(this.#deps.whole(), this.#flow, [this.#rendering, this.#appending])
  }

  /** The buffer is another one, or an earlier host has left this in it; what differs comes with the next `replace`. */
  stands(standing?: Standing): void {
    this.#buffer++
    this.#standing = standing
  }

  /** The buffer does not hold what it should. */
  markStale(): void {
    if (this.#state === 'shown') this.#state = 'stale'
  }

  /** Resolves when all stands there, or cannot; a write that failed is made good once. Never rejects. */
  async settle(): Promise<void> {
    await this.#flushed()
    if (this.#state !== 'stale') return
    this.replace()
    await this.#flushed()
  }

  close(): void {
    this.#state = 'closed'
  }

  async #flushed(): Promise<void> {
    let rendering: Promise<void>
    do {
      rendering = this.#rendering
      await rendering
      await this.#flow.writer.flush()
    } while (rendering !== this.#rendering)
  }

  async #render(pieces: readonly Piece[], flow: Flow, before: ReadonlyArray<Promise<unknown>>): Promise<void> {
    await Promise.allSettled(before)
    try {
      if (this.#isOver(flow) || (await this.#amend(pieces, flow))) return
      this.#standing = undefined
      const buffer = this.#buffer
      const text = await inSlices(rendering(pieces))
      let write = this.#deps.surface.render.bind(this.#deps.surface)
      let written: Written | 'written' = 'written'
      for (const slice of slicesFromEnd(text)) {
        // A later whole writing begins from the end again.
        if (this.#isOver(flow)) return
        written = await write(this.#chat, slice.text, slice.above)
        if (written === 'gone') return this.#lose('gone', flow)
        write = this.#deps.surface.prepend.bind(this.#deps.surface)
      }
      if (written !== 'written' && buffer === this.#buffer) this.#standing = { pieces, lines: written.lines }
    } catch (error) {
      this.#fail(error, flow)
    }
  }

  /** Writes only what differs, if that is a part and no long one. @returns whether that was all there is to do */
  async #amend(pieces: readonly Piece[], flow: Flow): Promise<boolean> {
    const standing = this.#standing
    const count = standing ? commonCount(standing.pieces, pieces) : 0
    if (!standing || count === 0) return false
    // How long these are is known already.
    const common = standing.pieces.slice(0, count)
    const row = linesOf(common)
    if (count === pieces.length && standing.lines === row + 1) return true
    const text = textOf(pieces.slice(count), SLICE_LENGTH)
    if (text === undefined) return false
    this.#standing = undefined
    const buffer = this.#buffer
    const written = await this.#deps.surface.amend(this.#chat, text, { row, lines: standing.lines })
    if (written === 'differs') return false
    if (written === 'gone') this.#lose('gone', flow)
    else if (buffer === this.#buffer)
      this.#standing = { pieces: [...common, ...pieces.slice(count)], lines: written.lines }
    return true
  }

  #isOver(flow: Flow): boolean {
    return this.#state === 'closed' || flow !== this.#flow
  }

  #newFlow(): Flow {
    const writer: Writer = new Writer({
      clock: this.#deps.clock,
      append: (text) => this.#append(text, flow),
      onError: (error) => this.#fail(error, flow),
    })
    const flow: Flow = { writer, given: 0, landed: 0, ends: [] }
    return flow
  }

  async #append(text: string, flow: Flow): Promise<Written> {
    await this.#rendering
    // What an earlier writer still had is part of the whole that has replaced it.
    if (flow !== this.#flow || this.#state !== 'shown') return 'gone'
    const appending = this.#deps.surface.append(this.#chat, text)
    this.#appending = this.#landed(text.length, appending, flow)
    const written = await appending
    if (written === 'gone') this.#lose('gone', flow)
    return written
  }

  /** Notes what stands there now, which the next whole writing has to know. */
  async #landed(length: number, appending: Promise<Written>, flow: Flow): Promise<void> {
    const written = await appending.catch(() => 'gone' as const)
    flow.landed += length
    if (written === 'gone') this.#standing = undefined
    if (!this.#standing || written === 'gone') return
    const ended = flow.ends.filter(({ at }) => at <= flow.landed).map(({ piece }) => piece)
    flow.ends = flow.ends.filter(({ at }) => at > flow.landed)
    const { pieces } = this.#standing
    // A turn that was written in part stands there as a whole.
    const whole = ended.length > 0 && pieces.at(-1)?.isOpen ? pieces.slice(0, -1) : pieces
    this.#standing = { pieces: [...whole, ...ended], lines: written.lines }
  }

  #fail(error: unknown, flow: Flow): void {
    this.#deps.log.error('the transcript could not be written', { chat: this.#chat, error })
    this.#lose('stale', flow)
  }

  /** What befalls an earlier writer says nothing of the whole that was written since. */
  #lose(state: 'gone' | 'stale', flow: Flow): void {
    if (this.#isOver(flow)) return
    this.#state = state
    this.#standing = undefined
  }
}
