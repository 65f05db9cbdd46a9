// A real Neovim with a real screen, driven by a person's gestures. What is on the screen is grid.ts's.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attach, type NeovimClient } from 'neovim'
import { Grid, type RedrawEvent } from './grid.ts'

/** A Neovim's binary and what its environment needs, as scripts/provision finds them. */
export type NeovimBinary = { path: string; environment: Record<string, string> }

export interface DriverOptions {
  /** Lua that runs before the plugin is loaded, as a user's init.lua. */
  init?: string
  /** Script of a host to be started in place of the built one. */
  host?: string
  env?: Record<string, string>
  columns?: number
  rows?: number
  /** Arguments for Neovim, as files to open. */
  args?: string[]
  /** In place of a new temporary folder; it stays when Neovim ends, for the next one. */
  folder?: string
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PATIENCE_MS = 15_000
/** Between two looks at something that makes no redraw event. */
const LOOK_AGAIN_MS = 10

const nothing = () => {}
// node-client's own logger is winston, which takes the console away from the tests.
const logger = { level: 'error', info: nothing, warn: nothing, debug: nothing, error: nothing }

/** Starts a Neovim with the plugin; it draws at once. */
export async function startNeovim(binary: NeovimBinary, options: DriverOptions = {}): Promise<NeovimDriver> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'ollama-remote-nvim-'))
  const initFile = join(folder, 'init.lua')
  writeFileSync(initFile, options.init ?? '')
  const child = spawn(binary.path, argumentsFor(initFile, options), {
    cwd: ROOT,
    env: environmentFor(folder, binary, options),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const driver = new NeovimDriver(child, folder, options.folder !== undefined)
  await driver.attachScreen(options.columns ?? 100, options.rows ?? 30)
  return driver
}

function argumentsFor(initFile: string, options: DriverOptions): string[] {
  // What lists are shown with must not depend on what is installed here.
  const lists = "let g:ollama_remote = #{ picker: 'select' }"
  const commands = [`lua vim.opt.runtimepath:prepend([[${ROOT}]])`, lists, `luafile ${initFile}`]
  return ['--clean', '-n', '--embed', ...commands.flatMap((command) => ['--cmd', command]), ...(options.args ?? [])]
}

function environmentFor(folder: string, binary: NeovimBinary, options: DriverOptions): NodeJS.ProcessEnv {
  const { NVIM: _outer, NVIM_APPNAME: _name, ...inherited } = process.env
  return {
    ...inherited,
    XDG_CONFIG_HOME: join(folder, 'config'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_RUNTIME_DIR: folder,
    NVIM_LOG_FILE: join(folder, 'nvim.log'),
    ...(options.host === undefined ? {} : { OLLAMA_REMOTE_BUNDLE: options.host }),
    ...binary.environment,
    ...options.env,
  }
}

export class NeovimDriver {
  readonly #child: ChildProcess
  readonly #client: NeovimClient
  readonly #grid = new Grid()
  readonly #watchers = new Set<() => void>()
  readonly #exited: Promise<number | null>
  /** Its own temporary folder: configuration, state and logs are in it. */
  readonly folder: string
  #hasExited = false
  readonly #keepsFolder: boolean

  constructor(child: ChildProcess, folder: string, keepsFolder = false) {
    this.#child = child
    this.#keepsFolder = keepsFolder
    this.folder = folder
    // A Neovim that ends while something is written to it; the request fails by that end.
    child.stdin?.on('error', nothing)
    this.#client = attach({ proc: child, options: { logger: logger as never } })
    this.#client.on('notification', (name: string, events: RedrawEvent[]) => {
      if (name === 'redraw' && this.#grid.take(events)) this.#look()
    })
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code) => {
        this.#hasExited = true
        resolve(code)
        this.#look()
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get cursor(): { row: number; column: number } {
    return this.#grid.cursor
  }

  async attachScreen(columns: number, rows: number): Promise<void> {
    await this.#client.request('nvim_ui_attach', [columns, rows, { ext_linegrid: true, rgb: true }])
  }

  /** Types keys as a person does, in Neovim's notation. Resolves when they are queued, not when they have worked. */
  async type(keys: string): Promise<void> {
    await this.#request('nvim_input', [keys])
  }

  /** Runs an Ex command; its error rejects. */
  async command(command: string): Promise<void> {
    await this.#request('nvim_command', [command])
  }

  /** Runs Lua and gives its value; handles of buffers and windows must be returned as numbers. */
  async lua<Value = unknown>(code: string, ...args: unknown[]): Promise<Value> {
    return (await this.#request('nvim_exec_lua', [code, args])) as Value
  }

  /** The whole screen as text. */
  screen(): string {
    return this.#grid.text()
  }

  /** The whole screen as it is drawn, colours included. */
  get grid(): Pick<Grid, 'cells' | 'highlights'> {
    return this.#grid
  }

  /** Resolves with the screen once it is as wanted. */
  async waitForScreen(wanted: RegExp | ((screen: string) => boolean), patienceMs = PATIENCE_MS): Promise<string> {
    const fits = typeof wanted === 'function' ? wanted : (screen: string) => wanted.test(screen)
    const deadline = AbortSignal.timeout(patienceMs)
    while (!fits(this.screen())) {
      if (this.#hasExited || deadline.aborted) throw this.#disappointed(String(wanted))
      await this.#nextChange(deadline)
    }
    return this.screen()
  }

  /** Resolves with the first truthy value that the Lua chunk gives. */
  async waitForLua<Value = unknown>(code: string, ...args: unknown[]): Promise<Value> {
    const deadline = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const value = await this.lua<Value>(code, ...args)
      if (value) return value
      if (this.#hasExited || deadline.aborted) throw this.#disappointed(code)
      await this.#nextChange(AbortSignal.any([deadline, AbortSignal.timeout(LOOK_AGAIN_MS)]))
    }
  }

  /** What `:messages` shows. */
  async messages(): Promise<string> {
    const { output } = (await this.#request('nvim_exec2', ['messages', { output: true }])) as { output: string }
    return output
  }

  /** Kills Neovim as a crash does: nothing of it gets to tidy up. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
    await this.#removeFolder()
  }

  /** Quits as `:qa!` does, and resolves with the milliseconds that took. */
  async quit(): Promise<number> {
    const start = performance.now()
    if (!this.#hasExited) {
      this.#client.request('nvim_command', ['qa!']).catch(nothing)
      const tooLate = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS)
      await this.#exited
      clearTimeout(tooLate)
    }
    await this.#removeFolder()
    return performance.now() - start
  }

  /** Resolves when Neovim has ended by itself. */
  async exited(): Promise<number | null> {
    return await this.#exited
  }

  /** A Neovim that waits for a key answers nothing, and must not make the test wait for ever. */
  async #request(method: string, args: unknown[]): Promise<unknown> {
    const deadline = AbortSignal.timeout(PATIENCE_MS)
    let answer: { value: unknown } | { error: unknown } | undefined
    this.#client.request(method, args).then(
      (value) => {
        answer = { value }
        this.#look()
      },
      (error) => {
        answer = { error }
        this.#look()
      },
    )
    while (!answer) {
      if (this.#hasExited || deadline.aborted) throw this.#disappointed(`an answer to ${method} ${String(args[0])}`)
      await this.#nextChange(deadline)
    }
    if ('error' in answer) throw answer.error instanceof Error ? answer.error : new Error(String(answer.error))
    return answer.value
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  /** Resolves at the next whole screen, at Neovim's end, or when the signal is aborted. */
  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#watchers.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#watchers.add(done)
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
    })
  }

  #disappointed(wanted: string): Error {
    const why = this.#hasExited ? 'Neovim ended before' : 'the time was over before'
    return new Error(`${why} this came true: ${wanted}\nThe screen was:\n${this.screen()}`)
  }

  /** Its host may still be writing there what its chats hold. */
  async #removeFolder(): Promise<void> {
    if (this.#keepsFolder) return
    await rm(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 })
  }
}
