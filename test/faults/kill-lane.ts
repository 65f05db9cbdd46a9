// One lane of the kills: Neovims with the built host, one after the other on the same data, each killed while an answer
// streams and a person types. What was seen a second before is looked for in the journal, and then in the next Neovim.
// Not here: how much may be missing (kill-judge.ts).
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { replay } from '../../src/chat/journal/lines.ts'
import { CHAT } from '../nvim/front/front.ts'
import { type NeovimBinary, type NeovimDriver, startNeovim } from '../support/nvim-driver.ts'
import { INSTANT_PACE } from '../support/ollama-double/behaviour.ts'
import { systemClock } from '../support/ollama-double/clock.ts'
import { defineModel } from '../support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../support/ollama-double/ollama-double.ts'
import { isAlive, kill } from '../support/process-tree.ts'
import { judge, type Kept, keptOf, type Sight } from './kill-judge.ts'
import type { Random } from './random.ts'

export const VICTIMS = ['Neovim', 'the host', 'Neovim and the host'] as const

export interface KillOutcome {
  victim: (typeof VICTIMS)[number]
  /** From the oldest sight of something that is not there any more to the kill; 0 when nothing is missing. */
  lostMs: number
  /** What is wrong. */
  wrong?: string
}

const TOKENS_PER_SECOND = 25
const LOOK_EVERY_MS = 60
const PATIENCE_MS = 20_000
/** So many kills later another chat is begun, lest the first one grow without end. */
const KILLS_OF_A_CHAT = 8

/** What a person sees: the transcript, the prompt, and the prompts that wait. */
const LOOK = `
  local chat = ${CHAT}
  local pending = vim.tbl_map(function(one) return one.text end, chat.pending)
  return { require('ollama-remote.transcript').text(chat), require('ollama-remote.chat.prompt').text(chat), pending }`

export async function openKillLane(nvim: NeovimBinary, random: Random, number: number): Promise<KillLane> {
  const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-kills-'))
  const models = [defineModel({ name: 'plain:latest' })]
  const ollama = await startOllamaDouble({ models, ...INSTANT_PACE, clock: systemClock })
  return new KillLane({ nvim, random, folder, ollama, number })
}

interface Parts {
  nvim: NeovimBinary
  random: Random
  folder: string
  ollama: OllamaDouble
  number: number
}

export class KillLane {
  readonly #parts: Parts
  #nvim: NeovimDriver | undefined
  #host = 0
  #kills = 0
  #words = 0

