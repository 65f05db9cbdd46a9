// A real Neovim with the plugin, a screen attached, and the probe inside. Unlike the tests' driver it does not look at the
// screen, which would cost what is measured. What is done with it is the scenarios' business.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { attach, type NeovimClient } from 'neovim'
import { PROJECT_ROOT } from '../scripts/project-root.ts'
import type { Neovim } from '../scripts/provision/neovim.ts'
import { neovimArguments, neovimEnvironment, type World } from '../scripts/try/world.ts'
import type { UserConfig } from '../src/config/schema.ts'
import { monotonic } from './monotonic.ts'

export interface EditorOptions {
  nvim: Neovim
  folder: string
  setup: UserConfig
  /** Besides what such a Neovim finds there. */
  environment?: Readonly<Record<string, string>>
}

type Waiting = { resolve(value: unknown): void; reject(why: string): void }

const SCREEN = { columns: 160, rows: 45 }
/** Whatever is waited for longer than this does not come. */
const PATIENCE_MS = 60_000
const END_PATIENCE_MS = 5_000

/** Starts Neovim; resolves when it has sourced everything and takes keys. */
export async function startEditor({ nvim, folder, setup, environment }: EditorOptions): Promise<Editor> {
  const world: World = { setup, description: 'the bench', stop: async () => {} }
  const args = [...neovimArguments(setup), '--embed']
  const child = spawn(nvim.path, args, { env: { ...neovimEnvironment({ nvim, folder, world }), ...environment } })
  const editor = new Editor(child)
  try {
    await editor.prepare()
    return editor
  } catch (error) {
    await editor.stop()
    throw error
  }
}

export class Editor {
  readonly pid: number
  readonly #child: ChildProcessWithoutNullStreams
  readonly #client: NeovimClient
  readonly #waiting = new Map<string, Waiting>()
  readonly #said: string[] = []
  #calls = 0

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.pid = child.pid ?? -1
    child.stdin.on('error', () => {})
    child.stderr.on('data', (chunk: Buffer) => this.#said.push(String(chunk)))
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject('Neovim ended')
    })
    this.#client = attach({ reader: child.stdout, writer: child.stdin, options: { logger: quiet as never } })
    this.#client.on('notification', (method: string, args: unknown[]) => this.#hear(method, args))
  }

  async prepare(): Promise<void> {
    const screen = { ext_linegrid: true, rgb: true }
    await this.#client.request('nvim_ui_attach', [SCREEN.columns, SCREEN.rows, screen])
    await this.lua(PREPARE, join(PROJECT_ROOT, 'bench/probe.lua'), await this.#client.channelId)
  }

  /** Runs Lua, in which `Bench` is the probe, and answers what it returns. */
  lua<Value = unknown>(code: string, ...args: unknown[]): Promise<Value> {
    this.#calls += 1
    const name = `call ${this.#calls}`
    const answer = this.told<Value>(name)
    this.#client.request('nvim_exec_lua', [code, args]).then(
      (value) => this.#waiting.get(name)?.resolve(value),
      (error: unknown) => this.#waiting.get(name)?.reject(String(error)),
    )
    return answer
  }

  /** Types keys; answers the moment at which they were sent. */
  input(keys: string): number {
    const at = monotonic()
    this.#client.request('nvim_input', [keys]).catch(() => {})
    return at
  }

  /** The next `Bench.tell(name, value)` of the Lua side. @throws Error with what Neovim said when it does not come. */
  told<Value = unknown>(name: string): Promise<Value> {
    const coming = new Promise<Value>((resolve, reject) => {
      const fail = (why: string) => {
        this.#waiting.delete(name)
        reject(new Error(`${why} before "${name}": ${this.lastWords()}`))
      }
      const timer = setTimeout(() => fail('nothing came for too long'), PATIENCE_MS)
      const settle = (act: () => void) => {
        clearTimeout(timer)
        this.#waiting.delete(name)
        act()
      }
      this.#waiting.set(name, {
        resolve: (value) => settle(() => resolve(value as Value)),
        reject: (why) => settle(() => fail(why)),
      })
    })
    // It may fail before anybody awaits it.
    coming.catch(() => {})
    return coming
  }

  /** What Neovim said last: its messages and errors. */
  lastWords(): string {
    return this.#said.slice(-3).join(' | ')
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const tooLate = setTimeout(() => this.#child.kill('SIGKILL'), END_PATIENCE_MS)
    await ended
    clearTimeout(tooLate)
  }

  #hear(method: string, args: unknown[]): void {
    if (method !== 'bench') return
    const [name, value] = args as [string, unknown]
    if (name === 'said') this.#said.push(String(value))
    this.#waiting.get(name)?.resolve(value)
  }
}

const PREPARE = `
  local path, channel = ...
  Bench = dofile(path)
  Bench.tell = function(name, value) vim.rpcnotify(channel, 'bench', name, value) end
  vim.notify = function(message) Bench.tell('said', message) end
  vim.api.nvim_create_autocmd('User', {
    pattern = 'OllamaRequestFinished',
    callback = function(event) Bench.tell('finished', event.data) end,
  })
`

const quiet = { level: 'error', info() {}, debug() {}, warn() {}, error() {} }
