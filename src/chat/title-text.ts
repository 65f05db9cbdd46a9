// The words with which a model is asked for a title, and the title in what it answers. Pure.
import type { Message } from '../providers/provider.ts'

/** In what is shown of it, a title is longer than this for nobody. */
const LONGEST = 50

/** Whoever has said so much without ending a line gives no title. */
export const LONGEST_ANSWER = 300

export const TITLE_REQUEST: Message = {
  role: 'user',
  content:
    'Give this conversation a title of three to six words, in the language it is in. ' +
    'Answer with the title alone: no quotation marks, no explanation.',
}

/** Of the answer's text, thinking aside. Empty when there is no title in it. */
export function titleIn(answer: string): string {
  const lines = withoutThinking(answer).split(/[\n\r\u2028\u2029]/)
  const title = lines.map(cleaned).find((line) => /[\p{L}\p{N}]/u.test(line)) ?? ''
  const signs = Array.from(new Intl.Segmenter().segment(title), ({ segment }) => segment)
  if (signs.length <= LONGEST) return title
  const cut = signs.slice(0, LONGEST).join('')
  const words = cut.replace(/\s+\S*$/, '')
  return `${words.length > LONGEST / 2 ? words : cut}…`
}

/** Whether more of the answer can change nothing of its title. */
export function isTitleWhole(answer: string): boolean {
  const text = withoutThinking(answer)
  return text.length > LONGEST_ANSWER || /[\p{L}\p{N}][^\n]*\n/u.test(text)
}

/** Some models think in their answer, also without an end. */
function withoutThinking(answer: string): string {
  return answer.replace(/<think(?:ing)?>[\s\S]*?(?:<\/think(?:ing)?>|$)/gi, '')
}

function cleaned(line: string): string {
  return line
    .replace(/\p{C}/gu, ' ')
    .replace(/^\s*(?:[#>*+-]+\s+|\d+[.)]\s+)+/, '')
    .replace(/^[\s*_`"'“”„«»‘’]*(?:title|titel)\s*:\s*/i, '')
    .replace(/[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}/g, '')
    .replace(/^[\s"'“”„«»‘’]+|[\s"'“”„«»‘’.]+$/g, '')
    .replace(/\s+/g, ' ')
}
