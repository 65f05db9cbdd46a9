// Builds the host: rplugin/node/ollama-remote/index.cjs, and beside it the two heavy libraries, loaded on first need.
// Plain JavaScript, since it runs in a user's plugin manager with nothing but Node and the dependencies.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = `${root}rplugin/node/ollama-remote`
const HEAVY = ['ssh2', 'undici']

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  logLevel: 'warning',
  write: false,
  legalComments: 'eof',
  // Natives are faster and tied to one platform; ssh2 does without them. The keyring is one, and optional.
  external: ['*.node', 'cpu-features', '@napi-rs/keyring'],
  // A library left outside the bundle is then required, and all its names are there.
  supported: { 'dynamic-import': false },
}

/** @type {import('esbuild').Plugin} */
const keepHeavyLibrariesApart = {
  name: 'keep-heavy-libraries-apart',
  setup(builder) {
    for (const name of HEAVY) {
      builder.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: `./${name}.cjs`, external: true }))
    }
    // node-client logs through winston, which costs 24 ms at every start and patches the console.
    builder.onResolve({ filter: /^winston$/ }, () => ({ path: 'winston', namespace: 'absent' }))
    builder.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: WITHOUT_WINSTON, loader: 'js' }))
  },
}

const WITHOUT_WINSTON = `
  const quiet = { level: 'error', info() {}, debug() {}, warn() {}, error() {}, log() {} }
  exports.createLogger = () => quiet
  exports.transports = { File: class {}, Console: class {} }
  exports.format = new Proxy(() => {}, { get: () => () => ({}) })
`

const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'))
const built = await Promise.all([
  build({
    ...common,
    entryPoints: ['src/main.ts'],
    outfile: `${folder}/index.cjs`,
    plugins: [keepHeavyLibrariesApart],
    define: {
      PLUGIN_VERSION: JSON.stringify(version),
      SSH2_MODULE: JSON.stringify('./ssh2.cjs'),
      'import.meta.url': '__filename',
    },
  }),
  ...HEAVY.map((name) =>
    build({
      ...common,
      stdin: { contents: `module.exports = require('${name}')`, resolveDir: root },
      outfile: `${folder}/${name}.cjs`,
    }),
  ),
])
// A Neovim that starts the host meanwhile finds either the old files or the new ones, never half of one.
for (const { path, contents } of built.flatMap(({ outputFiles }) => outputFiles).toReversed()) {
  await writeFile(`${path}.${process.pid}.new`, contents)
  await rename(`${path}.${process.pid}.new`, path)
}
