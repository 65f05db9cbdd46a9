// The help file's part about options, made from the schema: `node scripts/run.mjs scripts/option-help.ts` writes it in.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { userConfigSchema } from '../src/config/schema.ts'
import { PROJECT_ROOT } from './project-root.ts'

export const HELP_FILE = join(PROJECT_ROOT, 'doc/ollama-remote.txt')

const WIDTH = 78
const BEGIN = 'Keys can also be set before the plugin loads: >lua\n\n    vim.g.ollama_remote = { keymaps = false }\n<\n'
const END = '                                                           *ollama_config.lua*\n'

interface Option {
  description?: string
  default?: unknown
  properties?: Record<string, Option>
  additionalProperties?: Option | boolean
  anyOf?: Option[]
}

/** The help file's text with the options as the schema has them now. */
export function helpWithOptions(help: string): string {
  const from = help.indexOf(BEGIN)
  const to = help.indexOf(END)
  if (from < 0 || to < 0) throw new Error('the help file has lost the place of the options')
  return help.slice(0, from + BEGIN.length) + optionHelp() + help.slice(to)
}

function optionHelp(): string {
  const schema = z.toJSONSchema(userConfigSchema, { io: 'input', unrepresentable: 'any' }) as Option
  return sections(schema.properties ?? {}, [])
}

function sections(options: Record<string, Option>, above: readonly string[]): string {
  return Object.entries(options)
    .map(([name, option]) => {
      const path = [...above, name]
      return entry(path, option) + sections(fieldsOf(option), isRecord(option) ? [...path, '{name}'] : path)
    })
    .join('')
}

function entry(path: readonly string[], option: Option): string {
  const name = path.join('.')
  const tag = `*ollama-remote-${path.filter((part) => part !== '{name}').join('.')}*`
  const gap = WIDTH - name.length - tag.length
  const heading = gap > 0 ? `${name}${' '.repeat(gap)}${tag}` : `${tag.padStart(WIDTH)}\n${name}`
  const standard =
    option.default === undefined ? '' : ` Default: ${JSON.stringify(option.default).replaceAll('"', "'")}.`
  return `${heading}\n${wrap(`${option.description ?? ''}.${standard}`)}\n`
}

function fieldsOf(option: Option): Record<string, Option> {
  const inside = typeof option.additionalProperties === 'object' ? option.additionalProperties : option
  return inside.properties ?? inside.anyOf?.find((choice) => choice.properties)?.properties ?? {}
}

function isRecord(option: Option): boolean {
  return typeof option.additionalProperties === 'object'
}

function wrap(text: string): string {
  const lines = ['   ']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line.length + word.length + 1 > WIDTH) lines.push(`    ${word}`)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return `${lines.join('\n')}\n`
}

if (process.argv[1]?.endsWith('option-help.ts'))
  writeFileSync(HELP_FILE, helpWithOptions(readFileSync(HELP_FILE, 'utf8')))
