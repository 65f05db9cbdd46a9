import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LuaData, parseLuaTable, writeLua } from '../../../src/config/lua-table.ts'
import { data, fields } from './lua-data.ts'

describe('writeLua', () => {
  it('writes what parseLuaTable reads back equal', () => {
    fc.assert(
      fc.property(fields, (value) => {
        expect(parseLuaTable(`return ${writeLua(value)}`)).toEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  it('stays on one line, whatever the text', () => {
    fc.assert(fc.property(data, (value) => !/[\r\n]/.test(writeLua(value))))
  })

  it.each([
    [[], '{}'],
    [{}, '{}'],
    [null, 'nil'],
    [-1.5e-7, '-1.5e-7'],
    [['a', 1], '{ "a", 1 }'],
    [{ plain: 1, 'two words': 2, end: 3 }, '{ plain = 1, ["two words"] = 2, ["end"] = 3 }'],
    ['\x001', '"\\0001"'],
  ] as Array<[LuaData, string]>)('writes %j as %s', (value, written) => {
    expect(writeLua(value)).toBe(written)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %d, which Lua has no literal for', (value) => {
    expect(() => writeLua({ value })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

describe('parseLuaTable', () => {
  it('reads every kind of literal', () => {
    const source = String.raw`-- a comment
return {
  name = 'single', ["key with blank"] = "double \"quoted\" \65\x42\u{20AC}\z
    joined",
  long = [==[
first ]] second]==];
  int = 42, negative = -3, float = .5, hex = 0xff, exponent = 1e-3,
  yes = true, no = false, none = nil,
  list = { 1, 'two', { three = 3 } }, --[[ , }
  ]] empty = {},
  [10] = 'ten', é = 'ü',
}
-- done`
    expect(parseLuaTable(source)).toEqual({
      name: 'single',
      'key with blank': 'double "quoted" AB€joined',
      long: 'first ]] second',
      int: 42,
      negative: -3,
      float: 0.5,
      hex: 255,
      exponent: 0.001,
      yes: true,
      no: false,
      list: [1, 'two', { three: 3 }],
      empty: {},
      10: 'ten',
      é: 'ü',
    })
  })

  it('keeps a key named __proto__ a key, and a prototype untouched', () => {
    const value = parseLuaTable('return { ["__proto__"] = { polluted = true }, constructor = 1 }')
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('lets the last of equal keys count, as Lua does', () => {
    expect(parseLuaTable('return { a = 1, a = 2, b = 1, b = nil }')).toEqual({ a: 2 })
  })

  it.each([
    ['a byte order mark', '\uFEFFreturn { a = 1 }'],
    ['a shebang', '#!/usr/bin/env lua\nreturn { a = 1 }'],
    ['a final semicolon', 'return { a = 1 };'],
    ['parentheses', 'return ({ a = (1) })'],
    ['carriage returns', '-- x\r\nreturn {\r\n  a = 1,\r\n}\r\n'],
  ])('passes over %s', (_, source) => {
    expect(parseLuaTable(source)).toEqual({ a: 1 })
  })

  it.each([
    ['nothing', '', 1],
    ['a comment alone', '-- return {}', 1],
    ['an open table', 'return {\n  a = 1,\n', 3],
    ['a forgotten comma', 'return {\n  a = 1\n  b = 2\n}', 3],
    ['an open string', 'return {\n  a = "x\n}', 2],
    ['a bad escape', 'return {\n\n  a = "\\400" }', 3],
    ['code before the table', '-- c\n\nlocal x = 1\nreturn {}', 3],
    ['code in place of the table', '\n\nos.exit()', 3],
    ['a function call as value', 'return {\n  a = 1,\n  b = os.execute("reboot"),\n}', 3],
    ['a call within a list', 'return {\n  a = {\n    1,\n    f "x",\n  },\n}', 4],
    ['a function', 'return {\n  a = function() end }', 2],
    ['a variable', 'return {\n  a = vim.env.HOME }', 2],
    ['an expression', 'return {\n  a = 1 + 1 }', 2],
    ['a variable argument', 'return {\n  a = ... }', 2],
    ['a computed key', 'return {\n  [f()] = 1 }', 2],
    ['a boolean key', 'return {\n  [true] = 1 }', 2],
    ['a call returned', '\nreturn setmetatable({}, {})', 2],
    ['two tables', 'return {},\n{}', 1],
    ['two returns', 'return {}\nreturn {}', 2],
    ['a list on top', 'return\n{ 1, 2 }', 2],
    ['a string returned', 'return "x"', 1],
    ['a table that is both list and record', 'return {\n  a = {\n    x = 1,\n    2,\n  },\n}', 4],
    ['an immediate call of a table', 'return f{}', 1],
  ])('refuses %s and names the line', (_, source, line) => {
    expect(() => parseLuaTable(source)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_BROKEN',
        message: expect.stringMatching(new RegExp(`^line ${line}: .`)),
      }),
    )
  })

  it('reads a hundred levels, and refuses what would break the stack as broken', () => {
    const nested = (levels: number) => `return ${'{ a = '.repeat(levels)}1${' }'.repeat(levels)}`
    expect(JSON.stringify(parseLuaTable(nested(100)))).toBe(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`)
    expect(() => parseLuaTable(nested(100_000))).toThrow(expect.objectContaining({ code: 'CONFIG_BROKEN' }))
  })
})
