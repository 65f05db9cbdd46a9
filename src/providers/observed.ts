// An answer that tells of its way: sent, first byte, complete or failed, each once. It changes no part.
import type { Clock } from '../core/clock.ts'
import { toPluginError } from '../core/errors.ts'
import type { Tell } from '../core/events.ts'
import type { StreamPart } from './provider.ts'

export interface Observation {
  server: string
  /** Counted from 1 in the life of the host. */
  request: number
  model: string
}

export interface Observer {
  clock: Clock
  tell: Tell
  /** The next request's number. */
  number: () => number
  /** Whether the words of the answer are told too. */
  withContent: () => boolean
}

/** The same parts. Whoever leaves the iteration before its end has stopped the answer. */
export async function* observed(
  parts: AsyncIterable<StreamPart>,
  about: Observation,
  { clock, tell, withContent }: Observer,
): AsyncGenerator<StreamPart> {
  const startedAt = clock.now()
  const seconds = () => Math.round(clock.now() - startedAt) / 1000
  const keeps = withContent()
  let answer = ''
  let hasBegun = false
  let isOver = false
  try {
    for await (const part of parts) {
      const isWord = part.type === 'text' || part.type === 'thinking'
      if (part.type === 'finish') {
        isOver = true
        const { answerTokens: tokens, answerMs } = part.usage
        const rate = tokens && answerMs ? { tokensPerSecond: Math.round((tokens / answerMs) * 10_000) / 10 } : {}
        const counted = { ...(tokens === undefined ? {} : { tokens }), ...rate, ...(keeps ? { answer } : {}) }
        tell({ name: 'AnswerComplete', ...about, seconds: seconds(), reason: part.reason, ...counted })
      }
      if (part.type === 'text' && keeps) answer += part.text
      yield part
      // After the word has gone on its way, which shall not wait for this.
      if (isWord && !hasBegun) {
        hasBegun = true
        tell({ name: 'FirstByte', ...about, seconds: seconds() })
      }
    }
  } catch (thrown) {
    isOver = true
    const { code, message } = toPluginError(thrown)
    tell({ name: 'AnswerFailed', ...about, seconds: seconds(), code, message })
    throw thrown
  } finally {
    if (!isOver) tell({ name: 'AnswerFailed', ...about, seconds: seconds(), code: 'CHAT_STOPPED', message: 'Stopped' })
  }
}
