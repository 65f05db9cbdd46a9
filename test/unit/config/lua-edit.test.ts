import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { removeLuaField, setLuaField } from '../../../src/config/lua-edit.ts'
import { type LuaData, parseLuaTable, writeLua } from '../../../src/config/lua-table.ts'
import { data } from './lua-data.ts'

const between = fc.constantFrom(
  '',
  ' ',
  '\n',
  '\r\n',
  '\t',
  ' -- note, }\n',
  ' -- ends in à\n',
  '--[[ , ; } ]]',
  '--[==[ ]] ]==]\n',
)
const key = fc.constantFrom('a', 'b', '["c"]', "[ 'd e' ]", '[7]')
const value = fc.constantFrom(
  '1',
  '-2',
  '","',
  "'}'",
  '"é"',
  '[[ ] ; ]]',
  '(3)',
  '("x")',
  '{ 1, 2 }',
  '{ x = 1; }',
  '{}',
  'true',
  'nil',
)
const field = fc
  .tuple(between, key, between, between, value, between)
  .map(([a, name, b, c, written, d]) => `${a}${name}${b}=${c}${written}${d}`)
const source = fc
  .record({
    head: fc.constantFrom('', '\uFEFF', '-- Ä head\n', '--[[ { ]]'),
    fields: fc.array(fc.tuple(field, fc.constantFrom(',', ';')), { maxLength: 5 }),
    trailing: fc.boolean(),
    inside: between,
    tail: fc.constantFrom('', '\n', ' -- } end', ';\n', '\n--[[ last ]]\n'),
  })
  .map(({ head, fields, trailing, inside, tail }) => {
    const body = fields.map(([field, separator], index) =>
      index < fields.length - 1 || trailing ? field + separator : field,
    )
    return `${head}return {${body.join('')}${inside}}${tail}`
  })

describe('setLuaField', () => {
  it('adds a new field, and nothing else but the comma that was missing', () => {
    fc.assert(
      fc.property(source, data, (before, value) => {
        const after = setLuaField(before, 'fresh', value)
        expect(parseLuaTable(after)).toEqual({ ...parseLuaTable(before), fresh: read(value) })
        const rest = after.replace(`\n  fresh = ${writeLua(value)},`, () => '')
        expect([rest, withoutFirstDifference(rest, before)]).toContain(before)
      }),
      { numRuns: 500 },
    )
  })

  it('replaces a known field in its place', () => {
    fc.assert(
      fc.property(source, data, data, (source, first, second) => {
        const before = setLuaField(source, 'known', first)
        const after = setLuaField(before, 'known', second)
        expect(parseLuaTable(after)).toEqual({ ...parseLuaTable(source), known: read(second) })
        expect(after).toBe(before.replace(`known = ${writeLua(first)},`, () => `known = ${writeLua(second)},`))
      }),
    )
  })

  it.each([
    ['{ }', '{\n  b = 2, }'],
    ['{ a = 1 }', '{ a = 1,\n  b = 2, }'],
    ['{\n  a = 1,\n}', '{\n  a = 1,\n  b = 2,\n}'],
    ['{\n  a = 1 -- note\n}', '{\n  a = 1, -- note\n  b = 2,\n}'],
    ['{\n  a = 1, -- note\n}', '{\n  a = 1, -- note\n  b = 2,\n}'],
    ['{\n  a = 1 -- note\n  ;\n}', '{\n  a = 1 -- note\n  ;\n  b = 2,\n}'],
    ['{\n  a = (1)\n}', '{\n  a = (1),\n  b = 2,\n}'],
    ['{\n  a = ","\n}', '{\n  a = ",",\n  b = 2,\n}'],
    ['{\n  -- only words\n}', '{\n  -- only words\n  b = 2,\n}'],
    ['{ b = "é", c = 3 }', '{ b = 2, c = 3 }'],
    ['{ b = (1) }', '{ b = (2) }'],
    ['{ ["b"] = { 1, -- x\n } }', '{ ["b"] = 2 }'],
    ['{ b = nil }', '{ b = 2 }'],
    ['{ b = 1, b = 1 }', '{ b = 1, b = 2 }'],
    ['{ x = { b = 1 } }', '{ x = { b = 1 },\n  b = 2, }'],
  ])('turns %j into %j', (before, after) => {
    expect(setLuaField(`return ${before}`, 'b', 2)).toBe(`return ${after}`)
  })

  it('writes a key that is no name in brackets', () => {
    const after = setLuaField('return {}', 'end "\n', 1)
    expect(parseLuaTable(after)).toEqual({ 'end "\n': 1 })
  })

  it.each(['return {', 'return f()', 'x = 1'])('refuses to change %j, which it does not understand', (source) => {
    expect(() => setLuaField(source, 'a', 1)).toThrow(expect.objectContaining({ code: 'CONFIG_BROKEN' }))
  })
})

