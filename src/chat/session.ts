// The life of one chat: what is asked, when, and what is told of it. Not here: the legal states (session-states.ts), the
// way of an answer (answer-run.ts), how the editor is kept in step with the conversation (transcript.ts), what a person
// does with its history (editing.ts).
import { type ErrorRecord, PluginError } from '../core/errors.ts'
import type { ChatState } from '../rpc/shapes.ts'
import { AnswerRun } from './answer/answer-run.ts'
import { endedState, type Outcome, rateOf } from './answer/outcome.ts'
import { Editing, type SeenTurn } from './editing.ts'
import { type ChatSettings, Parameters } from './parameters.ts'
import type { Standing } from './picture/picture.ts'
import { PromptQueue } from './prompt-queue.ts'
import { askedTurns, type Conversation, cutAnswer, isStoppedMark, localTime, type Turn } from './record/conversation.ts'
import { Ledger } from './record/ledger.ts'
import { type ChatRecord, type Draft, emptyRecord, type MetaChange } from './record/record.ts'
import type { SessionDeps, SessionStart } from './session-deps.ts'
import { SessionStates } from './session-states.ts'
import type { Left } from './take-over/take-over.ts'
import { Transcript } from './transcript.ts'
import { Unsent } from './unsent.ts'

export class Session {
  readonly editing: Editing
  readonly parameters: Parameters
  readonly #chat: number
  readonly #deps: SessionDeps
  readonly #states: SessionStates
  readonly #ledger: Ledger
  readonly #kept: NonNullable<SessionStart['kept']>
  readonly #onIdle: () => void
  readonly #transcript: Transcript
  readonly #unsent: Unsent
  readonly #queue: PromptQueue
  #answer: AnswerRun | undefined
  /** Whether what is asked is a prompt that was just written, which can be taken back while nothing was asked. */
  #isNewPrompt = false
  /** Whether what is asked is to have another answer than it has in the version before. */
  #isAnew = false
  #error: ErrorRecord | undefined
  #rate: number | undefined
  #isClosed = false

