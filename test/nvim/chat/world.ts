// A whole world for one test: a real Neovim, the built host, a real sshd, and the double of Ollama behind it.
// Not here: the gestures that need no host of ours (front.ts), what is on the screen (grid.ts).
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import type { Openssh } from '../../../scripts/provision/openssh.ts'
import type { Turn } from '../../../src/chat/record/conversation.ts'
import { parse } from '../../../src/chat/transcript/format.ts'
import type { UserConfig } from '../../../src/config/schema.ts'
import { type DriverOptions, type NeovimBinary, startNeovim } from '../../support/nvim-driver.ts'
import { INSTANT_PACE } from '../../support/ollama-double/behaviour.ts'
import type { RecordedRequest } from '../../support/ollama-double/exchange.ts'
import { type ManualClock, manualClock } from '../../support/ollama-double/manual-clock.ts'
import { defineModel } from '../../support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../../support/ollama-double/ollama-double.ts'
import type { OllamaDoubleOptions } from '../../support/ollama-double/options.ts'
import { isAlive } from '../../support/process-tree.ts'
import { type Sshd, type SshdOptions, startSshd } from '../../support/sshd.ts'
import { CHAT, Front } from '../front/front.ts'

export { CHAT }

/** A model that thinks, and one that does not. */
export const MODELS = [
  defineModel({ name: 'thinker:8b', family: 'qwen3', capabilities: ['completion', 'tools', 'thinking'] }),
  defineModel({ name: 'plain:latest' }),
]

/** Lets a piece out with each `advance` of so many milliseconds, when the double's pace is `STEPWISE`. */
export const STEP_MS = 1_000
export const STEPWISE = { tokensPerSecond: 1 } as const

export interface WorldOptions extends DriverOptions {
  /** What the user gives to setup(), beside the server `gpu`. */
  setup?: UserConfig
  /** Servers beside `gpu`. */
  more?: UserConfig['servers']
  /** In place of the server's own ssh settings; `false` dials Ollama directly. */
  ssh?: Partial<Exclude<NonNullable<NonNullable<UserConfig['servers']>[string]['ssh']>, string>> | false
  /** The text of known_hosts; by default it holds the sshd's key. */
  knownHosts?: string
  ollama?: OllamaDoubleOptions
  /** Text of ollama_config.lua. */
  configFile?: string
  /** Where the model's server listens; the double by default. */
  url?: string
}

/** One sshd for all tests of a file; `sshd()` may be called in tests and hooks only. */
export function sharedSshd(openssh: Openssh, options: Omit<SshdOptions, 'openssh'> = {}): () => Sshd {
  let sshd: Sshd | undefined
  beforeAll(async () => {
    sshd = await startSshd({ openssh, ...options })
  })
  afterAll(async () => {
    await sshd?.stop()
  })
  return () => {
    if (!sshd) throw new Error('The sshd is not started yet')
    return sshd
  }
}

/** Starts everything but the sshd; it ends with the test. */
export async function startWorld(binary: NeovimBinary, sshd: Sshd, options: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-world-'))
  const knownHosts = join(folder, 'known_hosts')
  await writeFile(knownHosts, options.knownHosts ?? `${sshd.knownHostsLine()}\n`)
  const clock = manualClock()
  const ollama = await startOllamaDouble({ models: MODELS, ...INSTANT_PACE, clock, ...options.ollama })
  const { ssh, url = ollama.url } = options
  const own = { host: sshd.host, port: sshd.port, user: sshd.user, identity_file: sshd.clientKey.path }
  const server = ssh === false ? { url } : { ssh: { ...own, known_hosts: knownHosts, ...ssh }, url }
  const setup: UserConfig = {
    servers: { gpu: server, ...options.more },
    default_model: 'gpu:thinker:8b',
    // Else each chat would have one more request than its test speaks of.
    title: 'first-line',
    ...options.setup,
  }
  const nvim = await startNeovim(binary, {
    columns: 110,
    rows: 34,
    ...options,
    // An agent of the machine's own must not be asked, and its keys must not be seen.
    env: { SSH_AUTH_SOCK: '', ...options.env },
    init: initFor(setup, options),
  })
  const world = new World({ nvim, ollama, sshd, clock, folder, knownHosts })
  onTestFinished(() => world.end())
  return world
}

