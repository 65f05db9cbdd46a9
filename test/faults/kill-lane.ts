// One lane of the kills: Neovims with the built host, one after the other on the same data, each killed while an answer
// streams and a person types. What was seen a second before is looked for in the journal, and then in the next Neovim.
// Not here: what the person does (kill-acts.ts), how much may be missing (kill-judge.ts).
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { replay } from '../../src/chat/journal/lines.ts'
import { parseChat } from '../../src/chat/transcript/chat-file.ts'
import { CHAT } from '../nvim/front/front.ts'
import { type NeovimBinary, type NeovimDriver, startNeovim } from '../support/nvim-driver.ts'
import { INSTANT_PACE } from '../support/ollama-double/behaviour.ts'
import { systemClock } from '../support/ollama-double/clock.ts'
import { defineModel } from '../support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../support/ollama-double/ollama-double.ts'
import { isAlive, kill } from '../support/process-tree.ts'
import { act, begin, KEYS, tidy } from './kill-acts.ts'
import { judge, type Kept, keptOf, type Sight, shown } from './kill-judge.ts'
import { Lateness } from './lateness.ts'
import type { Random } from './random.ts'

export const VICTIMS = ['Neovim', 'the host', 'Neovim and the host'] as const

export interface KillOutcome {
  victim: (typeof VICTIMS)[number]
  /** From the oldest sight of something that is not there any more to the kill; 0 when nothing is missing. */
  lostMs: number
  /** By how much the machine itself was late meanwhile, at the most. */
  lateMs: number
  /** What is missing. */
  lost?: string
  /** What is wrong. */
  wrong?: string
}

const TOKENS_PER_SECOND = 25
/** What there was a second before is what is looked for. */
const SHORTEST_LIFE_MS = 1_100
const LOOK_EVERY_MS = 60
const PATIENCE_MS = 20_000
/** So many kills later another chat is begun, lest the first one grow without end. */
const KILLS_OF_A_CHAT = 8

/** What a person sees: the transcript, the prompt, what is behind it, and the prompts that wait; and when. */
const LOOK = `
  local chat = ${CHAT}
  return {
    at = vim.uv.hrtime() / 1e6,
    transcript = require('ollama-remote.transcript').text(chat),
    prompt = require('ollama-remote.chat.prompt').text(chat),
    aside = chat.editing and table.concat(chat.editing.draft, '\\n') or '',
    is_editing = chat.editing ~= nil,
    queue = vim.tbl_map(function(one) return one.text end, chat.pending),
  }`

export interface KillLaneOptions {
  nvim: NeovimBinary
  random: Random
  /** Of this lane, so that no two have the same words. */
  number: number
  /** Whether chats are saved by themselves. */
  isSaved: boolean
}

export async function openKillLane(options: KillLaneOptions): Promise<KillLane> {
  const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-kills-'))
  const models = [defineModel({ name: 'plain:latest' })]
  const ollama = await startOllamaDouble({ models, ...INSTANT_PACE, clock: systemClock })
  return new KillLane({ ...options, folder, ollama })
}

interface Parts extends KillLaneOptions {
  folder: string
  ollama: OllamaDouble
}

