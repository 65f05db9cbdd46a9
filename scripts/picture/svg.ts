// A terminal's screen as an SVG. Pure: where the cells come from is grid.ts's, in test/support.

export interface Style {
  /** `#rrggbb` */
  foreground: string
  background: string
  bold: boolean
  italic: boolean
  underline: boolean
}

/** One cell; the right half of a wide character has empty text. */
export interface Cell {
  text: string
  style: Style
}

const CELL_WIDTH = 8.4
const CELL_HEIGHT = 18
const FONT_SIZE = 14
const MARGIN = 14
const TITLE_BAR = 30
const FONTS = "ui-monospace, 'SFMono-Regular', 'DejaVu Sans Mono', Menlo, Consolas, monospace"

/** @param rows all of one length. @param background of the screen where nothing stands. */
export function toSvg(rows: readonly (readonly Cell[])[], background: string, title: string): string {
  const width = Math.ceil((rows[0]?.length ?? 0) * CELL_WIDTH + 2 * MARGIN)
  const height = rows.length * CELL_HEIGHT + TITLE_BAR + MARGIN
  const lines = rows.map((row, index) => drawRow(row, TITLE_BAR + index * CELL_HEIGHT, background))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${background}"/>`,
    ...['#ff5f57', '#febc2e', '#28c840'].map(
      (color, index) => `<circle cx="${20 + index * 20}" cy="15" r="6" fill="${color}"/>`,
    ),
    `<g font-family="${FONTS}" font-size="${FONT_SIZE}" xml:space="preserve">`,
    ...lines,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

function drawRow(row: readonly Cell[], top: number, background: string): string {
  return runsOf(row)
    .map(({ text, style, column, columns }) => {
      const x = round(MARGIN + column * CELL_WIDTH)
      const width = round(columns * CELL_WIDTH)
      const box =
        style.background === background
          ? ''
          : `<rect x="${x}" y="${top}" width="${width}" height="${CELL_HEIGHT}" fill="${style.background}"/>`
      return box + drawText(text, style, { x, y: top + CELL_HEIGHT - 5, width })
    })
    .join('')
}

function drawText(text: string, style: Style, place: { x: number; y: number; width: number }): string {
  if (text.trim() === '') return ''
  const attributes = [
    `x="${place.x}" y="${place.y}" textLength="${place.width}" lengthAdjust="spacingAndGlyphs" fill="${style.foreground}"`,
    style.bold ? 'font-weight="bold"' : '',
    style.italic ? 'font-style="italic"' : '',
    style.underline ? 'text-decoration="underline"' : '',
  ]
  return `<text ${attributes.filter(Boolean).join(' ')}>${escaped(text)}</text>`
}

interface Run {
  text: string
  style: Style
  column: number
  columns: number
}

/** Neighbouring cells of one style as one piece of text; spaces at a piece's end are left out of it. */
function runsOf(row: readonly Cell[]): Run[] {
  const runs: Run[] = []
  row.forEach((cell, column) => {
    const last = runs.at(-1)
    if (last && sameStyle(last.style, cell.style)) {
      last.text += cell.text
      last.columns += 1
    } else {
      runs.push({ text: cell.text, style: cell.style, column, columns: 1 })
    }
  })
  return runs
}

function sameStyle(a: Style, b: Style): boolean {
  return (Object.keys(a) as Array<keyof Style>).every((key) => a[key] === b[key])
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/ /g, '\u00a0')
}
