// The stage of one row: a Neovim, the built host, the proxy, an sshd and the double of Ollama, and a user's gestures on it.
// Not here: the order in which a row is played (play.ts).
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { Openssh } from '../../scripts/provision/openssh.ts'
import type { Turn } from '../../src/chat/record/conversation.ts'
import type { ChatState } from '../../src/rpc/shapes.ts'
import { CHAT, startWorld, type World, type WorldOptions } from '../nvim/chat/world.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import type { NeovimBinary } from '../support/nvim-driver.ts'
import type { Ask } from '../support/ollama-double/ask.ts'
import type { Behaviour } from '../support/ollama-double/behaviour.ts'
import type { Sshd } from '../support/sshd.ts'
import type { Namespace } from './namespace.ts'
import { Recorder } from './recorder.ts'

export interface Parts {
  nvim: NeovimBinary
  openssh: Openssh
  sshd: Sshd
}

/** The first piece of the answer, which is on the screen when a fault strikes in mid-answer. */
export const FIRST_PIECE = 'Half an '
export const PIECES = [FIRST_PIECE, 'answer ', 'and its ', 'end.']
export const WHOLE = PIECES.join('')
const NEXT = { question: 'does it work', answer: 'All is well again.' }

/** What there is to be looked at of a chat. */
export interface Look {
  turns: readonly Turn[]
  state: ChatState
  messages: string
}

export class Stage {
  readonly parts: Parts
  readonly proxy: FaultProxy
  /** A folder for the row's own files. */
  readonly folder: string
  /** How many servers the row uses: each may keep a connection. */
  servers = 1
  /** Where Neovim and the host live, when that is not where the proxy does. */
  readonly namespace: Namespace | undefined
  #world: World | undefined
  #recorder: Recorder | undefined

  private constructor({ parts, proxy, folder, namespace }: Pick<Stage, 'parts' | 'proxy' | 'folder' | 'namespace'>) {
    this.parts = parts
    this.proxy = proxy
    this.folder = folder
    this.namespace = namespace
  }

  /** A stage without a world; it ends with the test. */
  static async build(parts: Parts, namespace?: Namespace): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-fault-'))
    const proxy = await startFaultProxy({ target: parts.sshd.port, ...(namespace ? { host: namespace.host } : {}) })
    onTestFinished(async () => {
      await proxy.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    })
    return new Stage({ parts, proxy, folder, namespace })
  }

  get sshd(): Sshd {
    return this.parts.sshd
  }

  get world(): World {
    if (!this.#world) throw new Error('The world is not made yet')
    return this.#world
  }

  get recorder(): Recorder {
    if (!this.#recorder) throw new Error('The world is not made yet')
    return this.#recorder
  }

  /** A line of known_hosts for the proxy's address. */
  readonly knownHostsLine = (): string => {
    return `[${this.proxy.host}]:${this.proxy.port} ${this.sshd.hostKey.publicLine}`
  }

  /** Makes the world behind the proxy. */
  async populate({ ssh, ...options }: WorldOptions = {}, words?: RegExp): Promise<void> {
    const { nvim } = this.parts
    const binary = this.namespace ? await this.namespace.neovim(nvim, this.folder) : nvim
    const world = await startWorld(binary, this.sshd, {
      knownHosts: `${this.knownHostsLine()}\n`,
      ...options,
      ssh: ssh === false ? false : { host: this.proxy.host, port: this.proxy.port, ...ssh },
    })
    world.ollama.scriptAll(answer)
    this.#world = world
    this.#recorder = new Recorder(world.nvim, words)
  }

  /** Has the host's key stand in known_hosts, as a user does who has checked it. */
  async trust(): Promise<void> {
    await writeFile(this.world.knownHosts, `${this.knownHostsLine()}\n`)
  }

  readonly look = async (): Promise<Look> => {
    const [turns, state, messages] = await Promise.all([
      this.world.turns(),
      this.world.nvim.lua<ChatState>(`return ${CHAT}.state`),
      this.world.nvim.messages(),
    ])
    return { turns, state, messages }
  }

  /** Polls until it is so; tells whether it became so. */
  readonly until = async (isSo: () => boolean | Promise<boolean>, patienceMs: number): Promise<boolean> => {
    const deadline = performance.now() + patienceMs
    while (!(await isSo())) {
      if (performance.now() > deadline) return false
      await delay(20)
    }
    return true
  }

  /** Asks the next question, and tells after how many milliseconds it was answered. */
  async next(patienceMs: number): Promise<number | undefined> {
    await this.world.nvim.type('<Esc>')
    const began = performance.now()
    await this.world.send(NEXT.question)
    const isAnswered = async () => (await this.world.turns()).at(-1)?.text === NEXT.answer
    return (await this.until(isAnswered, patienceMs)) ? performance.now() - began : undefined
  }
}

/** What the double answers when nothing else is scripted: at once, and, as it does by itself, from where an answer stops. */
function answer({ messages }: Ask): Behaviour {
  const asked = messages.findLast(({ role }) => role === 'user')?.content
  return { pieces: asked === NEXT.question ? [NEXT.answer] : PIECES }
}
