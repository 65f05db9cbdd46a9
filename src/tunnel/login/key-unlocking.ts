// Opens an encrypted key without holding up the host: the key derivation of OpenSSH's format takes 0.2 s, and as many
// seconds as `ssh-keygen -a` likes, so a thread of its own does it. The only door to node:worker_threads.
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { type ParseKey, readOpened, type Unlocked, whyLocked } from './key-files.ts'

type Answer = { opened: string } | { failure: string }

/** Plain text, since a thread needs JavaScript in a file or as a text, and the tests run from TypeScript. */
const THREAD = `
  const { createPrivateKey } = require('node:crypto')
  const { parentPort, workerData } = require('node:worker_threads')
  const open = ({ ssh2, text, passphrase }) => {
    if (text.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----')) {
      return createPrivateKey({ key: text, passphrase }).export({ type: 'pkcs8', format: 'pem' })
    }
    const parsed = require(ssh2).utils.parseKey(text, passphrase)
    const key = Array.isArray(parsed) ? parsed[0] : parsed
    if (key instanceof Error) throw key
    return key.getPrivatePEM()
  }
  try {
    parentPort.postMessage({ opened: open(workerData) })
  } catch (error) {
    parentPort.postMessage({ failure: String(error && error.message) })
  }
`

/**
 * The opened key goes from thread to thread as text, in memory only.
 * @throws the signal's reason, which ends the thread; the thread's own error when it cannot run.
 */
export async function unlockKey(
  text: string,
  passphrase: string,
  parse: ParseKey,
  signal: AbortSignal,
): Promise<Unlocked> {
  const answer = await inThread({ ssh2: ssh2Path(), text, passphrase }, signal)
  return 'opened' in answer ? readOpened(answer.opened, parse) : whyLocked(answer.failure)
}

function ssh2Path(): string {
  const name = typeof SSH2_MODULE === 'undefined' ? 'ssh2' : SSH2_MODULE
  return createRequire(import.meta.url).resolve(name)
}

async function inThread(workerData: Record<string, string>, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted()
  // What a thread writes would land in stdout, which is the channel to Neovim; and it needs nothing of the environment.
  const worker = new Worker(THREAD, { eval: true, workerData, stdout: true, stderr: true, env: {}, execArgv: [] })
  const over = new AbortController()
  try {
    return await new Promise<Answer>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal })
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('the thread that opens a key ended without a word')))
    })
  } finally {
    over.abort()
    await worker.terminate()
  }
}
