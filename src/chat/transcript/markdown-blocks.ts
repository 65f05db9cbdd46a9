// Which Markdown block a text leaves open at its end. Blocks only: nothing here knows emphasis, links or transcripts.
// It follows CommonMark's block algorithm (spec.commonmark.org, appendix) as far as fences and HTML blocks need it. A
// full parser takes 30 ms to load and minutes for a list of a megabyte; this is linear, and tests hold it against one.

/** What a line of a container must begin with. `width`: columns up to an item's content. */
type Container = { kind: 'quote' } | { kind: 'item'; width: number; isEmpty: boolean }

type Leaf =
  | { kind: 'none' }
  | { kind: 'paragraph' }
  | { kind: 'fence'; marker: string }
  /** `end` undefined: a blank line ends it. */
  | { kind: 'html'; end?: RegExp; closer: string }

/** Deeper markers are taken for text, so that a blank line costs no more than this many looks. */
const MAX_DEPTH = 100
/** A longer line is not looked at for being one lone tag. */
const MAX_TAG_LINE = 10_000

/** Where there is no such line, nothing can stay open. */
const CAN_STAY_OPEN = /(?:^|[\n\r]) {0,3}(?:```|~~~|<[!?]|<(?:script|pre|style|textarea))/i

const FENCE = /^(?:(`{3,})[^`]*$|(~{3,}))/
const FENCE_END = /^ {0,3}(`{3,}|~{3,}) *$/
const ATX_HEADING = /^#{1,6}(?: |$)/
const SETEXT_UNDERLINE = /^(?:=+|-+) *$/
const THEMATIC_BREAK = /^(?:(?:\* *){3,}|(?:_ *){3,}|(?:- *){3,})$/
const LIST_MARKER = /^(?:[*+-]|(\d{1,9})[.)])(?= |$)/

const RAW_TAG = /^<(script|pre|style|textarea)(?=[ >]|$)/i
const RAW_TAG_END = /<\/(?:script|pre|style|textarea)>/i
const HTML_SIGNS: ReadonlyArray<{ start: RegExp; end: RegExp; closer: string }> = [
  { start: /^<!--/, end: /-->/, closer: '-->' },
  { start: /^<\?/, end: /\?>/, closer: '?>' },
  { start: /^<![A-Za-z]/, end: />/, closer: '>' },
  { start: /^<!\[CDATA\[/, end: /\]\]>/, closer: ']]>' },
]
const BLOCK_TAG = new RegExp(
  '^</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|' +
    'dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|' +
    'menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|' +
    'track|ul)(?: |/?>|$)',
  'i',
)
const ATTRIBUTE = ' +[A-Za-z_:][\\w:.-]*(?: *= *(?:[^ "\'=<>`]+|\'[^\']*\'|"[^"]*"))?'
const LONE_TAG = new RegExp(`^<(?:[A-Za-z][A-Za-z0-9-]*(?:${ATTRIBUTE})* */?|/[A-Za-z][A-Za-z0-9-]* *)> *$`)

/**
 * The line that closes what the text leaves open and a heading after it would not end: a fence or an HTML block at the
 * root. Empty when nothing is. What is open inside a list or a quotation ends with it.
 */
export function closerOf(text: string): string {
  if (!CAN_STAY_OPEN.test(text)) return ''
  const scanner = new BlockScanner()
  for (const line of text.split(/\r\n|\n|\r/)) scanner.take(withoutTabs(line))
  return scanner.closer
}

class BlockScanner {
  readonly #containers: Container[] = []
  #leaf: Leaf = { kind: 'none' }

