// The bench's end of the far side's process.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { PROJECT_ROOT } from '../scripts/project-root.ts'
import type { BackendCall, BackendReply, Served, Speed } from './backend-calls.ts'
import type { Distance } from './delay-proxy.ts'
import type { Plan } from './text.ts'

type Waiting = { resolve(value: unknown): void; reject(error: Error): void }

/** Starts the process; resolves when its server listens. */
export async function startBackend(): Promise<Backend> {
  const child = fork(join(PROJECT_ROOT, 'scripts/run.mjs'), [join(PROJECT_ROOT, 'bench/backend.ts')], {
    serialization: 'advanced',
  })
  const backend = new Backend(child)
  await backend.ready
  return backend
}

export class Backend {
  readonly ready: Promise<unknown>
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #port = 0

  constructor(child: ChildProcess) {
    this.#child = child
    this.ready = this.#wait(0).then((value) => {
      this.#port = (value as { port: number }).port
    })
    child.on('message', (message: BackendReply) => this.#receive(message))
    child.on('exit', () => this.#fail(new Error("the bench's server process ended early")))
  }

  /** Where the Ollama double listens. */
  get port(): number {
    return this.#port
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  async answerWith(plan: Plan, speed: Speed): Promise<void> {
    await this.#ask({ kind: 'answer-with', plan, speed })
  }

  /** What the server saw of the last prompt that was answered with the plan of this label. */
  async served(label: string): Promise<Served | undefined> {
    return (await this.#ask({ kind: 'served', label })) as Served | undefined
  }

  async proxy(distance: Distance): Promise<number> {
    return (await this.#ask({ kind: 'proxy', distance })) as number
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.removeAllListeners('exit')
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  #ask(call: BackendCall): Promise<unknown> {
    this.#lastId += 1
    this.#child.send({ id: this.#lastId, call })
    return this.#wait(this.#lastId)
  }

  #wait(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  #receive(message: BackendReply): void {
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if ('error' in message) waiting?.reject(new Error(message.error))
    else waiting?.resolve(message.value)
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
