// How late the machine itself is: a thread that does nothing but wait for 10 ms again and again, beside what is measured.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

const EVERY_MS = 10

const WAIT = `
  const { monitorEventLoopDelay } = require('node:perf_hooks')
  const { parentPort } = require('node:worker_threads')
  const seen = monitorEventLoopDelay({ resolution: ${EVERY_MS} })
  seen.enable()
  parentPort.on('message', () => {
    parentPort.postMessage(seen.max / 1e6)
    seen.reset()
  })`

export class Lateness {
  readonly #thread = new Worker(WAIT, { eval: true })

  /** @returns by how many milliseconds it was woken too late, at the most, since it was asked last */
  async most(): Promise<number> {
    const answer = once(this.#thread, 'message')
    this.#thread.postMessage('')
    const [ms] = (await answer) as [number]
    return Math.max(0, ms - EVERY_MS)
  }

  async stop(): Promise<void> {
    await this.#thread.terminate()
  }
}
