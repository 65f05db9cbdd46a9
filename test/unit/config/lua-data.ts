// Arbitrary data as a Lua table can hold it, hostile texts among them.
import fc from 'fast-check'
import type { LuaData } from '../../../src/config/lua-table.ts'

const hostileText = fc.string({
  unit: fc.constantFrom(
    '\0',
    '\n',
    '\r',
    '\t',
    '\x07',
    '\x7f',
    '"',
    "'",
    '\\',
    '0',
    '9',
    ']',
    '[',
    '-',
    '{',
    ',',
    'é',
    '😀',
    '\u2028',
  ),
})
const text = fc.oneof(hostileText, fc.string({ unit: 'binary' }))
const number = fc
  .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => value + 0 || 0)
export const { data, fields } = fc.letrec<{ data: LuaData; fields: Record<string, LuaData> }>((tie) => ({
  data: fc.oneof(
    { depthSize: 'small' },
    text,
    number,
    fc.boolean(),
    fc.array(fc.oneof(tie('data'), fc.constant(null)), { minLength: 1, maxLength: 4 }),
    tie('fields'),
  ),
  fields: fc.dictionary(fc.oneof(text, fc.constantFrom('end', 'goto', 'nil', 'constructor', '1', '')), tie('data'), {
    maxKeys: 4,
  }),
}))