export class KillLane {
  readonly #parts: Parts
  readonly #lateness = new Lateness()
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
    await this.#lateness.most()
    const { sights, at } = await this.#live(nvim, victim)
    const lateMs = await this.#lateness.most()
    const written = await this.#written()
    const inJournal = judge({ sights, at, kept: written })
    const files = await filesProblem(this.#chats)
    if (victim !== 'the host') this.#nvim = undefined
    const recovered = judge({ sights, at, kept: await this.#recovered(victim, written) })
    const wrong = inJournal.wrong ?? recovered.wrong ?? files ?? (await this.#complaint())
    await this.#tidy()
    const { lostMs, lost } = inJournal.lostMs > recovered.lostMs ? inJournal : recovered
    return {
      ...{ victim, lostMs, lateMs },
      ...(lost === undefined ? {} : { lost }),
      ...(wrong === undefined ? {} : { wrong: `${victim}, the machine late by ${Math.round(lateMs)} ms: ${wrong}` }),
    }
  }

  async close(): Promise<void> {
    await this.#nvim?.quit()
    await this.#lateness.stop()
    await this.#parts.ollama.stop()
    await rm(this.#parts.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  get #chats(): string {
    return join(this.#parts.folder, 'data/nvim/ollama/chats')
  }

  /** @param written what there is to go on with, if there is a word of it */
  async #start(written?: Kept): Promise<NeovimDriver> {
    const { nvim, folder, ollama, isSaved } = this.#parts
    const setup = {
      servers: { gpu: { url: ollama.url } },
      default_model: 'gpu:plain:latest',
      // What comes after a kill is not to be mixed with what was there.
      resume: 'ask',
      ...(isSaved ? {} : { autosave: false, title: 'first-line' }),
    }
    const init = `
      vim.g.mapleader = ' '
      vim.ui.select = function(items, _, on_choice) on_choice(items[1]) end
      local message = require('ollama-remote.message')
      message.whisper = function(text) _G.whispered = text end
      ${KEYS}
      require('ollama-remote').setup(vim.json.decode([==[${JSON.stringify(setup)}]==]))`
    const started = await startNeovim(nvim, { folder, init, env: { SSH_AUTH_SOCK: '' } })
    this.#nvim = started
    const isLeft = written && (written.turns.length > 0 || written.prompt !== '')
    if (isLeft) await this.#recover(started)
    else await started.type(' oo')
    await started.waitForLua(`return ${CHAT} and ${CHAT}.known`)
    return started
  }

  /** What stood in its file as a whole is not left over, and is loaded. */
  async #recover(nvim: NeovimDriver): Promise<void> {
    await nvim.command('Ollama recover')
    const isLeft = await nvim.waitForLua<boolean | 'no'>(
      `return ${CHAT} and ${CHAT}.known or _G.whispered == 'No chat was left over' and 'no'`,
    )
    if (isLeft !== 'no') return
    if (!this.#parts.isSaved) throw new Error('Nothing is left over')
    await nvim.command('Ollama load')
    await nvim.waitForLua(`return ${CHAT} and ${CHAT}.read_only and ${CHAT}.known`)
    await nvim.lua("require('ollama-remote.actions').run('take-up')")
    await nvim.waitForLua(`return not ${CHAT}.read_only`)
  }

  /** Asks, types, looks on, and kills at a random moment. */
  async #live(nvim: NeovimDriver, victim: KillOutcome['victim']): Promise<{ sights: Sight[]; at: number }> {
    const { random, ollama } = this.#parts
    ollama.scriptAll(() => ({
      pieces: Array.from({ length: random.whole(3, 120) }, () => `${this.#word('w')} `),
      tokensPerSecond: TOKENS_PER_SECOND,
    }))
    const sights: Sight[] = []
    const soonest = performance.now() + SHORTEST_LIFE_MS
    let end = soonest + random.whole(0, 1_500)
    let isOver = false
    const look = async () => {
      while (!isOver) {
        const seen = await nvim.lua<Sight>(LOOK).catch(() => undefined)
        if (seen && !isOver) sights.push(seen)
        await delay(LOOK_EVERY_MS)
      }
    }
    const hands = { nvim, random, word: (kind: string) => this.#word(kind) }
    const type = async () => {
      await begin(hands)
      while (!isOver && performance.now() < end) {
        const isWorthIt = await act(hands, this.#parts.isSaved)
        if (isWorthIt && random.next() < 0.2) end = Math.max(soonest, performance.now()) + random.whole(0, 60)
        await delay(random.whole(0, Math.min(150, Math.max(0, end - performance.now()))))
      }
    }
    const looking = look()
    await type()
    isOver = true
    const at = monotonic()
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
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.jsonl'))
    const [name, ...others] = names
    if (others.length > 0) throw new Error(`journals: ${names.join(', ')}`)
    if (name === undefined) return { turns: [], prompt: '' }
    return keptOf(replay(await readFile(join(folder, name), 'utf8')).record)
  }

  /** What the next Neovim shows, or the same one with its next host; the versions that it does not show are those of the journal. */
  async #recovered(victim: KillOutcome['victim'], written: Kept): Promise<Kept> {
    const { turns } = written
    if (victim === 'the host') {
      // Typing goes on, and has the next host started.
      await this.#nvim?.waitForLua(
        `return not ${CHAT}.known or require('ollama-remote.rpc').info().pid ~= ...`,
        this.#host,
      )
      await this.#nvim?.lua("require('ollama-remote.host').forgive()")
      await this.#nvim?.type('<Esc><F8>Ax<Esc>')
      await this.#nvim?.waitForLua(`return ${CHAT}.known`)
    }
    const nvim = this.#nvim ?? (await this.#start(written))
    if (turns.length > 0)
      await nvim.waitForLua(`return require('ollama-remote.transcript').text(${CHAT}):find('You') ~= nil`)
    const { transcript, prompt, aside, is_editing } = await nvim.lua<Sight & { is_editing: boolean }>(LOOK)
    const now = shown(transcript)
    const others = victim === 'the host' ? await this.#othersThan(now) : otherVersions(written)
    return { turns: now, others, ...(is_editing ? { prompt, aside } : { prompt }) }
  }

  /**
   * The next host of the same Neovim goes on with what stands in the editor, which may be a newer version than the last one
   * had written down. It is written down too, beside those that were.
   */
  async #othersThan(now: Kept['turns']): Promise<readonly Kept['turns'][]> {
    const deadline = AbortSignal.timeout(PATIENCE_MS)
    for (;;) {
      const written = await this.#written()
      if (isSame(written.turns, now)) return otherVersions(written)
      await delay(LOOK_EVERY_MS, undefined, { signal: deadline })
    }
  }

  /** What was said of a chat that could not go on in its file. */
  async #complaint(): Promise<string | undefined> {
    const said = (await this.#nvim?.messages()) ?? ''
    return /saved by this chat no more|is not saved/.test(said) ? said : undefined
  }

  async #tidy(): Promise<void> {
    const nvim = this.#nvim
    if (!nvim) return
    await tidy(nvim)
    if (this.#kills % KILLS_OF_A_CHAT !== 0) return
    await nvim.type(' oc oo')
    await nvim.waitForLua(`return ${CHAT} and ${CHAT}.known`)
  }

  /** A word that comes nowhere else. */
  #word(kind: string): string {
    return `${kind}${this.#parts.number}x${++this.#words}`
  }
}

/** The versions of the history that are not shown. */
function otherVersions({ turns, others = [] }: Kept): readonly Kept['turns'][] {
  return others.filter((version) => version.length !== turns.length || version.some((turn, nth) => turn !== turns[nth]))
}

function isSame(one: Kept['turns'], other: Kept['turns']): boolean {
  const textOf = ({ role, text }: Kept['turns'][number]) => `${role} ${text.trimEnd()}`
  return one.length === other.length && one.every((turn, nth) => textOf(turn) === textOf(other[nth] ?? turn))
}

/** By the clock that Neovim's `hrtime` tells, in milliseconds. */
function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** What is wrong with the saved chats: each is to be whole, and to stand in one file only. */
async function filesProblem(folder: string): Promise<string | undefined> {
  const byFirstWord = new Map<string, string>()
  for (const name of (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.txt'))) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '')
    if (text === '') continue
    const { record, problems } = parseChat(text)
    if (problems.length > 0) return `${name} is damaged: ${problems.join('; ')}`
    const first = record.history.entries[0]?.turn.text.split(' ', 1)[0] ?? ''
    const other = byFirstWord.get(first)
    if (other !== undefined) return `a chat stands both in ${other} and in ${name}`
    byFirstWord.set(first, name)
  }
  return undefined
}
