// StyLua over all Lua files: `--write` formats, without it the files that differ are named and the exit code is 1.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Config, formatCode, IndentType, LuaVersion, OutputVerification, QuoteStyle } from '@johnnymorganz/stylua'
import { PROJECT_ROOT } from './project-root.ts'

const FOLDERS = ['plugin', 'lua', 'ftplugin', 'test/fixtures']

const files = [...FOLDERS.flatMap(luaFilesIn), 'build.lua']
const different = files.filter((file) => {
  const path = join(PROJECT_ROOT, file)
  const before = readFileSync(path, 'utf8')
  const after = formatCode(before, houseStyle(), undefined, OutputVerification.None)
  if (before !== after && process.argv.includes('--write')) writeFileSync(path, after)
  return before !== after
})
if (different.length > 0 && !process.argv.includes('--write')) {
  process.stderr.write(`Lua files that are not formatted (make format mends it):\n  ${different.join('\n  ')}\n`)
  process.exitCode = 1
}

/** The same as stylua.toml, which editors read: StyLua's build for Node reads no file. */
function houseStyle(): Config {
  const config = Config.new()
  config.syntax = LuaVersion.LuaJIT
  config.column_width = 100
  config.indent_type = IndentType.Spaces
  config.indent_width = 2
  config.quote_style = QuoteStyle.AutoPreferSingle
  return config
}

function luaFilesIn(folder: string): string[] {
  const path = join(PROJECT_ROOT, folder)
  if (!existsSync(path)) return []
  const entries = readdirSync(path, { recursive: true, encoding: 'utf8' })
  return entries.filter((file) => file.endsWith('.lua')).map((file) => join(folder, file))
}
