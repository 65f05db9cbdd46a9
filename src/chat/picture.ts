// The transcript as it stands in the editor, kept in step with the conversation. It decides nothing about either.
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { slicesFromEnd } from './transcript/slices.ts'
import { Writer, type Written } from './writer.ts'

/** What a transcript needs of an editor. */
export interface TranscriptSurface {
  /** Replaces the whole transcript by its end; `above`: how many lines are to come before it. */
  render(chat: number, text: string, above: number): Promise<Written | 'written'>
  /** Puts in what stands before all that is there; `above`: how many lines are still to come. */
  prepend(chat: number, text: string, above: number): Promise<Written | 'written'>
  append(chat: number, text: string): Promise<Written>
}

export interface PictureDeps {
  surface: TranscriptSurface
  clock: Clock
  log: Log
  /** All that has been appended or shall be shown, as one text. */
  whole(): string
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
  #writer: Writer
  /** The last whole writing; the writer that came with it waits for it. */
  #rendering: Promise<void> = Promise.resolve()
  #appending: Promise<unknown> = Promise.resolve()

  constructor(chat: number, deps: PictureDeps) {
    this.#chat = chat
    this.#deps = deps
    this.#writer = this.#newWriter()
  }

  append(text: string): void {
    this.#writer.push(text)
  }

  /** Writes the whole transcript anew, after what is under way and instead of what still waits. */
  replace(): void {
    if (this.#state === 'closed') return
    this.#state = 'shown'
    this.#writer = this.#newWriter()
    this.#rendering = this.#render(this.#deps.whole(), this.#writer, [this.#rendering, this.#appending])
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
      await this.#writer.flush()
    } while (rendering !== this.#rendering)
  }

  async #render(text: string, writer: Writer, before: ReadonlyArray<Promise<unknown>>): Promise<void> {
    await Promise.allSettled(before)
    try {
      let write = this.#deps.surface.render.bind(this.#deps.surface)
      for (const slice of slicesFromEnd(text)) {
        // A later whole writing begins from the end again.
        if (this.#state === 'closed' || writer !== this.#writer) return
        const written = await write(this.#chat, slice.text, slice.above)
        if (written === 'gone') return this.#lose('gone', writer)
        write = this.#deps.surface.prepend.bind(this.#deps.surface)
      }
    } catch (error) {
      this.#fail(error, writer)
    }
  }

  #newWriter(): Writer {
    const writer: Writer = new Writer({
      clock: this.#deps.clock,
      append: (text) => this.#append(text, writer),
      onError: (error) => this.#fail(error, writer),
    })
    return writer
  }

  async #append(text: string, writer: Writer): Promise<Written> {
    await this.#rendering
    // What an earlier writer still had is part of the whole that has replaced it.
    if (writer !== this.#writer || this.#state !== 'shown') return 'gone'
    const appending = this.#deps.surface.append(this.#chat, text)
    this.#appending = appending
    const written = await appending
    if (written === 'gone') this.#lose('gone', writer)
    return written
  }

  #fail(error: unknown, writer: Writer): void {
    this.#deps.log.error('the transcript could not be written', { chat: this.#chat, error })
    this.#lose('stale', writer)
  }

  /** What befalls an earlier writer says nothing of the whole that was written since. */
  #lose(state: 'gone' | 'stale', writer: Writer): void {
    if (this.#state !== 'closed' && writer === this.#writer) this.#state = state
  }
}
