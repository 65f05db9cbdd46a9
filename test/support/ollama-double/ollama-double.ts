/** A scripted Ollama server on the loopback address: the door of the double. Routes and answers live beside it. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Shape } from './ask.ts'
import type { Pace } from './behaviour.ts'
import type { Published } from './blobs.ts'
import { Connections } from './connections.ts'
import { Engine, type Script } from './engine.ts'
import { ClientGone, departureOf, parseBody, type RecordedRequest, readBody } from './exchange.ts'
import { displayName, type ModelDefinition } from './models.ts'
import { engineOptions, type OllamaDoubleOptions } from './options.ts'
import type { PullScript } from './pull-script.ts'
import { failure, send } from './reply.ts'
import { answerRequest } from './routes.ts'
import { Watch } from './watch.ts'

const LOOPBACK = '127.0.0.1'

export async function startOllamaDouble(options: OllamaDoubleOptions = {}): Promise<OllamaDouble> {
  const double = new OllamaDouble(options)
  await double.comeUp()
  return double
}

export class OllamaDouble {
  readonly #watch = new Watch()
  readonly #connections = new Connections(this.#watch.changed)
  readonly #requests: RecordedRequest[] = []
  readonly #engine: Engine
  readonly #server: Server
  #port: number

  /** Use `startOllamaDouble`. */
  constructor(options: OllamaDoubleOptions) {
    this.#engine = new Engine(engineOptions(options), this.#watch.changed)
    this.#port = options.port ?? 0
    this.#server = createServer((incoming, response) => this.#serve(incoming, response))
    // Go's server, as Ollama sets it up, never closes a connection by itself.
    Object.assign(this.#server, { timeout: 0, keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 })
    this.#server.on('connection', (socket) => this.#connections.add(socket))
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://${LOOPBACK}:${this.#port}`
  }

  /** What `/api/version` tells; also decides between 404 and 405 for a wrong method. */
  get version(): string {
    return this.#engine.version
  }

  set version(version: string) {
    this.#engine.version = version
  }

  get models(): readonly ModelDefinition[] {
    return this.#engine.models
  }

  set models(models: readonly ModelDefinition[]) {
    this.#engine.models = models
  }

  /** Every request that was wholly read, in order of arrival. */
  get requests(): readonly RecordedRequest[] {
    return this.#requests
  }

  get connections(): { readonly open: number; readonly total: number } {
    return { open: this.#connections.open, total: this.#connections.total }
  }

  /** Chat and generate requests that hold a slot: loading, reading the prompt or answering. */
  get activeGenerations(): number {
    return this.#engine.active
  }

  /** Chat and generate requests that wait for a slot. */
  get queuedGenerations(): number {
    return this.#engine.queued
  }

  /** How many of them were ended by the closed connection, in whatever stage. */
  get cancelled(): number {
    return this.#engine.cancelled
  }

  /** Scripts the next chat (or generate) request; several are used in order, each once. */
  script(script: Script, shape: Shape = 'chat'): void {
    this.#engine.script(script, shape)
  }

  /** Scripts all requests for which no one-shot script waits. */
  scriptAll(script: Script): void {
    this.#engine.fallback = script
  }

  /** Has the registry behind the double give this under the model's name from now on. */
  publish(model: ModelDefinition, version: Partial<Published> = {}): void {
    this.#engine.blobs.publish(model, version)
  }

  /** Scripts the next pull of this model; several are used in order, each once. */
  scriptPull(name: string, script: PullScript): void {
    this.#engine.pulls.script(displayName(name), script)
  }

  get activePulls(): number {
    return this.#engine.pulls.active
  }

  /** How many pulls were ended by the closed connection. */
  get abortedPulls(): number {
    return this.#engine.pulls.aborted
  }

  setPace(pace: Partial<Pace>): void {
    this.#engine.pace = { ...this.#engine.pace, ...pace }
  }

  /** Waits for a state; looked at now and after each change. Rejects when the double stops. */
  waitUntil(condition: () => boolean): Promise<void> {
    return this.#watch.until(() => condition() || undefined).then(() => {})
  }

  /** The first request that fits, among those already there from index `from` on or yet to come. */
  waitForRequest(predicate: (request: RecordedRequest) => boolean, from = 0): Promise<RecordedRequest> {
    return this.#watch.until(() => this.#requests.slice(from).find(predicate))
  }

  /** Resolves when at least `count` generations, since the start, were ended by a closed connection. */
  waitForDisconnect(count = 1): Promise<void> {
    return this.waitUntil(() => this.cancelled >= count)
  }

  /** Resolves when no generation runs or waits. */
  waitForIdle(): Promise<void> {
    return this.waitUntil(() => this.activeGenerations === 0 && this.queuedGenerations === 0)
  }

  /** Resets every open connection (RST); the port goes on listening. */
  killConnections(): void {
    this.#connections.resetAll()
  }

  /** Closes the port and all connections: the next attempt is refused. */
  async goDown(): Promise<void> {
    if (!this.#server.listening) return
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#connections.destroyAll()
    })
  }

  /** Listens again on the same port. */
  async comeUp(): Promise<void> {
    if (this.#server.listening) return
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, LOOPBACK, () => {
        this.#server.removeListener('error', reject)
        resolve()
      })
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Ends everything; whoever still waits for a state is rejected. */
  async stop(): Promise<void> {
    await this.goDown()
    this.#engine.residency.close()
    this.#watch.close(new Error('the Ollama double was stopped'))
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const connectionId = this.#connections.idOf(incoming.socket)
    const gone = departureOf(response)
    try {
      const { body, bodyError } = parseBody(await readBody(incoming))
      const { method = 'GET', headers } = incoming
      const [path = '/'] = (incoming.url ?? '/').split('?', 1)
      const request = { method, path, headers, body, at: this.#engine.options.clock.now(), connectionId }
      this.#requests.push(request)
      this.#watch.changed()
      await answerRequest(this.#engine, { request, response, gone, bodyError })
    } catch (cause) {
      if (gone.aborted || cause instanceof ClientGone) return
      send(response, failure(500, `the double failed: ${cause instanceof Error ? cause.message : String(cause)}`))
    }
  }
}
