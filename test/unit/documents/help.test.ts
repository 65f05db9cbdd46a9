import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { HELP_FILE, helpWithOptions } from '../../../scripts/option-help.ts'

describe('the help file', () => {
  it('tells the options as the schema has them (node scripts/run.mjs scripts/option-help.ts mends it)', () => {
    const help = readFileSync(HELP_FILE, 'utf8')
    expect(help).toBe(helpWithOptions(help))
  })
})
