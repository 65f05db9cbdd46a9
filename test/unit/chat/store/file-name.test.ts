import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fileName, fitModel, fitName, readFileName, withoutServer } from '../../../../src/chat/store/file-name.ts'

const CREATED = '2025-01-22 09:15:34'
const named = (name: string, model = 'codellama:7b') => fileName({ name, model, created: CREATED })

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc
    .array(
      fc.constantFrom('/', '_', '.', ' ', '-', '\n', 'é', '👩‍👩‍👧', '日', 'a', '\u202E', '\uD800', '~', '\u0301'),
      { maxLength: 200 },
    )
    .map((signs) => signs.join('')),
)

describe('names of files', () => {
  it('tells the name, the model and the time', () => {
    expect(named('debugging')).toBe('debugging_codellama-7b_20250122-091534.txt')
    expect(fileName({ name: 'debugging', model: 'codellama:7b', created: CREATED }, 2)).toBe(
      'debugging_codellama-7b_20250122-091534-2.txt',
    )
  })

  it.each([
    ['../../etc/passwd', 'etc-passwd'],
    ['.hidden', 'hidden'],
    ['-rf', 'rf'],
    ['why?  a\tb\nc', 'why- a-b-c'],
    ['Straße · naïve 日本語', 'Straße · naïve 日本語'],
    ['a_b_', 'a_b_'],
    ['e\u0301', 'é'],
    ['', 'chat'],
    ['...', 'chat'],
    ['\u202Etxt.exe', 'txt.exe'],
  ])('makes of %j what is fit', (name, fitted) => expect(fitName(name)).toBe(fitted))

  it('keeps what tells models apart', () => {
    expect(fitModel('hf.co/org/some_model:Q4_K_M')).toBe('hf.co-org-some-model-Q4-K-M')
    expect(withoutServer('gpu:codellama:7b')).toBe('codellama:7b')
    expect(withoutServer('codellama')).toBe('codellama')
  })

  it('cuts between characters, not within', () => {
    expect(fitName('日'.repeat(100))).toBe('日'.repeat(50))
    expect(fitName(`${'a'.repeat(148)}👩‍👩‍👧`)).toBe('a'.repeat(148))
  })

  it.each(['notes.txt', 'a_b.txt', '_m_20250122-091534.txt', 'a_m_20250122-091534.md', 'a_m_2025-091534.txt'])(
    'does not take %s for one of its own',
    (file) => expect(readFileName(file)).toBeUndefined(),
  )

  it('gives any name and any model a legal file that is read back', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.integer({ min: 1, max: 10_000 }), (name, model, nth) => {
        const file = fileName({ name, model, created: CREATED }, nth)
        expect(Buffer.byteLength(file)).toBeLessThanOrEqual(240)
        expect(file).not.toMatch(/[\p{Cc}\p{Cs}/\\]|^[.~-]/u)
        expect(file).toBe(file.normalize('NFC'))
        expect(readFileName(file)).toEqual({ name: fitName(name), model: fitModel(model), created: CREATED })
        expect(fitName(fitName(name))).toBe(fitName(name))
        expect(fitModel(fitModel(model))).toBe(fitModel(model))
      }),
      { numRuns: 2000 },
    )
  })
})
