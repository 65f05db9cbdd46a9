// The saving of one living chat: when a person says so, and by itself after each answer and each edit. Not here: how its file
// is written (chat-file.ts), what stands in it (transcript/chat-file.ts).
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { PluginError, toPluginError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { ChatState } from '../../rpc/shapes.ts'
import { current, type History } from '../record/history.ts'
import { type Change, type ChatRecord, changedRecord, isBlank, type Meta, type MetaChange } from '../record/record.ts'
import { renderChat } from '../transcript/chat-file.ts'
import { TurnCache } from '../transcript/turn-cache.ts'
import { ChatFile } from './chat-file.ts'
import type { Claims } from './claims.ts'
import { fitName } from './file-name.ts'
import { createdOf, fileNameOf, titleOf } from './naming.ts'
import { reclaimed } from './opening.ts'
import { strayed } from './strayed.ts'

export interface SaverDeps {
  /** Of the saved chats; known only after the handshake. */
  folder(): string
  claims: Claims
  clock: Clock
  log: Log
  /** Whether chats are saved by themselves. */
  isAutomatic(): boolean
  record(): ChatRecord
  /** Resolves when what is known of the chat is in its journal too. Never rejects. */
  settled(): Promise<void>
  /** Changes what is known of the chat, and has its state told anew. */
  note(set: MetaChange['set']): void
  say(level: 'info' | 'warn', text: string): void
}

export interface Saved {
  file: string
  title: string
  /** How many were not in the file before. */
  turns: number
  /** The file that the chat was saved in until now, which stays as it is. */
  left?: string
}

/** From a change until it is saved: what follows at once is saved with it. */
const SAVE_AFTER_MS = 400
const RETRY_AFTER_MS = 30_000
/** A request that was ended has said its last word by then. */
const LAST_WORD_MS = 1_000

const KEPT_FIELDS = ['title', 'titled', 'model', 'parameters', 'draft'] as const satisfies ReadonlyArray<keyof Meta>

export class Saver {
  readonly #deps: SaverDeps
  readonly #texts = new TurnCache()
  #file: ChatFile | undefined
  /** What is in the file. */
  #written: ChatRecord | undefined
  /** One after the other. */
  #work: Promise<unknown> = Promise.resolve()
  #timer: AbortController | undefined
  /** Of what saves by itself; told once, and with the state as long as it lasts. */
  #trouble: PluginError | undefined
  #isOver = false
  #onQuiet: (() => void) | undefined

  /** @param opened the file that the chat was taken up from, and what is known from it */
  constructor(deps: SaverDeps, opened?: { file?: ChatFile; record: ChatRecord }) {
    this.#deps = deps
    this.#file = opened?.file
    this.#written = opened?.record
  }

  /** Told with the chat's state. */
  get state(): Pick<ChatState, 'title' | 'named' | 'file' | 'unsaved' | 'autosave' | 'save_fails'> {
    const record = this.#deps.record()
    const title = titleOf(record)
    return {
      ...(title === undefined ? {} : { title }),
      named: record.meta.titled === 'person',
      ...(this.#file ? { file: this.#file.file } : {}),
      unsaved: hasTurns(record) && this.#written?.history !== record.history,
      autosave: this.#deps.isAutomatic(),
      ...(this.#trouble ? { save_fails: true } : {}),
    }
  }

  get file(): string | undefined {
    return this.#file?.file
  }

  /** Goes on with the file that an earlier host has saved the chat in. Never rejects. */
  goOn(): Promise<void> {
    const { meta } = this.#deps.record()
    if (meta.file === undefined && !hasTurns(this.#deps.record())) return Promise.resolve()
    return this.#inTurn(async () => {
      const { claims, record, note, say } = this.#deps
      const file = await this.#whereItIs()
      if (file === undefined) return
      try {
        const now = record()
        const found = await reclaimed(file, now, { claims, texts: this.#texts })
        this.#file = found.file
        if (found.isWhole) this.#written = now
        note({})
        this.#schedule(SAVE_AFTER_MS)
      } catch (error) {
        note({ file: null })
        say('warn', `${basename(file)} is saved by this chat no more: ${toPluginError(error).message}`)
      }
    })
  }

  /** As it is written down, or as an earlier host has named it last, which was killed before that was written down. */
  async #whereItIs(): Promise<string | undefined> {
    const { folder, record, note } = this.#deps
    const { file } = record().meta
    const isThere = file !== undefined && (await stat(file).catch(() => undefined))
    const found = isThere
      ? undefined
      : await strayed(folder(), record(), file === undefined ? undefined : basename(file))
    if (!found) return file
    note({ ...found.named, file: found.path })
    return found.path
  }

  /** Hears of every change. */
  noted(change: Change): void {
    if (change.type === 'extend') return
    if (this.#onQuiet && !isAnswering(this.#deps.record().history)) this.#onQuiet()
    if (change.type !== 'meta' || KEPT_FIELDS.some((field) => field !== 'draft' && field in change.set)) {
      this.#schedule(SAVE_AFTER_MS)
    }
  }

  /**
   * Saves all of it; under another name, when one is given, which renames a file that no person has named, and leaves another
   * one as it is.
   * @throws PluginError CHAT_NO_TURN, STORE_CHANGED, STORE_FULL, STORE_UNWRITABLE
   */
  save(name?: string): Promise<Saved> {
    return this.#inTurn(async () => {
      if (isBlank(this.#deps.record())) throw new PluginError('CHAT_NO_TURN', 'There is nothing to save yet')
      const former = this.#file
      const isNew = name !== undefined && former !== undefined && fitName(name) !== former.name
      const { titled } = this.#deps.record().meta
      const leaves = isNew && (titled === 'person' || former.name === undefined || (await former.isChanged()))
      const turns = await this.#put(name === undefined ? {} : { title: name, titled: 'person' }, leaves)
      if (leaves) {
        await former.release()
      }
      const left = leaves ? { left: former.file } : {}
      return { file: this.file ?? '', title: titleOf(this.#deps.record()) ?? '', turns, ...left }
    })
  }

  /** Gives the chat another name, as a person wants it. @returns its file @throws as save does */
  rename(name: string): Promise<string> {
    return this.#inTurn(async () => {
      await this.#put({ title: name, titled: 'person' }, false)
      return this.file ?? ''
    })
  }

  /**
   * The chat ends: what is due is saved, if that is done by itself and no person has said otherwise, with what stands in the
   * prompt.
   * @returns whether all of it is in its file
   * @throws PluginError STORE_CHANGED, STORE_FULL, STORE_UNWRITABLE; then the chat is as it was
   */
  async end(unsaved: 'save' | 'discard' = this.#deps.isAutomatic() ? 'save' : 'discard'): Promise<boolean> {
    const { clock, record } = this.#deps
    if (isAnswering(record().history)) {
      const given = new AbortController()
      const quiet = new Promise<void>((resolve) => {
        this.#onQuiet = resolve
      })
      await Promise.race([quiet, clock.sleep(LAST_WORD_MS, given.signal).catch(() => {})])
      given.abort()
      this.#onQuiet = undefined
    }
    return await this.#inTurn(async () => {
      if (unsaved === 'save' && !isBlank(record()) && this.#isDue()) await this.#putAtEnd()
      this.#isOver = true
      this.#timer?.abort()
      await this.#file?.release()
      return !isBlank(record()) && !this.#isDue()
    })
  }

  /**
   * The host ends: what is due is saved, unless an answer comes, and the file is let go. Never rejects.
   * @returns the record, if all of it is in its file
   */
  leave(): Promise<ChatRecord | undefined> {
    return this.#inTurn(async () => {
      await this.#saveByItself()
      this.#isOver = true
      this.#timer?.abort()
      const record = this.#deps.record()
      const isFiled = !this.#isDue() && record.meta.queue === undefined && (await this.#file?.isAsWritten())
      await this.#file?.release()
      return isFiled ? record : undefined
    })
  }

  /** Puts the record into its file. @returns how many turns were not there before */
  async #put(set: MetaChange['set'], isElsewhere: boolean): Promise<number> {
    const { folder, claims, clock, note, say, settled } = this.#deps
    const created = createdOf(this.#deps.record(), clock)
    const record = changedRecord(this.#deps.record(), { type: 'meta', set: { created, ...set } })
    const { title, titled } = record.meta
    const before = isElsewhere ? undefined : this.#written
    await this.#texts.prepare(record.history)
    const text = renderChat(record, this.#texts.render)
    // After a kill, what stands in the file and not in the journal would look as if another program had written it.
    await settled()
    if (!this.#file || isElsewhere) {
      this.#file = await ChatFile.create(folder(), fileNameOf(record, created), text, claims)
    } else {
      const isAnew = await this.#file.write(text)
      if (isAnew) say('warn', `${this.#file.file} was gone, and is written anew`)
      const isRenamed = title !== undefined && this.#file.name !== undefined && this.#file.name !== fitName(title)
      if (isRenamed && (set.title !== undefined || titled !== 'person')) await this.#file.rename(title)
    }
    this.#written = record
    this.#trouble = undefined
    note({ ...changesOf(this.#deps.record().meta, { created, ...set, file: this.#file.path }) })
    const known = new Set(before?.history.entries.map(({ turn }) => turn))
    return record.history.entries.filter(({ turn }) => !known.has(turn)).length
  }

  /** What could not be saved goes on, and is known to need a person. */
  async #putAtEnd(): Promise<void> {
    try {
      await this.#put({}, false)
    } catch (error) {
      this.#trouble = toPluginError(error)
      this.#deps.note({})
      this.#schedule(RETRY_AFTER_MS)
      throw error
    }
  }

  #schedule(ms: number): void {
    if (this.#isOver || this.#timer || !this.#deps.isAutomatic()) return
    // What another program wrote is not to be asked for again and again: a person decides.
    if (this.#trouble?.code === 'STORE_CHANGED') return
    this.#timer = new AbortController()
    const { signal } = this.#timer
    void this.#deps.clock
      .sleep(this.#trouble ? RETRY_AFTER_MS : ms, signal)
      .then(() => this.#inTurn(() => this.#saveByItself()))
      .catch(() => {})
  }

  async #saveByItself(): Promise<void> {
    this.#timer = undefined
    // The end of the answer is a change too.
    const { isAutomatic, record } = this.#deps
    if (this.#isOver || !isAutomatic() || !hasTurns(record()) || !this.#isDue() || isAnswering(record().history)) return
    const { say, log, note } = this.#deps
    const before = this.#trouble
    try {
      await this.#put({}, false)
      if (before) say('info', `The chat is saved again in ${this.file}`)
    } catch (error) {
      const failure = toPluginError(error)
      log.warn('a chat was not saved', { error: failure })
      if (before?.code !== failure.code) say('warn', `The chat is not saved: ${failure.message}. ${failure.hint ?? ''}`)
      this.#trouble = failure
      note({})
      this.#schedule(RETRY_AFTER_MS)
    }
  }

  #isDue(): boolean {
    const record = this.#deps.record()
    const written = this.#written
    if (written === undefined) return !isBlank(record)
    return written.history !== record.history || KEPT_FIELDS.some((field) => written.meta[field] !== record.meta[field])
  }

  #inTurn<Result>(body: () => Promise<Result>): Promise<Result> {
    const done = this.#work.then(body)
    this.#work = done.catch(() => {})
    return done
  }
}

function hasTurns({ history }: ChatRecord): boolean {
  return history.entries.length > 0
}

/** Whether an answer comes, or could not be ended by a host that is gone. */
function isAnswering(history: History): boolean {
  const last = current(history).turns.at(-1)
  return last?.role === 'assistant' && last.end === undefined
}

/** What is not so already. */
function changesOf(meta: Meta, set: MetaChange['set']): MetaChange['set'] {
  const changed = Object.entries(set).filter(([field, value]) => meta[field as keyof Meta] !== value)
  return Object.fromEntries(changed)
}
