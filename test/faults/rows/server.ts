// Faults behind a tunnel that is well: Ollama down, dying, busy, or not Ollama at all.
import { createServer } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Fault } from '../fault.ts'
import { startFullBacklog } from '../full-backlog.ts'
import { besideAnother, turnToAnother } from './another-server.ts'

const BUSY = 'server busy, please try again.  maximum pending requests exceeded'
const PAGE = 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<h1>Welcome</h1'

/** Something at a port that is not Ollama; it ends with the test. */
async function startWebServer(): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(PAGE))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

export const serverFaults: readonly Fault[] = [
  {
    name: 'channel that is never confirmed',
    how: "Ollama's port drops each SYN of the sshd",
    moment: 'first prompt',
    codes: ['SSH_CHANNEL_ERROR'],
    within: 15,
    world: async (stage) => besideAnother(stage, { url: `http://127.0.0.1:${(await startFullBacklog()).port}` }),
    strike: () => {},
    mend: turnToAnother,
  },
  {
    name: 'Ollama is not running',
    how: 'nothing listens on its port',
    moment: 'first prompt',
    codes: ['API_UNAVAILABLE'],
    within: 3,
    strike: ({ world }) => world.ollama.goDown(),
    mend: ({ world }) => world.ollama.comeUp(),
  },
  {
    name: 'Ollama stopped while idle',
    how: 'its connections are closed, and nothing listens any more',
    moment: 'idle, then a prompt',
    codes: ['API_UNAVAILABLE'],
    within: 3,
    strike: ({ world }) => world.ollama.goDown(),
    mend: ({ world }) => world.ollama.comeUp(),
  },
  {
    name: 'Ollama restarted under a living tunnel',
    how: 'its connections are closed, and it listens again',
    moment: 'idle, then a prompt',
    codes: [],
    within: 1,
    strike: async ({ world }) => {
      await world.ollama.goDown()
      await world.ollama.comeUp()
    },
  },
  {
    name: 'Ollama killed in mid-answer',
    how: 'its connections are closed, and nothing listens until the mend',
    moment: 'in mid-answer',
    codes: ['API_INCOMPLETE'],
    within: 1,
    strike: ({ world }) => world.ollama.goDown(),
    mend: ({ world }) => world.ollama.comeUp(),
  },
  {
    name: 'Ollama crashed in mid-answer, and back at once',
    how: 'RST to its connections; its port listens on',
    moment: 'in mid-answer',
    codes: ['API_INCOMPLETE'],
    within: 1,
    strike: ({ world }) => world.ollama.killConnections(),
  },
  {
    name: 'the model dies in mid-answer',
    how: 'a line with an error in place of the next words',
    moment: 'in mid-answer',
    codes: ['API_ERROR'],
    within: 1,
    behaviour: { pieces: ['Half an ', 'answer '], ending: 'error-line', errorText: 'the runner died' },
    strike: ({ world }) => world.step(),
  },
  {
    name: 'Ollama falls silent in mid-answer',
    how: 'no more words come, and the user presses <C-c>',
    moment: 'in mid-answer',
    codes: [],
    words: /stopped/,
    within: 1,
    strike: () => {},
    gestures: ({ world }) => world.nvim.type('<C-c>'),
  },
  {
    name: 'Ollama is busy',
    how: 'HTTP 503',
    moment: 'first prompt',
    codes: ['API_RATE_LIMITED'],
    within: 3,
    strike: ({ world }) => world.ollama.script({ refusal: { status: 503, error: BUSY, from: 'handler' } }),
  },
  {
    name: 'model that is not there',
    how: 'HTTP 404',
    moment: 'first prompt',
    codes: ['API_INVALID_MODEL'],
    within: 3,
    world: () => ({ setup: { default_model: 'gpu:nowhere' } }),
    strike: () => {},
    mend: ({ world }) => world.nvim.command('Ollama model gpu:plain:latest'),
  },
  {
    name: 'something else than Ollama on its port',
    how: 'a web page as the answer',
    moment: 'first prompt',
    codes: ['API_PROTOCOL'],
    within: 3,
    world: async (stage) => besideAnother(stage, { url: await startWebServer() }),
    strike: () => {},
    mend: turnToAnother,
  },
]