describe('setLuaField within tables', () => {
  const path = ['servers', 'gpu', 'url']

  it('changes nothing that is read but the one field', () => {
    fc.assert(
      fc.property(source, data, (before, value) => {
        const after = setLuaField(before, ['x', 'fresh'], value)
        const known = parseLuaTable(before)
        expect(parseLuaTable(after)).toEqual({ ...known, x: { fresh: read(value) } })
        const again = setLuaField(after, ['x', 'other'], 1)
        expect(parseLuaTable(again)).toEqual({ ...known, x: { fresh: read(value), other: 1 } })
        expect(parseLuaTable(removeLuaField(again, ['x', 'other']))).toEqual(parseLuaTable(after))
      }),
    )
  })

  it.each([
    ['{\n}', '{\n  servers = {\n    gpu = {\n      url = 2,\n    },\n  },\n}'],
    ['{\n  servers = {},\n}', '{\n  servers = { gpu = { url = 2 } },\n}'],
    ['{\n  servers = { a = {} },\n}', '{\n  servers = { a = {}, gpu = { url = 2 } },\n}'],
    ['{\n  servers = {a = {},},\n}', '{\n  servers = {a = {}, gpu = { url = 2 } },\n}'],
    [
      '{\n  servers = {\n    a = { ssh = "a" } -- mine\n    -- end\n  },\n}',
      '{\n  servers = {\n    a = { ssh = "a" }, -- mine\n    -- end\n    gpu = {\n      url = 2,\n    },\n  },\n}',
    ],
    [
      '{ servers = { gpu = { ssh = "a", url = 1 --[[x]] } } }',
      '{ servers = { gpu = { ssh = "a", url = 2 --[[x]] } } }',
    ],
    ['{ servers = { gpu = { ssh = "a" } } }', '{ servers = { gpu = { ssh = "a", url = 2 } } }'],
    [
      '{\n\tservers = {\n\t\ta = {},\n\t},\n}',
      '{\n\tservers = {\n\t\ta = {},\n\t\tgpu = {\n\t\t  url = 2,\n\t\t},\n\t},\n}',
    ],
    ['{ servers = false }', '{ servers = { gpu = { url = 2 } } }'],
    ['{ servers = { 1, 2 } }', '{ servers = { gpu = { url = 2 } } }'],
  ])('turns %j into %j', (before, after) => {
    expect(setLuaField(`return ${before}`, path, 2)).toBe(`return ${after}`)
  })

  it('writes a name with a hyphen in brackets, and finds it again', () => {
    const first = setLuaField('return {\n}\n', ['servers', 'gpu-box'], { ssh: 'a' })
    expect(first).toBe('return {\n  servers = {\n    ["gpu-box"] = { ssh = "a" },\n  },\n}\n')
    expect(setLuaField(first, ['servers', 'gpu-box', 'ssh'], 'b')).toBe(first.replace('"a"', '"b"'))
  })
})

describe('removeLuaField', () => {
  it('changes nothing that is read but the one field', () => {
    fc.assert(
      fc.property(source, fc.constantFrom('a', 'b', 'c', 'd e', '7'), (before, name) => {
        const { [name]: _gone, ...others } = parseLuaTable(before)
        expect(parseLuaTable(removeLuaField(before, name))).toEqual(others)
      }),
      { numRuns: 500 },
    )
  })

  it('takes a field that was just added away without a trace, but for a comma', () => {
    fc.assert(
      fc.property(source, data, (before, value) => {
        const after = removeLuaField(setLuaField(before, 'fresh', value), 'fresh')
        expect([after, withoutFirstDifference(after, before)].map(bare)).toContain(bare(before))
      }),
    )
  })

  it.each([
    ['{ b = 1 }', '{ }'],
    ['{ a = 1, b = 2 }', '{ a = 1 }'],
    ['{ b = 2, a = 1 }', '{ a = 1 }'],
    ['{\n  a = 1,\n  b = 2,\n}', '{\n  a = 1,\n}'],
    ['{\n  a = 1,\n  b = 2\n}', '{\n  a = 1,\n}'],
    ['{\n  -- what b is\n  b = {\n    x = 1, -- x\n  },\n  a = 1,\n}', '{\n  -- what b is\n  a = 1,\n}'],
    ['{\n  b = 2, -- note\n  a = 1,\n}', '{\n  -- note\n  a = 1,\n}'],
    ['{ b = 1, a = 2, b = 3 }', '{ a = 2 }'],
    ['{ a = 1 }', '{ a = 1 }'],
  ])('turns %j into %j', (before, after) => {
    expect(removeLuaField(`return ${before}`, 'b')).toBe(`return ${after}`)
  })

  it('reaches into tables, and passes over a way that is not there', () => {
    const source = 'return {\n  servers = {\n    ["b-2"] = { ssh = "b" },\n    a = {}, -- stays\n  },\n}'
    expect(removeLuaField(source, ['servers', 'b-2'])).toBe('return {\n  servers = {\n    a = {}, -- stays\n  },\n}')
    expect(removeLuaField(source, ['server', 'b-2'])).toBe(source)
    expect(removeLuaField(source, ['servers', 'b-2', 'ssh', 'host'])).toBe(source)
  })
})

const bare = (text: string) => text.replace(/\s/g, '')

/** How a value written is read: an empty list has no look of its own in Lua. */
function read(value: LuaData): LuaData | undefined {
  return parseLuaTable(`return { value = ${writeLua(value)} }`).value
}

function withoutFirstDifference(longer: string, shorter: string): string {
  const at = longer.split('').findIndex((unit, index) => unit !== shorter[index])
  return longer[at] === ',' ? longer.slice(0, at) + longer.slice(at + 1) : longer
}
