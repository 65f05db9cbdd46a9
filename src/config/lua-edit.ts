// Changes of a data-only Lua table in place: every byte that does not belong to the field stays, comments included.
// What may stand in such a table is lua-table.ts's.
import { type LuaData, type LuaField, type LuaPlace, placesOf, type Span, writeKey, writeLua } from './lua-table.ts'

/** A field's name, or the names on the way to a field of a table within. */
export type LuaPath = string | readonly string[]

/**
 * Sets one field; tables on its way that are missing are made, and what stands there and is no table gives way.
 * @throws PluginError CONFIG_BROKEN when the source cannot be read.
 */
export function setLuaField(source: string, path: LuaPath, value: LuaData): string {
  const { root, tokens, bytes } = placesOf(source)
  const names = typeof path === 'string' ? [path] : path
  let table = root
  for (const [depth, name] of names.entries()) {
    const below = names.slice(depth + 1)
    const field = lastOf(table, name)
    if (!field) return insert(source, gapOf(table, { tokens, bytes, isRoot: depth === 0 }), name, below, value)
    if (below.length === 0 || !field.table) return splice(source, field.value, writeLua(within(below, value)))
    table = field.table
  }
  return source
}

/**
 * Takes one field away, with the comments inside it and its line if nothing else stands there.
 * @throws PluginError CONFIG_BROKEN when the source cannot be read.
 */
export function removeLuaField(source: string, path: LuaPath): string {
  const { root, tokens, bytes } = placesOf(source)
  const names = typeof path === 'string' ? [path] : path
  const parent = names
    .slice(0, -1)
    .reduce<LuaPlace | undefined>((table, name) => table && lastOf(table, name)?.table, root)
  const field = parent && lastOf(parent, names.at(-1) ?? '')
  if (!field) return source
  // All of that name, or an earlier one would come to count.
  return removeLuaField(splice(source, extentOf(field, tokens, bytes), ''), names)
}

/** The last of equal keys counts. */
function lastOf(table: LuaPlace, name: string): LuaField | undefined {
  return table.fields.findLast(({ key }) => key === name)
}

/** Where a new field may be put: before the closing brace, below any comment there. */
interface Gap {
  at: number
  /** Where a comma must come first. */
  missingComma: number | undefined
  /** Absent in a table that stands on one line. */
  indent: string | undefined
  /** Whether the closing brace follows at once. */
  isTight: boolean
}

function gapOf(table: LuaPlace, { tokens, bytes, isRoot }: { tokens: Span[]; bytes: string; isRoot: boolean }): Gap {
  const brace = table.end - 1
  const at = bytes.slice(0, brace).replace(/[ \t\r\n]+$/, '').length
  const last = tokens.findLast(({ end }) => end <= brace) ?? { start: table.start, end: table.start + 1 }
  const isSeparated = ['{', ',', ';'].includes(bytes.slice(last.start, last.end))
  const isOneLine = !bytes.slice(table.start, brace).includes('\n')
  const indent = isRoot ? '  ' : isOneLine ? undefined : indentIn(table, bytes)
  return { at, missingComma: isSeparated ? undefined : last.end, indent, isTight: at === brace }
}

/** As the last field that begins a line, or one step further than the line of the closing brace. */
function indentIn(table: LuaPlace, bytes: string): string {
  const beginning = ({ start }: Span) => /(?:^|\n)([ \t]*)$/.exec(bytes.slice(0, start))?.[1]
  const [known] = table.fields.map(beginning).filter((indent) => indent !== undefined)
  return known ?? `${/[^\n]*$/.exec(bytes.slice(0, table.end))?.[0].match(/^[ \t]*/)?.[0] ?? ''}  `
}

function insert(source: string, gap: Gap, name: string, below: readonly string[], value: LuaData): string {
  const { at, missingComma, indent, isTight } = gap
  const text =
    indent === undefined
      ? ` ${writeKey(name)} = ${writeLua(within(below, value))}${isTight ? ' ' : ''}`
      : `\n${indent}${writeKey(name)} = ${writeOnLines(below, value, indent)},`
  const grown = splice(source, { start: at, end: at }, text)
  return missingComma === undefined ? grown : splice(grown, { start: missingComma, end: missingComma }, ',')
}

/** A value within the tables that lead to it. */
function within(names: readonly string[], value: LuaData): LuaData {
  return names.reduceRight<LuaData>((inner, name) => ({ [name]: inner }), value)
}

/** The same, each of those tables on lines of its own. */
function writeOnLines(names: readonly string[], value: LuaData, indent: string): string {
  const [name, ...below] = names
  if (name === undefined) return writeLua(value)
  const inner = `${indent}  `
  return `{\n${inner}${writeKey(name)} = ${writeOnLines(below, value, inner)},\n${indent}}`
}

/** All that goes with a field: the comma after it, or the one before when it is the last of a line, and an empty line. */
function extentOf(field: Span, tokens: readonly Span[], bytes: string): Span {
  const isComma = (token: Span | undefined) => token !== undefined && /^[,;]$/.test(bytes.slice(token.start, token.end))
  const after = tokens.find(({ start }) => start >= field.end)
  const before = tokens.findLast(({ end }) => end <= field.start)
  let { start, end } = field
  if (isComma(after) && after) end = after.end
  else if (isComma(before) && before && /^[ \t]*$/.test(bytes.slice(before.end, start))) start = before.start
  const left = /(?:^|\n)[ \t]*$/.exec(bytes.slice(0, start))
  const right = /^[ \t]*\r?\n/.exec(bytes.slice(end))
  if (left && right) return { start: start - left[0].replace(/^\n/, '').length, end: end + right[0].length }
  // On a line with others, the blank between goes too.
  if (left) return { start, end: end + (/^[ \t]*/.exec(bytes.slice(end))?.[0].length ?? 0) }
  return { start: start - (/[ \t]*$/.exec(bytes.slice(0, start))?.[0].length ?? 0), end }
}

function splice(source: string, span: Span, text: string): string {
  const bytes = Buffer.from(source, 'utf8')
  const parts = [bytes.subarray(0, span.start), Buffer.from(text, 'utf8'), bytes.subarray(span.end)]
  return Buffer.concat(parts).toString('utf8')
}
