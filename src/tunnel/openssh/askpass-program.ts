// The little program that ssh runs to ask something. It passes the question on to the host over the socket beside it, and
// what the host answers back to ssh. Text only: it is written into the runtime folder, so it needs nothing but Node.

/** The program that SSH_ASKPASS names; the part in JavaScript lies beside it. */
export function askpassLauncher(node: string, scriptPath: string): string {
  return `#!/bin/sh\nexec ${quote(node)} ${quote(scriptPath)} "$@"\n`
}

/**
 * One line of JSON goes out: `{ prompt, hint }`. One comes back: `{ answer }` for standard output, or `{}` for refusal.
 * A host that is gone, or hangs up, refuses too.
 */
export function askpassScript(socketPath: string): string {
  return `'use strict'
const socket = require('node:net').connect(${JSON.stringify(socketPath)})
let text = ''
socket.setEncoding('utf8')
socket.on('connect', () => {
  socket.write(JSON.stringify({ prompt: process.argv[2] ?? '', hint: process.env.SSH_ASKPASS_PROMPT ?? '' }) + '\\n')
})
socket.on('data', (chunk) => { text += chunk })
socket.on('error', () => process.exit(1))
socket.on('close', () => {
  let answer
  try { answer = JSON.parse(text).answer } catch {}
  if (typeof answer !== 'string') process.exit(1)
  process.stdout.write(answer + '\\n', () => process.exit(0))
})
`
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
