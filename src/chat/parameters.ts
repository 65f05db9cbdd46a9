// What a chat's requests are made with: its own once it has begun, the configured ones before. Pure.
import type { ChosenParameters, Params } from '../rpc/protocol.ts'
import type { RequestSettings } from './answer-run.ts'
import type { TurnParameters } from './conversation.ts'
import type { ChatParameters } from './record.ts'

/** What is configured for new chats. */
export interface ChatSettings extends RequestSettings {
  /** The system prompt of new chats. */
  system?: string | undefined
}

/** The settings of a chat, in which its own parameters stand for all those that are configured. */
export function settingsOf(configured: ChatSettings, parameters: ChatParameters | undefined): ChatSettings {
  if (!parameters) return configured
  const { options = {}, think, keepAlive, system } = parameters
  return { ...configured, options, think, keepAlive, system }
}

/** Those that were chosen: without what is left to the server and the model. */
export function chosen({ options, think, keepAlive, system }: ChatSettings): ChatParameters {
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
export function withChanges(parameters: ChatParameters, change: Omit<Params<'chat.set'>, 'chat'>): ChatParameters {
  const { options, think, keep_alive: keepAlive, system } = change
  const merged = options === null ? [] : Object.entries({ ...parameters.options, ...options })
  const fields = Object.entries({ ...parameters, ...given({ think, keepAlive, system }) })
  const { options: _options, ...rest } = Object.fromEntries(fields.filter(([, value]) => value !== null))
  const left = merged.filter(([, value]) => value !== null)
  return { ...rest, ...(left.length === 0 ? {} : { options: Object.fromEntries(left) }) }
}

export function told({ options, think, keepAlive, system }: ChatParameters): ChosenParameters {
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
