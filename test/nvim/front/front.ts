// The Lua front before a fake host: what the tests of this folder share. The host's script is test/fixtures/fake-host.cjs.
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { type DriverOptions, type NeovimBinary, type NeovimDriver, startNeovim } from '../../support/nvim-driver.ts'

const FAKE_HOST = fileURLToPath(new URL('../../fixtures/fake-host.cjs', import.meta.url))

/** One thing that the fake host is made to do: a verb and its arguments. */
export type Step = [name: string, ...args: unknown[]]

export interface FrontOptions extends Omit<DriverOptions, 'host'> {
  /** The fake host's script. */
  script?: Record<string, unknown>
  host?: string
}

export class Front {
  readonly nvim: NeovimDriver

  constructor(nvim: NeovimDriver) {
    this.nvim = nvim
  }

  /** Opens the chat and waits until the host knows it. */
  async open(): Promise<void> {
    await this.nvim.type(' oo')
    await this.nvim.waitForLua(`return ${CHAT} and ${CHAT}.known`)
  }

  /** Types a prompt and sends it. The cursor must be in the prompt, in normal mode. */
  async send(text: string): Promise<void> {
    await this.nvim.type(`i${text.replaceAll('<', '<LT>')}<Esc><CR>`)
  }

  /** Has the host perform verbs, and resolves when all of them were answered. */
  async perform(...steps: Step[]): Promise<void> {
    const before = await this.#performed()
    await this.tellHost('fake.do', { steps })
    await this.nvim.waitForLua('return (_G.fake_done or 0) > ...', before)
  }

  /** Sends a request to the host past the front's own table, as only tests may. */
  async tellHost(method: string, params: unknown): Promise<void> {
    await this.nvim.lua(TELL_HOST, method, params)
  }

  /** The parameters of all requests of a method that reached a host. */
  async requests<Params = Record<string, unknown>>(method: string): Promise<Params[]> {
    const rows = await this.nvim.lua<[string, Params][]>(
      `local method = ...
       return vim.tbl_filter(function(row) return row[1] == method end, _G.fake_requests or {})`,
      method,
    )
    return rows.map(([, params]) => params)
  }

  /** Resolves with the requests of a method once there are so many. */
  async waitForRequests<Params = Record<string, unknown>>(method: string, count = 1): Promise<Params[]> {
    await this.nvim.waitForLua(
      `local method, count = ...
       return #vim.tbl_filter(function(row) return row[1] == method end, _G.fake_requests or {}) >= count`,
      method,
      count,
    )
    return this.requests<Params>(method)
  }

  async waitForPhase(phase: string): Promise<void> {
    await this.nvim.waitForLua(`return ${CHAT}.state.phase == ...`, phase)
  }

  /** Waits for the end of an answer. */
  async waitForEnd(ended = 'done'): Promise<void> {
    await this.nvim.waitForLua(`return ${CHAT}.state.phase == 'idle' and ${CHAT}.state.ended == ...`, ended)
  }

  /** Sends a prompt whose answer stands still after its first word, until it is stopped or woken. */
  async sendHeld(): Promise<void> {
    await this.send('hold this')
    await this.nvim.waitForLua(`return ${CHAT}.partial and ${CHAT}.state.phase == 'writing'`)
  }

  lines(part: 'transcript' | 'prompt'): Promise<string[]> {
    return this.nvim.lua(`return vim.api.nvim_buf_get_lines(${CHAT}.buffers[...], 0, -1, false)`, part)
  }

  async promptText(): Promise<string> {
    return (await this.lines('prompt')).join('\n')
  }

  /** Line and column of a window's cursor, the line from 1. */
  cursor(part: 'transcript' | 'prompt'): Promise<[number, number]> {
    return this.nvim.lua(`return vim.api.nvim_win_get_cursor(${CHAT}.windows[...])`, part)
  }

  /** The screen lines of the transcript's window. */
  async transcriptScreen(): Promise<string> {
    const [row, height, column] = await this.nvim.lua<[number, number, number]>(
      `local window = ${CHAT}.windows.transcript
       local position = vim.api.nvim_win_get_position(window)
       return { position[1], vim.api.nvim_win_get_height(window), position[2] }`,
    )
    const lines = this.nvim.screen().split('\n')
    return lines
      .slice(row, row + height)
      .map((line) => line.slice(column))
      .join('\n')
  }

  async #performed(): Promise<number> {
    return this.nvim.lua('return _G.fake_done or 0')
  }
}

export const CHAT = "require('ollama-remote.chats').current()"

const TELL_HOST = `
  local method, params = ...
  for _, channel in ipairs(vim.api.nvim_list_chans()) do
    if channel.stream == 'job' then
      vim.rpcnotify(channel.id, 'request', 0, method, params)
    end
  end`

/** Starts a Neovim with the front and a fake host; it ends with the test. */
export async function startFront(binary: NeovimBinary, options: FrontOptions = {}): Promise<Front> {
  const { script = {}, host = FAKE_HOST, ...rest } = options
  const nvim = await startNeovim(binary, {
    ...rest,
    host,
    init: `vim.g.mapleader = ' '\n${options.init ?? ''}`,
    env: { FAKE_HOST: JSON.stringify(script), ...options.env },
  })
  onTestFinished(async () => {
    await nvim.quit()
  })
  return new Front(nvim)
}
