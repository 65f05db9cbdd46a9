// One lane of the cuts: the host's own chat, provider and tunnel over a real sshd, through a proxy that cuts. No Neovim.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Openssh } from '../../scripts/provision/openssh.ts'
import { Session } from '../../src/chat/session.ts'
import { parse, renderShown } from '../../src/chat/transcript/format.ts'
import { systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { Ollama } from '../../src/providers/ollama.ts'
import { ProviderRouter } from '../../src/providers/router.ts'
import type { ChatState } from '../../src/rpc/shapes.ts'
import { openServer, type Server } from '../../src/tunnel/server.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { INSTANT_PACE } from '../support/ollama-double/behaviour.ts'
import { defineModel } from '../support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../support/ollama-double/ollama-double.ts'
import { piecesOf } from '../support/ollama-double/pieces.ts'
import { sshTarget } from '../support/ssh-target.ts'
import { type Sshd, startSshd } from '../support/sshd.ts'
import { MemorySurface } from '../unit/chat/memory-surface.ts'
import { CHAT } from '../unit/chat/rig.ts'
import { textToCut } from './cut-text.ts'
import type { Random } from './random.ts'

/** What became of one answer. */
export interface Outcome {
  cuts: number
  result: 'equal' | 'marked' | 'wrong'
  /** What is wrong. */
  why?: string
}

interface Parts {
  sshd: Sshd
  proxy: FaultProxy
  ollama: OllamaDouble
  server: Server
  folder: string
  random: Random
  resumes: boolean
}

/** How a lane goes on with what was cut, and what its server makes of an answer that is begun. */
export interface LaneOptions {
  resume: 'auto' | 'never'
  trailing: 'continued' | 'closed'
}

const TOKENS_PER_SECOND = 500
const PATIENCE_MS = 120_000
/** In one answer, of a lane that goes on. */
const MOST_CUTS = 3
const SETTLING_MS = 5_000
/** They are kept for the next requests: so many are asked at once, of the answer and of what is learnt beside it. */
const CHANNELS_IN_USE = 4

class WatchedSurface extends MemorySurface {
  onState: (state: ChatState) => void = () => {}

  override state(state: ChatState): Promise<void> {
    this.onState(state)
    return super.state(state)
  }
}

export async function openLane(openssh: Openssh, random: Random, options: LaneOptions): Promise<Lane> {
  const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-cuts-'))
  const sshd = await startSshd({ openssh })
  const proxy = await startFaultProxy({ target: sshd.port })
  const model = defineModel({ name: 'plain:latest', trailing: options.trailing })
  const ollama = await startOllamaDouble({ models: [model], ...INSTANT_PACE, tokensPerSecond: TOKENS_PER_SECOND })
  const knownHosts = join(folder, 'known_hosts')
  const sshConfigFile = join(folder, 'config')
  await writeFile(knownHosts, `[127.0.0.1]:${proxy.port} ${sshd.hostKey.publicLine}\n`)
  await writeFile(sshConfigFile, 'Host *\nGlobalKnownHostsFile none\nIdentityAgent none\n')
  const { host, user, clientKey } = sshd
  const ssh = sshTarget({ host, port: proxy.port, user, identityFile: clientKey.path, knownHostsFile: knownHosts })
  const nobody = { secret: async () => undefined, choose: async () => undefined }
  const server = openServer(
    { name: 'gpu', url: new URL(ollama.url), ssh, caFile: undefined },
    { prompts: nobody, clock: systemClock, log: silentLog, sshConfigFile },
  )
  return new Lane({ sshd, proxy, ollama, server, folder, random, resumes: options.resume === 'auto' })
}

export class Lane {
  readonly #parts: Parts
  readonly #providers: ProviderRouter
  /** Bytes that the server sends for each piece of an answer, and until a connection is up. */
  #bytes = { piece: 0, login: 0 }
  #killing: Promise<void> = Promise.resolve()
  /** The answer before was cut so late that it was whole; then the cut is the next one's. */
  #isCutLate = false

  /** Use `openLane`. */
  constructor(parts: Parts) {
    this.#parts = parts
    const provider = new Ollama({ http: parts.server.http, clock: systemClock, server: 'gpu' })
    this.#providers = new ProviderRouter(new Map([['gpu', provider]]))
  }

  /** Has a question answered, and cuts the answer at random moments. */
  async answer(): Promise<Outcome> {
    const { proxy, ollama, random, resumes, server } = this.#parts
    if (this.#bytes.piece === 0) await this.#measure()
    // A cut in the login is for the matrix: it makes a server look as if it punished us, which takes half a minute to try again.
    await this.#killing
    await server.connect().catch(() => server.connect())
    const text = textToCut(random)
    const pieces = piecesOf(text)
    ollama.scriptAll({ pieces })
    const surface = new WatchedSurface()
    const most = resumes ? random.whole(1, MOST_CUTS) : 1
    let cuts = 0
    let shown = ''
    const appoint = (from: number) => {
      proxy.after('down', from + random.whole(1, Math.round(pieces.length * this.#bytes.piece)), () => {
        cuts++
        shown = surface.text
        this.#cut()
        if (cuts < most) appoint(this.#bytes.login)
      })
    }
    appoint(0)
    const session = this.#session(surface)
    await this.#ended(session, surface)
    await proxy.mend()
    const judged = judge({ session, surface, shown, text, wasCut: !resumes && (cuts > 0 || this.#isCutLate) })
    this.#isCutLate = cuts > 0 && judged.result === 'equal'
    return { cuts, ...judged }
  }

  /** Ends the lane; tells what is left behind. */
  async close(): Promise<string[]> {
    const { sshd, proxy, ollama, server, folder } = this.#parts
    const leaks = [
      ...(await left('answers are still being made', () => ollama.activeGenerations)),
      ...(await left('channels are open while idle', () => Math.max(0, ollama.connections.open - CHANNELS_IN_USE))),
      ...(await left('connections are open while idle', () => Math.max(0, proxy.connections.open - 1))),
    ]
    server.close()
    leaks.push(
      ...(await left('connections are open after the end', () => proxy.connections.open)),
      ...(await left('channels are open after the end', () => ollama.connections.open)),
      ...(await left('sessions of sshd live on after the end', () => sshd.sessions().length)),
    )
    await Promise.all([proxy.stop(), ollama.stop(), sshd.stop()])
    await rm(folder, { recursive: true, force: true })
    return leaks
  }

  async #measure(): Promise<void> {
    const { proxy, ollama, random, server } = this.#parts
    const pieces = piecesOf(textToCut(random))
    ollama.scriptAll({ pieces })
    const surface = new WatchedSurface()
    await server.connect()
    const login = proxy.carried.down
    await this.#ended(this.#session(surface), surface)
    this.#bytes = { piece: (proxy.carried.down - login) / pieces.length, login }
  }

  #session(surface: WatchedSurface): Session {
    const { server, resumes } = this.#parts
    const session = new Session(CHAT, {
      surface,
      answerer: {
        stream: (...asked) => this.#providers.stream(...asked),
        resume: (...asked) => this.#providers.resume(...asked),
      },
      ways: {
        whenBack: (_, signal) => server.whenBack(signal),
        nextTry: () => server.status().retryAt,
        tryNow: () => void server.connect().catch(() => {}),
      },
      clock: systemClock,
      log: silentLog,
      settings: () => ({ options: {}, resume: resumes ? 'auto' : 'never' }),
    })
    session.useModel('gpu:plain:latest')
    return session
  }

  #cut(): void {
    const { proxy, sshd, random } = this.#parts
    const chance = random.next()
    if (chance < 0.6) proxy.cut('rst')
    else if (chance < 0.85) proxy.cut('fin')
    else this.#killing = sshd.killSessions()
  }

  async #ended(session: Session, surface: WatchedSurface): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const tooLate = setTimeout(() => reject(new Error(`no end:\n${surface.text}`)), PATIENCE_MS)
      surface.onState = ({ phase, ended, queued }) => {
        if (phase !== 'idle' || ended === undefined || queued > 0) return
        clearTimeout(tooLate)
        resolve()
      }
      session.send('what').catch(reject)
    })
    await session.show()
  }
}

interface Case {
  session: Session
  surface: MemorySurface
  /** What stood in the transcript when the answer was cut. */
  shown: string
  text: string
  /** Whether it may be marked in place of being whole. */
  wasCut: boolean
}

function judge({ session, surface, shown, text, wasCut }: Case): Omit<Outcome, 'cuts'> {
  const { turns } = session.conversation
  const [question, answer] = turns
  const wrong = (why: string) => ({ result: 'wrong' as const, why: `${why}\n${surface.text}` })
  if (question?.text !== 'what' || turns.length > 2) return wrong('the question is not alone before the answer')
  if (surface.text !== renderShown(session.record.history)) return wrong('the transcript is not the conversation')
  if (!answer?.text.startsWith(textIn(shown))) return wrong(`what was read is gone: ${shown}`)
  if (answer.text === text && answer.end === 'done') return { result: 'equal' }
  if (!wasCut) return wrong(`it is not whole; it should be\n${text}\nand is`)
  if (!answer.note || !['interrupted', 'failed'].includes(answer.end ?? '')) return wrong('it is not marked')
  return text.startsWith(answer.text) ? { result: 'marked' } : wrong('it is not the beginning of the answer')
}

/** The answer in a transcript at that moment, without the mark that is there while it waits to go on. */
function textIn(shown: string): string {
  const last = parse(shown).conversation.turns.at(-1)
  return last?.role === 'assistant' ? last.text.trimEnd() : ''
}

async function left(what: string, count: () => number): Promise<string[]> {
  const deadline = performance.now() + SETTLING_MS
  while (count() > 0 && performance.now() < deadline) await delay(10)
  return count() === 0 ? [] : [`${count()} ${what}`]
}
