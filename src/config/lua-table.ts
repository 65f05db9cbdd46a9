// Data-only Lua tables: read without executing anything, and written. How one is changed in place is in lua-edit.ts.
// The syntax is luaparse's; here is only what may stand in a configuration file. No file is opened here.
import * as luaparse from 'luaparse'
import { PluginError } from '../core/errors.ts'

export type LuaData = string | number | boolean | null | LuaData[] | { [key: string]: LuaData }

/** Byte offsets into the source. */
export interface Span {
  start: number
  end: number
}

/** A table as it stands in the source, braces included. */
export interface LuaPlace extends Span {
  fields: LuaField[]
}

/** A named field from its key to its value. */
export interface LuaField extends Span {
  key: string
  value: Span
  /** Of a value that is a table without positional fields. */
  table?: LuaPlace
}

/** Asked for by an option of luaparse's, and not in its types. */
interface Ranged {
  range?: [number, number] | undefined
}

type Node = luaparse.Expression & {
  loc?: { start: { line: number } } | undefined
}

/**
 * Reads `return { … }` holding only literals and tables of them.
 * A table with positional fields alone is a list; one with named fields is an object; an empty one is an object.
 * @throws PluginError CONFIG_BROKEN with the line of the first thing that is not data.
 */
export function parseLuaTable(source: string): { [key: string]: LuaData } {
  return parse(source).value
}

/**
 * Where the fields stand, in tables of tables too, and where each token does.
 * @throws PluginError CONFIG_BROKEN when the source cannot be read.
 */
export function placesOf(source: string): { root: LuaPlace; tokens: Span[]; bytes: string } {
  const { table, bytes } = parse(source)
  return { root: placeOf(table), tokens: tokensOf(bytes), bytes }
}

