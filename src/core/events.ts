// What happens on the way of a request, as data: a line of the log and a User autocommand are made of the same event, so
// that neither can tell what the other does not. Who tells them is not here.
import type { Log } from './log.ts'

/** Times in seconds. `request` counts from 1 in the life of a host. */
interface EventData {
  ServerSelected: { server: string; request: number; model: string }
  RequestSent: { server: string; request: number; model: string; messages: number; prompt?: string }
  FirstByte: { server: string; request: number; model: string; seconds: number }
  AnswerComplete: {
    server: string
    request: number
    model: string
    seconds: number
    reason: string
    tokens?: number
    tokensPerSecond?: number
    answer?: string
  }
  AnswerFailed: { server: string; request: number; model: string; seconds: number; code: string; message: string }
  /** `path` of a request that was sent again; `request` and `model` of an answer that is gone on with. */
  Retry: { server: string; why: string; path?: string; request?: number; model?: string }
  ConnectionChanged: { server: string; state: string; code?: string; message?: string }
}

export type EventName = keyof EventData

export type HostEvent = { [N in EventName]: { name: N } & EventData[N] }[EventName]

export type Tell = (event: HostEvent) => void

/** The log's words for each event; a connection writes its moves down itself. */
const LINES: Readonly<Record<EventName, { level: 'info' | 'warn'; words: string } | undefined>> = {
  ServerSelected: { level: 'info', words: 'server selected' },
  RequestSent: { level: 'info', words: 'request' },
  FirstByte: { level: 'info', words: 'first byte' },
  AnswerComplete: { level: 'info', words: 'complete' },
  AnswerFailed: { level: 'warn', words: 'failed' },
  Retry: { level: 'info', words: 'retry' },
  ConnectionChanged: undefined,
}

export function logEvent(log: Log, { name, ...data }: HostEvent): void {
  const line = LINES[name]
  if (line) log[line.level](line.words, data)
}

/** What may leave the host: the words of prompts and answers stay in the log, and there only when they are asked for. */
export function publicData(event: HostEvent): Record<string, unknown> {
  const { name: _name, prompt: _prompt, answer: _answer, ...data } = event as HostEvent & Record<string, unknown>
  return data
}