function initFor(setup: UserConfig, { configFile, init = '' }: WorldOptions): string {
  const keep =
    configFile === undefined
      ? ''
      : `vim.fn.mkdir(vim.fn.stdpath('config'), 'p')
         vim.fn.writefile(vim.split([==[${configFile}]==], '\\n', { plain = true }), vim.fn.stdpath('config') .. '/ollama_config.lua')`
  return `
    vim.g.mapleader = ' '
    _G.told = {}
    vim.api.nvim_create_autocmd('User', { pattern = { 'OllamaRequestStarted', 'OllamaRequestPhase', 'OllamaRequestFinished' }, callback = function(event)
      table.insert(_G.told, { event.match:gsub('OllamaRequest', ''), event.data })
    end })
    ${keep}
    require('ollama-remote').setup(vim.json.decode([==[${JSON.stringify(setup)}]==]))
    ${init}`
}

interface Parts {
  nvim: Front['nvim']
  ollama: OllamaDouble
  sshd: Sshd
  clock: ManualClock
  folder: string
  knownHosts: string
}

export class World extends Front {
  readonly ollama: OllamaDouble
  readonly sshd: Sshd
  /** The double's time: it stands still until it is advanced. */
  readonly clock: ManualClock
  /** A folder of the test's own. */
  readonly folder: string
  /** The file of known host keys. */
  readonly knownHosts: string
  /** Logins that the sshd had seen before this world was made. */
  readonly #loginsBefore: number
  #hasEnded = false

  constructor({ nvim, ollama, sshd, clock, folder, knownHosts }: Parts) {
    super(nvim)
    this.ollama = ollama
    this.sshd = sshd
    this.clock = clock
    this.folder = folder
    this.knownHosts = knownHosts
    this.#loginsBefore = loginsOf(sshd)
  }

  /** How many times this world has logged in to the sshd. */
  logins(): number {
    return loginsOf(this.sshd) - this.#loginsBefore
  }

  /** Asks, and waits for the whole answer. The cursor must be in the prompt, in normal mode. */
  async ask(text: string, ended = 'done'): Promise<Turn> {
    const before = await this.ends()
    await this.send(text)
    return this.ended(before, ended)
  }

  /** Asks the last question again by its key, and waits for the answer's end. The cursor must be in the prompt. */
  async askAgain(ended = 'done'): Promise<Turn> {
    const before = await this.ends()
    await this.nvim.type('<C-w>kgr<C-w>j')
    return this.ended(before, ended)
  }

  /** How many answers have ended, as autocommands were told. */
  ends(): Promise<number> {
    return this.nvim.lua(ENDS)
  }

  /** Waits for an answer's end beyond the `before` first ones; gives the last turn. */
  async ended(before: number, ended = 'done'): Promise<Turn> {
    await this.nvim.waitForLua(`${ENDS} > ...`, before)
    const state = await this.nvim.lua<{ ended?: string; error?: unknown }>(`return ${CHAT}.state`)
    if (state.ended !== ended) throw new Error(`It ended otherwise: ${JSON.stringify(state)}\n${this.nvim.screen()}`)
    return this.lastTurn()
  }

  /** What autocommands were told: name, and the data's phase and end. */
  async told(): Promise<string[]> {
    const rows = await this.nvim.lua<[string, { phase: string; ended?: string }][]>('return _G.told')
    return rows.map(([name, { phase, ended }]) => [name, phase, ...(name === 'Finished' ? [ended] : [])].join(' '))
  }