/** A Lua literal for `value`, on one line. */
export function writeLua(value: LuaData): string {
  if (value === null) return 'nil'
  if (typeof value === 'string') return writeString(value)
  if (typeof value === 'number') return writeNumber(value)
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return value.length === 0 ? '{}' : `{ ${value.map(writeLua).join(', ')} }`
  const fields = Object.entries(value).map(([key, field]) => `${writeKey(key)} = ${writeLua(field)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

function parse(source: string): {
  value: { [key: string]: LuaData }
  table: luaparse.TableConstructorExpression
  bytes: string
} {
  const bytes = toBytes(source)
  const table = onlyTable(tellingLine(() => luaparse.parse(bytes, OPTIONS)))
  const value = readTable(table)
  if (Array.isArray(value)) throw broken(lineOf(table), 'it must hold named fields, not a list')
  return { value, table, bytes }
}

/** luaparse counts and decodes UTF-16 units; given one unit a byte, its ranges are byte offsets and no escape is misread. */
function toBytes(source: string): string {
  const bytes = Buffer.from(source, 'utf8').toString('latin1')
  // Lua passes over a byte order mark and a first line with `#`, but not all of luaparse does.
  return bytes.replace(/^(?:\xef\xbb\xbf)?(?:#.*)?/, (skipped) => ' '.repeat(skipped.length))
}

function onlyTable(chunk: luaparse.Chunk): luaparse.TableConstructorExpression {
  const [statement] = chunk.body
  const [table, ...others] = statement?.type === 'ReturnStatement' ? statement.arguments : []
  if (table?.type === 'TableConstructorExpression' && others.length === 0) return table
  throw broken(statement ? lineOf(statement) : 1, 'it must be one `return { … }`')
}

function tellingLine<T>(body: () => T): T {
  try {
    return body()
  } catch (thrown) {
    const line = (thrown as { line?: unknown }).line
    const message = thrown instanceof Error ? thrown.message.replace(/^\[[\d:]+\] /, '') : String(thrown)
    throw broken(typeof line === 'number' ? line : 1, message)
  }
}

function read(node: Node): LuaData {
  switch (node.type) {
    case 'StringLiteral':
      return decode(node.value)
    case 'NumericLiteral':
    case 'BooleanLiteral':
      return node.value
    case 'NilLiteral':
      return null
    case 'UnaryExpression':
      if (node.operator === '-' && node.argument.type === 'NumericLiteral') return -node.argument.value
      break
    case 'TableConstructorExpression':
      return readTable(node)
  }
  throw broken(lineOf(node), 'only strings, numbers, true, false, nil and tables of them may stand here')
}

function readTable(table: luaparse.TableConstructorExpression): LuaData[] | { [key: string]: LuaData } {
  const positional = table.fields.filter((field) => field.type === 'TableValue')
  if (positional.length === table.fields.length && positional.length > 0) {
    return positional.map((field) => read(field.value as Node))
  }
  const entries = table.fields.map((field): [string, LuaData] => {
    if (field.type === 'TableValue')
      throw broken(lineOf(field.value as Node), 'a table is either a list or has named fields')
    return [readKey(field), read(field.value as Node)]
  })
  // The last of equal keys counts, a nil too. fromEntries defines own properties, so that __proto__ is only a key.
  return Object.fromEntries([...new Map(entries)].filter(([, value]) => value !== null))
}

function readKey(field: luaparse.TableKey | luaparse.TableKeyString): string {
  if (field.type === 'TableKeyString') return decode(field.key.name)
  const key = read(field.key as Node)
  if (typeof key === 'string' || typeof key === 'number') return String(key)
  throw broken(lineOf(field.key as Node), 'a key must be a string or a number')
}

function placeOf(table: luaparse.TableConstructorExpression): LuaPlace {
  const fields = table.fields.flatMap((field): LuaField[] => {
    if (field.type === 'TableValue') return []
    const value = field.value as Node
    const isNamed = value.type === 'TableConstructorExpression' && !Array.isArray(readTable(value))
    return [
      {
        ...spanOf(field),
        key: readKey(field),
        value: spanOf(value),
        ...(isNamed ? { table: placeOf(value) } : {}),
      },
    ]
  })
  return { ...spanOf(table), fields }
}

/** Only the lexer knows: a comment may hold a comma, and a value may stand in parentheses. */
function tokensOf(bytes: string): Span[] {
  const lexer = luaparse.parse(bytes, { ...OPTIONS, wait: true })
  const tokens: Span[] = []
  for (let token = lexer.lex(); token.range[0] < bytes.length; token = lexer.lex()) {
    tokens.push({ start: token.range[0], end: token.range[1] })
  }
  return tokens
}

function spanOf(node: object): Span {
  const [start, end] = (node as Ranged).range ?? [0, 0]
  return { start, end }
}

function lineOf(node: Node | luaparse.Statement): number {
  return node.loc?.start.line ?? 1
}

function decode(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

/** A field's name as it may stand before `=`. */
export function writeKey(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) && !LUA_KEYWORDS.has(key) ? key : `[${writeString(key)}]`
}

function writeString(text: string): string {
  // Control characters as decimal escapes of three digits: a digit may follow.
  const escaped = text.replace(/[\\"\u0000-\u001f\u007f]/g, (character) =>
    character === '\\' || character === '"'
      ? `\\${character}`
      : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  )
  return `"${escaped}"`
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new PluginError('CONFIG_INVALID', `${value} cannot be written to a Lua table`)
  return String(value)
}

function broken(line: number, message: string): PluginError {
  return new PluginError('CONFIG_BROKEN', `line ${line}: ${message}`)
}

const OPTIONS: Partial<luaparse.Options> = {
  encodingMode: 'pseudo-latin1',
  ranges: true,
  locations: true,
  luaVersion: 'LuaJIT',
  comments: false,
  // LuaJIT allows them; the types do not.
  extendedIdentifiers: true as false,
}

const LUA_KEYWORDS = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
)
