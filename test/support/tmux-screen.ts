// A program in a real tmux that somebody looks at: a second tmux is the terminal in which the first one is attached.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { run, runOrThrow } from '../../scripts/provision/command.ts'

const PATIENCE_MS = 10_000
/** Between two looks: tmux tells nobody when its screen changes. */
const LOOK_AGAIN_MS = 20

export interface TmuxOptions {
  command: readonly string[]
  env: Record<string, string>
  /** Whether nobody is to look at it: it has no client then, and no popups. */
  isDetached?: boolean
  columns?: number
  rows?: number
}

/** Starts the command in a tmux of its own socket. Its environment is what is given, and PATH and HOME. */
export async function startInTmux(tmux: string, options: TmuxOptions): Promise<TmuxScreen> {
  const folder = mkdtempSync(join(tmpdir(), 'tmux-'))
  const screen = new TmuxScreen(tmux, folder)
  await screen.start(options)
  return screen
}

export class TmuxScreen {
  readonly #tmux: string
  #seen: 'inner' | 'outer' = 'outer'
  /** Temporary, for both sockets and whatever a test wants to keep there. */
  readonly folder: string

  constructor(tmux: string, folder: string) {
    this.#tmux = tmux
    this.folder = folder
  }

  async start({ command, env, isDetached = false, columns = 100, rows = 30 }: TmuxOptions): Promise<void> {
    const size = ['-x', String(columns), '-y', String(rows)]
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
    // The command gets the PATH of whoever starts it, whatever is said of the session's.
    await this.#run('inner', ['new-session', '-d', ...size, ...variables, ...command], env)
    await this.#run('inner', ['set-option', '-g', 'status', 'off'])
    this.#seen = isDetached ? 'inner' : 'outer'
    if (isDetached) return
    await this.#run('outer', [
      'new-session',
      '-d',
      ...size,
      '-e',
      'TMUX=',
      this.#tmux,
      '-S',
      this.#socket('inner'),
      'attach',
    ])
    await this.#run('outer', ['set-option', '-g', 'status', 'off'])
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#run(this.#seen, ['send-keys', '-l', '--', text])
  }

  /** Presses keys by tmux's names, as `Enter` or `C-d`. */
  async press(...keys: string[]): Promise<void> {
    await this.#run(this.#seen, ['send-keys', ...keys])
  }

  /** Gives the tmux in which the command runs one of its own commands. */
  async tell(...command: string[]): Promise<void> {
    await this.#run('inner', command)
  }

  /** What a person sees. */
  async screen(): Promise<string> {
    return runOrThrow(this.#tmux, this.#arguments(this.#seen, ['capture-pane', '-p']), { environment: { TMUX: '' } })
  }

  async waitFor(wanted: RegExp): Promise<string> {
    const deadline = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const screen = await this.screen()
      if (wanted.test(screen)) return screen
      if (deadline.aborted) throw new Error(`this never came: ${wanted}\nThe screen was:\n${screen}`)
      await pause(LOOK_AGAIN_MS)
    }
  }

  async end(): Promise<void> {
    for (const which of ['outer', 'inner'] as const) await run(this.#tmux, this.#arguments(which, ['kill-server']))
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #socket(which: 'inner' | 'outer'): string {
    return join(this.folder, which)
  }

  #arguments(which: 'inner' | 'outer', args: readonly string[]): string[] {
    return ['-f', '/dev/null', '-S', this.#socket(which), ...args]
  }

  async #run(which: 'inner' | 'outer', args: readonly string[], env: Record<string, string> = {}): Promise<void> {
    const environment = { TMUX: '', TERM: 'screen-256color', LC_ALL: 'C.UTF-8', ...env }
    await runOrThrow(this.#tmux, this.#arguments(which, args), { environment })
  }
}
