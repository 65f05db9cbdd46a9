// Brings the questions of an ssh program to a person, and the answers back. What a question means is in askpass-question.ts.
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { PluginError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { REFUSE, TRUST } from '../host-keys/host-key.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import type { Prompts } from '../transport.ts'
import { askpassLauncher, askpassScript } from './askpass-program.ts'
import { type AskpassQuestion, understandQuestion } from './askpass-question.ts'
import { cancelledError, untrustedError } from './openssh-errors.ts'
import type { RuntimeFolder } from './runtime-folder.ts'

export interface AskpassOptions {
  folder: RuntimeFolder
  parameters: SshParameters
  prompts: Prompts
  secrets: Secrets
  log: Log
  /** Tells the user of something that needs no answer. */
  onNotice: (text: string) => void
  /** The person refused or cancelled: ssh is not to go on with another way. */
  onRefused: (reason: PluginError) => void
}

const ALLOW = 'Yes, allow it'

/** The longest question that is listened to, in bytes. */
const MAX_QUESTION_BYTES = 65_536

export class Askpass {
  readonly #options: AskpassOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Secrets by name that were given to ssh in this login; which of them it took is known at its end. */
  readonly #given = new Map<string, string>()
  /** How often each secret was asked for, by its name or title. */
  readonly #asked = new Map<string, number>()
  #program = ''
  /** Host keys that the person has trusted in this login. */
  trusted = 0
  /** The way of logging in that ssh is at. */
  method: string | undefined

  private constructor(options: AskpassOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#serve(socket))
  }

  /** Writes the program and listens for it, in a folder that only we can enter. */
  static async start(options: AskpassOptions): Promise<Askpass> {
    const askpass = new Askpass(options)
    const { folder } = options
    const socketPath = join(folder.path, 'ask')
    const script = await folder.write('ask.cjs', askpassScript(socketPath), 'text')
    askpass.#program = await folder.write('askpass', askpassLauncher(process.execPath, script), 'program')
    await new Promise<void>((resolve, reject) => {
      askpass.#server.once('error', reject)
      askpass.#server.listen(socketPath, resolve)
    })
    return askpass
  }

  /** For the environment of ssh. Before 8.4 it asks so only where there is a display. */
  get environment(): Record<string, string> {
    return { SSH_ASKPASS: this.#program, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: process.env.DISPLAY || ':0' }
  }

  /** The key whose passphrase was wrong every time, when nothing else was asked for. */
  get lockedKey(): string | undefined {
    const [[name = '', count = 0] = [], ...others] = this.#asked
    const isLocked = others.length === 0 && count >= this.#options.parameters.passwordPrompts
    return isLocked ? /^passphrase of (.*)/s.exec(name)?.[1] : undefined
  }

  /** The login is through: what was given for a method that the server took is kept for the next time. */
  succeeded(methods: ReadonlySet<string>): void {
    for (const [name, secret] of this.#given) {
      const isTaken = name.startsWith('passphrase') ? methods.has('publickey') : !isOnly(methods, 'publickey')
      if (isTaken) this.#options.secrets.set(name, secret)
    }
    this.#given.clear()
  }

  /** Whoever is being asked is asked no more; idempotent. */
  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#given.clear()
  }

  #serve(socket: Socket): void {
    const gone = new AbortController()
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#sockets.delete(socket)
      gone.abort(new Error('ssh asks no more'))
    })
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.length > MAX_QUESTION_BYTES) socket.destroy()
      if (!text.includes('\n')) return
      socket.removeAllListeners('data').resume()
      this.#answer(text, gone.signal).then(
        (answer) => socket.end(`${JSON.stringify(answer === undefined ? {} : { answer })}\n`),
        (error) => {
          if (!gone.signal.aborted) this.#options.log.warn('a question of ssh was not answered', { error })
          socket.destroy()
        },
      )
    })
  }

  async #answer(text: string, signal: AbortSignal): Promise<string | undefined> {
    const { prompt, hint } = JSON.parse(text) as { prompt: string; hint: string }
    const question = understandQuestion(String(prompt), String(hint), this.#options.parameters)
    this.#options.log.debug('ssh asks', { kind: question.kind })
    switch (question.kind) {
      case 'host key':
        return this.#judge(question, signal)
      case 'confirm':
        return this.#confirm(question, signal)
      case 'notice':
        return this.#tell(question.text, signal)
      case 'secret':
        return this.#secret(question, signal)
    }
  }

  async #judge(question: AskpassQuestion & { kind: 'host key' }, signal: AbortSignal): Promise<string> {
    const { title, detail } = question
    const choice = await this.#options.prompts.choose({ title, detail, choices: [REFUSE, TRUST] }, signal)
    if (choice === TRUST) this.trusted++
    else this.#options.onRefused(untrustedError(this.#options.parameters, detail))
    return choice === TRUST ? 'yes' : 'no'
  }

  async #confirm(question: AskpassQuestion & { kind: 'confirm' }, signal: AbortSignal): Promise<string | undefined> {
    const { title, detail } = question
    const choice = await this.#options.prompts.choose({ title, detail, choices: [REFUSE, ALLOW] }, signal)
    return choice === ALLOW ? 'yes' : undefined
  }

  /** ssh ends its program when the token was touched. */
  #tell(text: string, signal: AbortSignal): Promise<undefined> {
    this.#options.onNotice(text)
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
  }

  /** A secret that is asked for again was refused. */
  async #secret(question: AskpassQuestion & { kind: 'secret' }, signal: AbortSignal): Promise<string | undefined> {
    const { title, name } = question
    const { secrets, prompts, parameters, onRefused } = this.#options
    const timesAsked = this.#asked.get(name ?? title) ?? 0
    this.#asked.set(name ?? title, timesAsked + 1)
    const isRefused = name !== undefined && this.#given.has(name)
    if (isRefused) secrets.delete(name)
    const kept = name === undefined || isRefused || !this.#mayGive(name) ? undefined : await secrets.get(name, signal)
    const detail = isRefused ? refusal(name, parameters.passwordPrompts - timesAsked) : question.detail
    const secret = kept ?? (await prompts.secret({ title, detail }, signal))
    if (secret === undefined) onRefused(cancelledError(parameters))
    else if (name !== undefined) this.#given.set(name, secret)
    return secret
  }

  /** Before 8.5 ssh passes the words of a keyboard-interactive server on as they are: they may pose as its own. */
  #mayGive(name: string): boolean {
    return !name.startsWith('passphrase') || this.method !== 'keyboard-interactive'
  }
}

function refusal(name: string, left: number): string {
  if (!name.startsWith('passphrase')) return 'That was refused; try again'
  return `Wrong passphrase; ${left} ${left === 1 ? 'try' : 'tries'} left`
}

function isOnly(methods: ReadonlySet<string>, method: string): boolean {
  return methods.size === 1 && methods.has(method)
}