  /** Use `openKillLane`. */
  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Types and streams for a while, kills, and looks for what was there. */
  async kill(): Promise<KillOutcome> {
    const victim = this.#parts.random.pick(VICTIMS)
    const nvim = this.#nvim ?? (await this.#start())
    this.#host = await nvim.waitForLua<number>("return (require('ollama-remote.rpc').info() or {}).pid")
    const { sights, at } = await this.#live(nvim, victim)
    const inJournal = judge({ sights, at, kept: await this.#written() })
    if (victim !== 'the host') this.#nvim = undefined
    const recovered = judge({ sights, at, kept: await this.#recovered(victim) })
    await this.#tidy()
    const wrong = inJournal.wrong ?? recovered.wrong
    const lostMs = Math.max(inJournal.lostMs, recovered.lostMs)
    return { victim, lostMs, ...(wrong === undefined ? {} : { wrong: `${victim}: ${wrong}` }) }
  }

  async close(): Promise<void> {
    await this.#nvim?.quit()
    await this.#parts.ollama.stop()
    await rm(this.#parts.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async #start(): Promise<NeovimDriver> {
    const { nvim, folder, ollama } = this.#parts
    const setup = {
      servers: { gpu: { url: ollama.url } },
      default_model: 'gpu:plain:latest',
      title: 'first-line',
      // What comes after a kill is not to be mixed with what was there.
      resume: 'ask',
      autosave: false,
    }
    const init = `
      vim.g.mapleader = ' '
      vim.ui.select = function(items, _, on_choice) on_choice(items[1]) end
      require('ollama-remote').setup(vim.json.decode([==[${JSON.stringify(setup)}]==]))`
    const started = await startNeovim(nvim, { folder, init, env: { SSH_AUTH_SOCK: '' } })
    this.#nvim = started
    if (this.#kills === 0) await started.type(' oo')
    else await started.command('Ollama recover')
    await started.waitForLua(`return ${CHAT} and ${CHAT}.known`)
    return started
  }

  /** Asks, types, looks on, and kills at a random moment. */
  async #live(nvim: NeovimDriver, victim: KillOutcome['victim']): Promise<{ sights: Sight[]; at: number }> {
    const { random, ollama } = this.#parts
    ollama.scriptAll(() => ({
      pieces: Array.from({ length: random.whole(3, 120) }, () => `${this.#word('w')} `),
      tokensPerSecond: TOKENS_PER_SECOND,
    }))
    const sights: Sight[] = []
    const end = performance.now() + random.whole(1_100, 2_600)
    let isOver = false
    const look = async () => {
      while (!isOver) {
        const seen = await nvim.lua<[string, string, string[]]>(LOOK).catch(() => undefined)
        if (seen && !isOver)
          sights.push({ at: performance.now(), transcript: seen[0], prompt: seen[1], queue: seen[2] })
        await delay(LOOK_EVERY_MS)
      }
    }
    const type = async () => {
      await nvim.type(`i${this.#word('q')}<Esc><CR>A`)
      while (!isOver && performance.now() < end) {
        await nvim.type(random.next() < 0.1 ? `${this.#word('q')}<Esc><CR>A` : `${this.#word('d')} `)
        await delay(random.whole(20, 150))
      }
    }
    const looking = look()
    await type()
    isOver = true
    const at = performance.now()
    await this.#kill(nvim, victim)
    await looking
    return { sights, at }
  }

  async #kill(nvim: NeovimDriver, victim: KillOutcome['victim']): Promise<void> {
    const isHostFirst = this.#parts.random.next() < 0.5
    this.#kills++
    if (victim === 'the host' || (victim === 'Neovim and the host' && isHostFirst)) kill(this.#host, 'SIGKILL')
    if (victim !== 'the host') {
      const dying = nvim.kill()
      if (victim === 'Neovim and the host') kill(this.#host, 'SIGKILL')
      await dying
    }
    const deadline = AbortSignal.timeout(PATIENCE_MS)
    while (isAlive(this.#host)) await delay(2, undefined, { signal: deadline })
  }

  /** What the journal holds; a host of the same Neovim may be writing to it already, but nothing new. */
  async #written(): Promise<Kept> {
    const folder = join(this.#parts.folder, 'data/nvim/ollama/journal')
    const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'))
    const [name, ...others] = names
    if (name === undefined || others.length > 0) throw new Error(`journals: ${names.join(', ')}`)
    return keptOf(replay(await readFile(join(folder, name), 'utf8')).record)
  }

  /** What the next Neovim shows, or the same one with its next host. */
  async #recovered(victim: KillOutcome['victim']): Promise<Kept> {
    if (victim === 'the host') {
      // Typing goes on, and has the next host started.
      await this.#nvim?.waitForLua(
        `return not ${CHAT}.known or require('ollama-remote.rpc').info().pid ~= ...`,
        this.#host,
      )
      await this.#nvim?.lua("require('ollama-remote.host').forgive()")
      await this.#nvim?.type('<Esc>Ax<Esc>')
      await this.#nvim?.waitForLua(`return ${CHAT}.known`)
    }
    const nvim = this.#nvim ?? (await this.#start())
    await nvim.waitForLua(`return require('ollama-remote.transcript').text(${CHAT}):find('You') ~= nil`)
    const [transcript, prompt] = await nvim.lua<[string, string]>(LOOK)
    return keptOf(transcript, prompt)
  }

  async #tidy(): Promise<void> {
    await this.#nvim?.type('<Esc>')
    await this.#nvim?.command(`call nvim_set_current_win(luaeval("${CHAT}.windows.prompt"))`)
    await this.#nvim?.type('ggdG')
    if (this.#kills % KILLS_OF_A_CHAT !== 0) return
    await this.#nvim?.type(' oc oo')
    await this.#nvim?.waitForLua(`return ${CHAT} and ${CHAT}.known`)
  }

  /** A word that comes nowhere else. */
  #word(kind: string): string {
    return `${kind}${this.#parts.number}x${++this.#words}`
  }
}