  get closer(): string {
    if (this.#containers.length > 0) return ''
    if (this.#leaf.kind === 'fence') return this.#leaf.marker
    return this.#leaf.kind === 'html' && this.#leaf.end ? this.#leaf.closer : ''
  }

  take(line: string): void {
    const { matched, rest } = this.#continue(line)
    const isVerbatim = this.#leaf.kind === 'fence' || this.#leaf.kind === 'html'
    if (isVerbatim && matched === this.#containers.length) {
      this.#verbatim(rest)
      return
    }
    // Only a paragraph goes on in a line that does not repeat its containers' beginnings.
    if (this.#leaf.kind !== 'paragraph') this.#leave(matched)
    this.#start(rest, matched)
  }

  /** How many of the open containers the line goes on with, and what follows their beginnings. */
  #continue(line: string): { matched: number; rest: string } {
    let rest = line
    let matched = 0
    for (const container of this.#containers) {
      const inside = insideOf(container, rest)
      if (inside === undefined) break
      rest = inside
      matched++
    }
    return { matched, rest }
  }

  #verbatim(line: string): void {
    if (this.#leaf.kind === 'fence') {
      const end = FENCE_END.exec(line)?.[1]
      if (end?.startsWith(this.#leaf.marker)) this.#leaf = { kind: 'none' }
    } else if (this.#leaf.kind === 'html') {
      const hasEnded = this.#leaf.end ? this.#leaf.end.test(line) : isBlank(line)
      if (hasEnded) this.#leaf = { kind: 'none' }
    }
  }

  /** Opens the containers and the leaf which begin in this line. */
  #start(line: string, alreadyMatched: number): void {
    let rest = line
    let matched = alreadyMatched
    for (let opened = this.#containerAt(rest, matched); opened; opened = this.#containerAt(rest, matched)) {
      this.#fill()
      this.#become({ kind: 'none' }, matched)
      this.#containers.push(opened.container)
      matched++
      rest = opened.rest
    }
    this.#become(this.#leafAt(rest, matched), matched)
  }

  #containerAt(line: string, matched: number): { container: Container; rest: string } | undefined {
    const indent = indentOf(line)
    const body = line.slice(indent)
    if (indent >= 4 || this.#containers.length >= MAX_DEPTH) return undefined
    if (body.startsWith('>')) return { container: { kind: 'quote' }, rest: afterQuoteMark(body) }
    if (this.#isUnderline(body, matched) || THEMATIC_BREAK.test(body)) return undefined
    return itemAt(body, indent, this.#isInParagraph(matched))
  }

  /** The leaf that the line begins, or the open paragraph, wherever that is, when it goes on with it. */
  #leafAt(line: string, matched: number): Leaf {
    const indent = indentOf(line)
    const body = line.slice(indent)
    const isInText = this.#leaf.kind === 'paragraph'
    if (body === '') return { kind: 'none' }
    this.#fill()
    if (indent >= 4) return isInText ? this.#leaf : { kind: 'none' }
    const fence = FENCE.exec(body)
    if (fence) return { kind: 'fence', marker: fence[1] ?? fence[2] ?? '' }
    const html = htmlAt(body, !isInText)
    if (html) return html.end?.test(body) ? { kind: 'none' } : html
    const isLine = ATX_HEADING.test(body) || THEMATIC_BREAK.test(body) || this.#isUnderline(body, matched)
    if (isLine) return { kind: 'none' }
    return isInText ? this.#leaf : { kind: 'paragraph' }
  }

  #isUnderline(body: string, matched: number): boolean {
    return this.#isInParagraph(matched) && SETEXT_UNDERLINE.test(body)
  }

  #isInParagraph(matched: number): boolean {
    return this.#leaf.kind === 'paragraph' && matched === this.#containers.length
  }

  #become(leaf: Leaf, matched: number): void {
    // A paragraph that goes on keeps its containers, though the line does not repeat their beginnings.
    if (leaf !== this.#leaf) this.#leave(matched)
    this.#leaf = leaf
  }

  #leave(matched: number): void {
    if (matched === this.#containers.length) return
    this.#containers.length = matched
    this.#leaf = { kind: 'none' }
  }

  #fill(): void {
    const last = this.#containers.at(-1)
    if (last?.kind === 'item') last.isEmpty = false
  }
}

/** What of the line is inside the container; `undefined` when the line is outside. */
function insideOf(container: Container, line: string): string | undefined {
  const indent = indentOf(line)
  if (container.kind === 'quote') {
    return indent < 4 && line[indent] === '>' ? afterQuoteMark(line.slice(indent)) : undefined
  }
  if (indent === line.length) return container.isEmpty ? undefined : ''
  return indent >= container.width ? line.slice(container.width) : undefined
}

function afterQuoteMark(body: string): string {
  return body.slice(body[1] === ' ' ? 2 : 1)
}

/** An item that interrupts a paragraph must have content and, when numbered, begin with 1. */
function itemAt(body: string, indent: number, interrupts: boolean): { container: Container; rest: string } | undefined {
  const marker = LIST_MARKER.exec(body)
  if (!marker) return undefined
  const after = body.slice(marker[0].length)
  const spaces = indentOf(after)
  const isBlankItem = spaces === after.length
  if (interrupts && (isBlankItem || Number(marker[1] ?? 1) !== 1)) return undefined
  const padding = isBlankItem || spaces > 4 ? 1 : spaces
  const width = indent + marker[0].length + padding
  return { container: { kind: 'item', width, isEmpty: true }, rest: after.slice(padding) }
}

function htmlAt(body: string, mayBeAnyTag: boolean): Extract<Leaf, { kind: 'html' }> | undefined {
  if (!body.startsWith('<')) return undefined
  const raw = RAW_TAG.exec(body)
  if (raw) return { kind: 'html', end: RAW_TAG_END, closer: `</${raw[1]?.toLowerCase()}>` }
  const sign = HTML_SIGNS.find(({ start }) => start.test(body))
  if (sign) return { kind: 'html', end: sign.end, closer: sign.closer }
  const isTag = BLOCK_TAG.test(body) || (mayBeAnyTag && body.length < MAX_TAG_LINE && LONE_TAG.test(body))
  return isTag ? { kind: 'html', closer: '' } : undefined
}

/** Tabs as the spaces they stand for: to multiples of four columns. */
function withoutTabs(line: string): string {
  if (!line.includes('\t')) return line
  let column = 0
  return line.replace(/\t|[^\t]+/g, (piece) => {
    const spaces = piece === '\t' ? ' '.repeat(4 - (column % 4)) : piece
    column += spaces.length
    return spaces
  })
}

function indentOf(line: string): number {
  let indent = 0
  while (line[indent] === ' ') indent++
  return indent
}

function isBlank(line: string): boolean {
  return indentOf(line) === line.length
}
