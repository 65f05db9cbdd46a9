// The screen of a Neovim that draws by `ext_linegrid`: events in, text out. Pure; nothing here talks to Neovim.

/** One redraw event as Neovim sends it: its name, and the argument lists of its calls. */
export type RedrawEvent = readonly [name: string, ...calls: unknown[][]]

/** A cell as it is drawn. The second cell of a wide character is empty text. */
export interface GridCell {
  text: string
  /** A key of `highlights`; 0 is the default. */
  highlight: number
}

/** Colours are 0xRRGGBB; what is absent is the default's. */
export interface Highlight {
  foreground?: number
  background?: number
  bold?: boolean
  italic?: boolean
  underline?: boolean
  reverse?: boolean
}

const BLANK: GridCell = { text: ' ', highlight: 0 }

export class Grid {
  #rows: GridCell[][] = []
  #columns = 0
  #cursor = { row: 0, column: 0 }
  /** By the numbers that cells bear; 0 holds the default colours. */
  readonly highlights = new Map<number, Highlight>()

  /** Takes the events of one redraw batch; tells whether the screen is whole again after it. */
  take(events: readonly RedrawEvent[]): boolean {
    let isFlushed = false
    for (const [name, ...calls] of events) {
      for (const call of calls) this.#apply(name, call)
      if (name === 'flush') isFlushed = true
    }
    return isFlushed
  }

  /** The screen's lines without the blanks at their ends. A wide character is one character of the text. */
  text(): string {
    return this.#rows
      .map((cells) =>
        cells
          .map(({ text }) => text)
          .join('')
          .trimEnd(),
      )
      .join('\n')
  }

  get cells(): readonly (readonly GridCell[])[] {
    return this.#rows
  }

  /** Where the cursor is, both from 0, in cells. */
  get cursor(): { row: number; column: number } {
    return { ...this.#cursor }
  }

  #apply(name: string, call: readonly unknown[]): void {
    const numbers = call as number[]
    if (name === 'grid_resize') this.#resize(numbers[1] ?? 0, numbers[2] ?? 0)
    if (name === 'grid_clear') this.#resize(this.#columns, this.#rows.length, true)
    if (name === 'grid_cursor_goto') this.#cursor = { row: numbers[1] ?? 0, column: numbers[2] ?? 0 }
    if (name === 'grid_line') this.#draw(numbers[1] ?? 0, numbers[2] ?? 0, call[3] as unknown[][])
    if (name === 'grid_scroll') this.#scroll(numbers)
    if (name === 'hl_attr_define') this.highlights.set(numbers[0] ?? 0, call[1] as Highlight)
    if (name === 'default_colors_set') this.highlights.set(0, colors(numbers))
  }

  #resize(columns: number, rows: number, isCleared = false): void {
    this.#columns = columns
    this.#rows = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (_, column) => (isCleared ? BLANK : (this.#rows[row]?.[column] ?? BLANK))),
    )
  }

  #draw(row: number, from: number, cells: readonly unknown[][]): void {
    const line = this.#rows[row]
    if (!line) return
    let column = from
    let highlight = 0
    for (const [text, id, times] of cells) {
      // A cell without one has the highlight of the cell before it.
      if (typeof id === 'number') highlight = id
      const until = column + (typeof times === 'number' ? times : 1)
      for (; column < until; column++) line[column] = { text: String(text), highlight }
    }
  }

  /** Moves a region by rows; what it leaves behind is drawn anew by Neovim. */
  #scroll([, top = 0, bottom = 0, left = 0, right = 0, by = 0]: readonly number[]): void {
    const before = this.#rows.map((cells) => [...cells])
    for (let row = Math.max(top, top - by); row < Math.min(bottom, bottom - by); row++) {
      const moved = before[row + by]?.slice(left, right) ?? []
      this.#rows[row]?.splice(left, right - left, ...moved)
    }
  }
}

/** Neovim sends -1 for a colour that it leaves to the screen. */
function colors([foreground = -1, background = -1]: readonly number[]): Highlight {
  return { ...(foreground < 0 ? {} : { foreground }), ...(background < 0 ? {} : { background }) }
}
