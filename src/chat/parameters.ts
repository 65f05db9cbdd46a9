// What a chat's requests are made with: its own once it has begun, the configured ones before. What becomes of a request is
// answer-run.ts's.
import { PluginError } from '../core/errors.ts'
import type { ChatRequest } from '../providers/provider.ts'
import type { Params } from '../rpc/protocol.ts'
import type { ChosenParameters } from '../rpc/shapes.ts'
import type { ResumePolicy } from './answer/outcome.ts'
import type { TurnParameters } from './record/conversation.ts'
import { current } from './record/history.ts'
import type { Ledger } from './record/ledger.ts'
import type { ChatParameters } from './record/record.ts'

/** What a request is made with, and what becomes of its answer when it is cut. */
export type RequestSettings = Pick<ChatRequest, 'options' | 'think' | 'keepAlive'> & { resume: ResumePolicy }

/** What is configured for new chats. */
export interface ChatSettings extends RequestSettings {
  /** The system prompt of new chats. */
  system?: string | undefined
}

export class Parameters {
  readonly #ledger: Ledger
  readonly #configured: () => ChatSettings

  constructor(ledger: Ledger, configured: () => ChatSettings) {
    this.#ledger = ledger
    this.#configured = configured
  }

  get settings(): ChatSettings {
    return settingsOf(this.#configured(), this.#ledger.record.meta.parameters)
  }

  /** The chat goes on as it begins now, whatever is configured later. */
  keep(): void {
    const parameters = chosen(this.settings)
    if (this.#ledger.record.meta.parameters || Object.keys(parameters).length === 0) return
    this.#ledger.apply({ type: 'meta', set: { parameters } })
  }

  /**
   * Changes them from the next request on.
   * @returns all that was chosen
   * @throws PluginError CHAT_BUSY for a system prompt when the chat has begun
   */
  set(change: Omit<Params<'chat.set'>, 'chat'>): ChosenParameters {
    if (change.system !== undefined && current(this.#ledger.record.history).turns.length > 0) {
      throw new PluginError('CHAT_BUSY', 'The system prompt stands at the beginning of the chat, which has begun', {
        hint: 'Change it there with ge, or start another chat with :Ollama new.',
      })
    }
    const after = withChanges(chosen(this.settings), change)
    if (Object.keys(change).length > 0) this.#ledger.apply({ type: 'meta', set: { parameters: after } })
    return told(after)
  }
}

/** The settings of a chat, in which its own parameters stand for all those that are configured. */
function settingsOf(configured: ChatSettings, parameters: ChatParameters | undefined): ChatSettings {
  if (!parameters) return configured
  const { options = {}, think, keepAlive, system } = parameters
  return { ...configured, options, think, keepAlive, system }
}

/** Those that were chosen: without what is left to the server and the model. */
function chosen({ options, think, keepAlive, system }: ChatSettings): ChatParameters {
  return { ...requestParameters({ options, think, keepAlive }), ...(system ? { system } : {}) }
}

/** The same of one request. */
export function requestParameters({ options, think, keepAlive }: TurnParameters): TurnParameters {
  return {
    ...(options && Object.keys(options).length > 0 ? { options } : {}),
    ...(think === undefined ? {} : { think }),
    ...(keepAlive === undefined ? {} : { keepAlive }),
  }
}

/** Parameters with others: what is not given stays, `null` removes. */
function withChanges(parameters: ChatParameters, change: Omit<Params<'chat.set'>, 'chat'>): ChatParameters {
  const { options, think, keep_alive: keepAlive, system } = change
  const merged = options === null ? [] : Object.entries({ ...parameters.options, ...options })
  const fields = Object.entries({ ...parameters, ...given({ think, keepAlive, system }) })
  const { options: _options, ...rest } = Object.fromEntries(fields.filter(([, value]) => value !== null))
  const left = merged.filter(([, value]) => value !== null)
  return { ...rest, ...(left.length === 0 ? {} : { options: Object.fromEntries(left) }) }
}

function told({ options, think, keepAlive, system }: ChatParameters): ChosenParameters {
  return {
    ...(options ? { options } : {}),
    ...(think === undefined ? {} : { think }),
    ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }),
    ...(system ? { system } : {}),
  }
}

function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
