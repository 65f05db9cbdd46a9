/** The prompt that a model is given, as ChatML, and back. Pure; what is answered to it is answer-plan.ts's. */

import type { Message } from './ask.ts'

/** What a model's template makes of an assistant message at the end. */
export type Trailing =
  /** The message is left open: the model goes on with it. */
  | 'continued'
  /** It is ended, and a new turn begins. */
  | 'closed'
  /** As llama-server refused it for a while. */
  | 'refused'

const START = '<|im_start|>'
const END = '<|im_end|>\n'
const HEADER = `${START}assistant\n`

export function render(messages: readonly Message[], trailing: Trailing): string {
  const isOpen = trailing === 'continued' && messages.at(-1)?.role === 'assistant'
  const turns = messages.map(({ role, content }) => `${START}${role}\n${content}${END}`).join('')
  return isOpen ? turns.slice(0, -END.length) : turns + HEADER
}

/** The messages of a rendered prompt, and what stands behind the last header. A prompt of other form is one question. */
export function readRendered(prompt: string): { messages: Message[]; partial: string } {
  const at = prompt.lastIndexOf(HEADER)
  if (at === -1) return { messages: [{ role: 'user', content: prompt }], partial: '' }
  const turns = prompt.slice(0, at).split(START).slice(1)
  const messages = turns.map((turn) => {
    const [role = '', ...content] = turn.split('\n')
    return { role, content: content.join('\n').slice(0, -END.trimEnd().length - 1) }
  })
  return { messages, partial: prompt.slice(at + HEADER.length) }
}

/** Why a list of messages is refused by the native path, in its words. */
export function refusalOf(messages: readonly Message[], trailing: Trailing): string | undefined {
  const [last, other] = [messages.at(-1), messages.at(-2)]
  if (last?.role !== 'assistant') return undefined
  if (other?.role === 'assistant') return 'Cannot have 2 or more assistant messages at the end of the list.'
  return trailing === 'refused' ? 'Assistant response prefill is incompatible with enable_thinking.' : undefined
}
