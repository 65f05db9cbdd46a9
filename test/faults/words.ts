// Puts what was seen into words that are the same from run to run. Pure.
import type { ErrorCode } from '../../src/core/errors.ts'
import type { Sign } from './recorder.ts'
import { FIRST_PIECE, type Look, WHOLE } from './stage.ts'

/** The expected code that was met, else the first that was. */
export function codeOf(signs: readonly Sign[], { state }: Look, expected: readonly ErrorCode[]): string | undefined {
  const shown = signs.filter(({ isCode }) => isCode).map(({ words }) => words)
  const met = [...shown, state.error?.code, state.waiting?.error.code]
  return met.find((code) => expected.includes(code as ErrorCode))
}

/** The note under the answer, else why it is waited, else the chat's error, else the first words on the screen, or a message. */
export function wordsRead({ turns, state, messages }: Look, code: string | undefined, signs: readonly Sign[]): string {
  const note = turns.findLast(({ note }) => note && (code === undefined || note.code === code))?.note?.text
  const told = state.error && [state.error.message, state.error.hint].filter((words) => words !== undefined).join('\n')
  const words = signs.find(({ isCode }) => !isCode)?.words
  const waiting = state.waiting && `${words?.split(' · ')[0] ?? 'waiting'}: ${state.waiting.error.message}`
  return steady(waiting ?? note ?? told ?? words ?? messages.trim().split('\n').at(-1) ?? '')
}

/** What is left in the chat when the fault is known. */
export function leftIn({ turns, state }: Look): string {
  const last = turns.at(-1)
  if (last?.role === 'user') return state.phase === 'waiting' ? 'the question, which waits' : 'the question'
  if (last?.text === WHOLE) return 'the whole answer'
  const text =
    last?.text === '' ? 'the question' : last?.text.startsWith(FIRST_PIECE) ? 'the text so far' : 'another text'
  return `${text}, marked ${last?.end ?? 'as nothing'}`
}

/** Without ports, temporary folders, fingerprints and process ids. */
export function steady(words: string): string {
  return words
    .replace(/\s*\n\s*/g, ' ')
    .replace(/198\.1[89]\.\d+\.\d+/g, '198.18.…')
    .replace(/(127\.0\.0\.1|198\.18\.…)(\]?):\d+/g, '$1$2:PORT')
    .replace(/ port \d{4,}/g, ' port PORT')
    .replace(/\/tmp\/[\w./-]*\//g, '…/')
    .replace(/[⠀-⣿]/g, '')
    .replace(/\b\d+ s\b(?= ·|$)/g, '… s')
    .replace(/SHA256:[\w+/]+/g, 'SHA256:…')
    .trim()
}