  constructor(chat: number, deps: SessionDeps, { record = emptyRecord, onChange, onIdle, kept }: SessionStart = {}) {
    this.#chat = chat
    this.#deps = deps
    this.#states = new SessionStates(chat, deps.log)
    this.#ledger = new Ledger(onChange ?? (() => {}), record)
    this.#unsent = new Unsent(this.#ledger)
    this.#queue = new PromptQueue((queue) => this.#unsent.queue(queue))
    this.parameters = new Parameters(this.#ledger, () => deps.settings())
    this.#onIdle = onIdle ?? (() => {})
    this.#kept = kept ?? (() => ({}))
    this.#transcript = new Transcript(chat, this.#ledger, deps)
    this.editing = new Editing({ transcript: this.#transcript, refuseWhileBusy: () => this.#refuseWhileBusy() })
  }

  /** The conversation as it is now, the answer that comes included. */
  get conversation(): Conversation {
    return this.#transcript.conversation
  }

  /** All that is known of it: every version, and what is told of the whole. */
  get record(): ChatRecord {
    return this.#ledger.record
  }

  /**
   * Asks; behind a running answer the prompt waits for its turn. `replaces` puts the text in place of a turn and
   * drops what follows it. Resolves when the prompt stands in the transcript.
   * @throws PluginError CHAT_STOPPED, CANCELLED when the waiting prompt is given back; CHAT_NO_MODEL, CHAT_NO_TURN, CHAT_BUSY when
   *   nothing was changed
   */
  async send(text: string, { replaces }: { replaces?: SeenTurn } = {}): Promise<void> {
    const model = this.#chosenModel()
    if (replaces !== undefined) return this.#replace(replaces, text, model)
    if (!this.#answer) {
      const sent = this.#prompt(text, model)
      this.#unsent.sent()
      return sent
    }
    const sent = this.#queue.add(text)
    this.#unsent.sent()
    if (this.#answer.waiting) this.#answer.hurry()
    this.#tell()
    return sent
  }

  /**
   * Ends the running answer, whose text stays, and goes on with the next prompt; with `all` the waiting ones are given
   * back. A prompt that still waits for its server is taken out of the transcript. An answer that was asked for anew and has
   * no word yet gives its place to the former one.
   * @returns the text of that prompt; whether the former answer is back
   */
  stop({ all = false } = {}): { taken?: string; back?: true } {
    const isUnasked = this.#isNewPrompt && this.#answer?.waiting?.has_answer === false
    const taken = isUnasked ? this.conversation.turns.at(-1)?.text : undefined
    const isBack = this.#isAnew && this.#answer?.isWordless === true
    const leavesMark = taken === undefined && !isBack
    this.#unsent.returned(...(taken === undefined ? [] : [taken]), ...(all ? this.#waiting : []))
    this.#answer?.stop(new PluginError('CHAT_STOPPED', 'Stopped'), { leavesMark })
    if (!leavesMark) {
      this.#isNewPrompt = false
      this.#isAnew = false
      this.#transcript.change({ type: isBack ? 'retract' : 'drop' })
    }
    if (all) this.#queue.giveBack('The chat was stopped before this prompt was sent')
    this.#tell()
    return { ...(taken === undefined ? {} : { taken }), ...(isBack ? { back: true } : {}) }
  }

  /**
   * Goes on with the last answer, which was cut; while its server is waited for, has it tried now.
   * @throws PluginError CHAT_BUSY, CHAT_NO_MODEL; CHAT_NO_TURN when there is no such answer
   */
  async resume(): Promise<void> {
    if (this.#answer?.waiting) return this.#answer.hurry()
    this.#refuseWhileBusy()
    const cut = cutAnswer(this.conversation)
    if (cut) return this.#ask(cut.model ?? this.#chosenModel(), cut)
    throw new PluginError('CHAT_NO_TURN', 'The last answer was not cut', { hint: 'gr asks the last question again.' })
  }

  /**
   * Goes on with what an earlier host was asked and did not bring to its end, where that is done by itself. An answer that is
   * whole, or that a person has stopped, is left as it is.
   */
  goOn(): void {
    const { model } = this.record.meta
    if (this.#answer || this.settings.resume !== 'auto' || model === undefined) return
    const last = this.conversation.turns.at(-1)
    const cut = cutAnswer(this.conversation)
    if (last?.role === 'user') void this.#ask(model)
    else if (cut?.end === 'interrupted') void this.#ask(cut.model ?? model, cut)
  }

  /** The prompts behind the running answer. */
  queue(): Array<{ prompt: number; text: string }> {
    return this.#queue.list
  }

  /** Gives one of them back. @throws PluginError CHAT_NO_TURN when it does not wait any more */
  unqueue(prompt: number): void {
    const waiting = this.#queue.list.find((one) => one.prompt === prompt)
    if (!waiting) throw new PluginError('CHAT_NO_TURN', 'This prompt does not wait any more')
    this.#unsent.returned(waiting.text)
    this.#queue.takeOut(prompt)
    this.#tell()
  }

  /**
   * Asks the last question again; the former answer stays in the history.
   * @throws PluginError CHAT_BUSY, CHAT_NO_MODEL, CHAT_NO_TURN
   */
  async again(): Promise<void> {
    this.#refuseWhileBusy()
    const model = this.#chosenModel()
    const asked = askedTurns(this.conversation)
    const { turns } = this.conversation
    if (turns[asked - 1]?.role !== 'user') throw new PluginError('CHAT_NO_TURN', 'Nothing has been asked yet')
    const isMarkOnly = asked === turns.length - 1 && isStoppedMark(turns.at(-1))
    this.#isAnew = asked < turns.length && !isMarkOnly
    if (this.#isAnew) this.#transcript.branch(asked)
    else if (isMarkOnly) this.#transcript.change({ type: 'drop' })
    await this.#ask(model)
  }

  /** From the next prompt on. */
  useModel(ref: string): ChatState {
    return this.note({ model: ref })
  }

  /** What its next request is made with. */
  get settings(): ChatSettings {
    return this.parameters.settings
  }

  /** Whether something is asked, or waits to be. */
  get isBusy(): boolean {
    return this.#answer !== undefined || this.#queue.length > 0
  }

  /** Changes what is known of the chat besides its turns, and tells the state anew. */
  note(set: MetaChange['set']): ChatState {
    if (Object.keys(set).length > 0) this.#ledger.apply({ type: 'meta', set })
    this.#tell()
    return this.state()
  }

  /**
   * Goes on with a chat whose host is gone. What waited behind an answer does so no more.
   * @param left what stands in the editor; what is to be seen besides is written
   * @returns what could not be read as it was meant
   */
  adopt(left?: Left): string[] {
    this.#refuseWhileBusy()
    return this.#transcript.adopt(left)
  }

  /** Notes what stands in the prompt. */
  noteDraft(draft: Draft): void {
    this.#unsent.write(draft)
  }

  state(): ChatState {
    const { ended } = this.#states
    const { model } = this.#ledger.record.meta
    const waiting = this.#answer?.waiting
    return {
      chat: this.#chat,
      ...this.#kept(),
      ...(model === undefined ? {} : { model }),
      phase: this.#states.phase,
      ...(ended === undefined ? {} : { ended }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(waiting === undefined ? {} : { waiting }),
      queued: this.#queue.length,
      ...(this.#rate === undefined ? {} : { rate: this.#rate }),
    }
  }

  /** A way to a server has changed, and with it perhaps what is told of the wait for it. */
  wayChanged(): void {
    if (this.#answer?.waiting) this.#tell()
  }

  /** What stands of it in the editor, where that is known. */
  get standing(): Standing | undefined {
    return this.#transcript.standing
  }

  /**
   * Renders the whole transcript, also into a new buffer while an answer comes.
   * @param standing what another session has left in the buffer: only what differs is written
   */
  async show(standing?: Standing): Promise<void> {
    this.#transcript.show(standing)
    await this.#transcript.settle()
  }

  /** Its editor is gone, and is told nothing more. What is known of the chat stays as it is. */
  leave(): void {
    this.#isClosed = true
    this.#transcript.close()
  }

  /** Ends the running answer and everything that waits. The editor hears no more of this chat. */
  close(): void {
    this.#isClosed = true
    this.#transcript.close()
    this.stop({ all: true })
  }

  #prompt(text: string, model: string): Promise<void> {
    const at = localTime(this.#deps.clock.now())
    const { system } = this.settings
    const isFirst = this.conversation.turns.length === 0
    if (isFirst) this.parameters.keep()
    const first: Turn[] = isFirst && system ? [{ role: 'system', text: system, at }] : []
    this.#transcript.append(...first, { role: 'user', text, at })
    this.#isNewPrompt = true
    return this.#ask(model)
  }

  async #promptQueued(text: string): Promise<void> {
    return this.#prompt(text, this.#chosenModel())
  }

  async #replace(turn: SeenTurn, text: string, model: string): Promise<void> {
    this.editing.rewrite(turn, text, localTime(this.#deps.clock.now()))
    this.#unsent.editSent()
    if (this.conversation.turns.at(-1)?.role === 'user') return this.#ask(model)
    await this.#transcript.settle()
  }

  /** Has the conversation answered, or a cut answer gone on with. Resolves when what is asked stands in the transcript; the request waits for no one. */
  #ask(model: string, cut?: Turn): Promise<void> {
    this.#error = undefined
    this.#states.move('queued')
    this.#states.move(cut ? 'resuming' : 'connecting')
    this.#tell()
    const standing = this.#transcript.settle()
    const settings = () => this.settings
    const own = { transcript: this.#transcript, states: this.#states, settings, onMove: () => this.#tell() }
    this.#answer = new AnswerRun(model, { ...this.#deps, ...own }, cut)
    void this.#answer.run().then((outcome) => this.#end(outcome))
    return standing
  }

  #end({ end, error, usage }: Outcome): void {
    const ended = endedState(end)
    this.#answer = undefined
    this.#isNewPrompt = false
    this.#isAnew = false
    this.#error = error
    this.#rate = usage && rateOf(usage)
    this.#states.move(ended)
    this.#deps.log.info('answer ended', { chat: this.#chat, end })
    // What waits when the host ends stays written down, for whoever goes on with the chat.
    if (this.#isClosed) return
    if (error) this.#giveBack('The answer before this prompt failed, so it was not sent')
    this.#tell()
    this.#sendNext()
    if (!this.isBusy) this.#onIdle()
  }

  #sendNext(): void {
    const next = this.#queue.next()
    if (!next) return
    next.settle(this.#promptQueued(next.text))
    this.#queue.tell()
    if (this.#answer) return
    this.#unsent.returned(next.text)
    this.#giveBack('The prompt before this one could not be sent')
    this.#tell()
  }

  #giveBack(why: string): void {
    this.#unsent.returned(...this.#waiting)
    this.#queue.giveBack(why)
  }

  get #waiting(): string[] {
    return this.#queue.list.map(({ text }) => text)
  }

  #chosenModel(): string {
    if (this.#isClosed) throw new PluginError('CHAT_STOPPED', 'This chat is closed')
    const { model } = this.#ledger.record.meta
    if (model !== undefined) return model
    throw new PluginError('CHAT_NO_MODEL', 'No model is chosen for this chat', {
      hint: 'Choose one with :Ollama model.',
    })
  }

  #refuseWhileBusy(): void {
    if (!this.#answer) return
    throw new PluginError('CHAT_BUSY', 'An answer is still coming', {
      hint: 'Stop it first, or wait until it is done.',
    })
  }

  /** Tells the editor what the chat does now. Nothing waits for it. */
  #tell(): void {
    if (this.#isClosed) return
    const state = this.state()
    const told = async () => this.#deps.surface.state(state)
    told().catch((error: unknown) => this.#deps.log.warn('state lost', { chat: this.#chat, error }))
  }
}
