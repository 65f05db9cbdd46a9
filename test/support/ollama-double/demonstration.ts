/**
 * What the demonstration server answers: Markdown about the text that was sent, the same for the same messages.
 * It pretends no understanding; it shows headings, lists, quotes and code so that a client can be looked at.
 */

import type { Message } from './ask.ts'
import { piecesOf } from './pieces.ts'

export interface DemonstrationAnswer {
  readonly thinking: readonly string[]
  readonly pieces: readonly string[]
}

interface CodeBlock {
  readonly language: string
  readonly lines: readonly string[]
}

const QUOTED_LINES = 6
const REPEATED_LINES = 5

export function demonstrationAnswer(messages: readonly Message[]): DemonstrationAnswer {
  const question = messages.findLast((message) => message.role === 'user')?.content ?? ''
  const blocks = codeBlocks(question)
  const sections = [
    'This is a demonstration server: there is no model behind it, and it only echoes what you sent.',
    ...quotedQuestion(question),
    '### What came along',
    facts(messages, question, blocks).join('\n'),
    ...blocks.slice(0, 1).map(repeatedCode),
    '### A code block, to look at',
    fenced('python', [
      `turn = ${turnOf(messages)}`,
      'if turn < 2 and turn > 0:',
      '    print("the first turn → nothing before it")',
    ]),
    'Ask something else, and the numbers above will change.',
  ]
  return { thinking: piecesOf(thoughts(messages, question)), pieces: piecesOf(`${sections.join('\n\n')}\n`) }
}

function thoughts(messages: readonly Message[], question: string): string {
  const words = countWords(question)
  return `The question has ${plural(words, 'word')} and is turn ${turnOf(messages)}. I cannot think about it, so I will count and quote.`
}

function quotedQuestion(question: string): string[] {
  const prose = question.replace(FENCE, '').split('\n')
  const lines = prose.map((line) => line.trimEnd()).filter((line) => line !== '')
  if (lines.length === 0) return []
  const shown = lines.slice(0, QUOTED_LINES)
  if (lines.length > shown.length) shown.push(`… and ${plural(lines.length - shown.length, 'more line')}`)
  return ['You asked:', shown.map((line) => `> ${line}`).join('\n')]
}

function facts(messages: readonly Message[], question: string, blocks: readonly CodeBlock[]): string[] {
  const system = messages.find((message) => message.role === 'system')
  return [
    `- **turn ${turnOf(messages)}** of this conversation, with ${plural(messages.length, 'message')} in all`,
    `- ${plural(countWords(question), 'word')} on ${plural(question.split('\n').length, 'line')} in the question`,
    ...(system === undefined ? [] : [`- a system prompt of ${plural(countWords(system.content), 'word')}`]),
    ...blocks.map((block) => `- a code block in \`${block.language}\` with ${plural(block.lines.length, 'line')}`),
  ]
}

function repeatedCode(block: CodeBlock): string {
  const shown = block.lines.slice(0, REPEATED_LINES)
  const whole = shown.length === block.lines.length
  return `Your code ${whole ? 'is' : 'begins with'}:\n\n${fenced(block.language, shown)}`
}

const FENCE = /^(`{3,}|~{3,})([^\n`]*)\n([\s\S]*?)^\1[ \t]*$/gm

function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(FENCE)].map(([, , info = '', code = '']) => ({
    language: info.trim().split(/\s+/)[0] || 'text',
    lines: code.replace(/\n$/, '').split('\n'),
  }))
}

/** A fence longer than any that the lines contain. */
function fenced(language: string, lines: readonly string[]): string {
  const longest = Math.max(2, ...lines.map((line) => /^\s*(`+)/.exec(line)?.[1]?.length ?? 0))
  const fence = '`'.repeat(longest + 1)
  return [`${fence}${language}`, ...lines, fence].join('\n')
}

function turnOf(messages: readonly Message[]): number {
  return messages.filter((message) => message.role === 'user').length
}

function countWords(text: string): number {
  return text.match(/\S+/gu)?.length ?? 0
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
