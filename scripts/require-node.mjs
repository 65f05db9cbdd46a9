// Says plainly that Node is too old, before npm says it in a hundred lines.
const wanted = [20, 18, 1]
const have = process.versions.node.split('.').map(Number)
const index = wanted.findIndex((part, position) => have[position] !== part)
if (index >= 0 && have[index] < wanted[index]) {
  process.stderr.write(`ollama-remote.nvim needs Node.js >= ${wanted.join('.')}; this is ${process.version}.\n`)
  process.exit(1)
}
