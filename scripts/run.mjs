// Runs a TypeScript entry on the oldest supported Node: `node scripts/run.mjs ENTRY.ts [ARG …]`.
// It bundles with esbuild into a cache folder and imports the result. It is not for the shipped host: see build.mjs.
import { mkdir } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const [entry, ...rest] = process.argv.slice(2)
if (!entry) {
  process.stderr.write('usage: node scripts/run.mjs ENTRY.ts [ARG …]\n')
  process.exit(2)
}
const folder = resolve(root, '.cache/scripts')
const outfile = resolve(folder, `${basename(entry, '.ts')}-${process.pid}.mjs`)
await mkdir(folder, { recursive: true })
await build({
  entryPoints: [resolve(entry)],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'error',
})
const { unlink } = await import('node:fs/promises')
process.on('exit', () => void unlink(outfile).catch(() => {}))
process.argv = [process.argv[0], resolve(entry), ...rest]
await import(pathToFileURL(outfile).href).finally(() => unlink(outfile).catch(() => {}))