  /** Proves that the next prompt is answered. The cursor must be in the prompt, in normal mode. */
  async worksAgain(): Promise<void> {
    this.ollama.script({ loadMs: 0, pieces: ['All is ', 'well again.'], tokensPerSecond: 'unbounded' })
    const turn = await this.ask('does it work')
    if (turn.text !== 'All is well again.') throw new Error(`It answered ${JSON.stringify(turn)}`)
  }

  /** Waits until at least so many turns stand in the transcript. */
  async waitForTurns(count: number): Promise<void> {
    await this.nvim.waitForLua(`return #${CHAT}.outline.turns >= ...`, count)
  }

  /** Resolves when the double works at a chat request, be it loading the model: only then does its clock concern it. */
  async waitForWork(): Promise<void> {
    await this.ollama.waitUntil(() => this.ollama.activeGenerations > 0)
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Lets the double's next pieces out. */
  step(pieces = 1): void {
    for (let piece = 0; piece < pieces; piece++) this.clock.advance(STEP_MS)
  }

  /** The transcript's text, as a host would adopt it. */
  transcript(): Promise<string> {
    return this.nvim.lua(`return require('ollama-remote.transcript').text(${CHAT})`)
  }

  async waitForTranscript(wanted: string): Promise<void> {
    await this.nvim.waitForLua(
      `return require('ollama-remote.transcript').text(${CHAT}):find(..., 1, true) ~= nil`,
      wanted,
    )
  }

  /** The turns as they are read from the transcript's text. */
  async turns(): Promise<readonly Turn[]> {
    return parse(await this.transcript()).conversation.turns
  }

  async lastTurn(): Promise<Turn> {
    const last = (await this.turns()).at(-1)
    if (!last) throw new Error('There is no turn')
    return last
  }

  /** Bodies of all chat requests that reached the double. */
  chats(): ChatBody[] {
    return this.ollama.requests.filter(({ path }) => path === '/api/chat').map(({ body }) => body as ChatBody)
  }

  /** The next chat request, counted from 1. */
  async waitForChat(count: number): Promise<RecordedRequest> {
    await this.ollama.waitUntil(() => this.chats().length >= count)
    return this.ollama.requests.filter(({ path }) => path === '/api/chat')[count - 1] as RecordedRequest
  }

  /** The process of the host that runs now. */
  hostPid(): Promise<number> {
    return this.nvim.waitForLua(HOST_PID)
  }

  /** The host's log file. */
  async log(): Promise<string> {
    return readFileSync(await this.nvim.lua<string>("return require('ollama-remote.config').log_file()"), 'utf8')
  }

  /** Resolves when the host has written such a line to its log since the start. */
  async waitForLog(wanted: RegExp): Promise<void> {
    const deadline = AbortSignal.timeout(8_000)
    while (!wanted.test(await this.log())) {
      if (deadline.aborted) throw new Error(`No ${wanted} in the log:\n${await this.log()}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** The note under the last answer. */
  async note(): Promise<{ code: string; text: string }> {
    const { note } = await this.lastTurn()
    if (!note) throw new Error(`There is no note under\n${await this.transcript()}`)
    return note
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const host = await this.nvim.lua<number | null>(HOST_PID).catch(() => null)
    await this.nvim.quit()
    // Else it might log in to the sshd, or write into the folder, of the next test.
    if (host) await gone(host)
    await this.ollama.stop()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function loginsOf(sshd: Sshd): number {
  return sshd.log().match(/Accepted \w+ for/g)?.length ?? 0
}

const HOST_PID = "return (require('ollama-remote.rpc').info() or {}).pid"

const ENDS = `return #vim.tbl_filter(function(row) return row[1] == 'Finished' end, _G.told)`

export interface ChatBody {
  model: string
  messages: { role: string; content: string }[]
  stream: boolean
  think?: unknown
  options?: Record<string, unknown>
  keep_alive?: unknown
}

/** Resolves when a process is gone. */
export async function gone(pid: number): Promise<void> {
  const deadline = AbortSignal.timeout(15_000)
  while (isAlive(pid)) {
    if (deadline.aborted) throw new Error(`Process ${pid} lives on`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
