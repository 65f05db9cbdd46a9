// A folder full of saved chats, as a person leaves it behind in years. What is measured in it is the scenarios' business.
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { historyOf } from '../src/chat/record/history.ts'
import { renderChat } from '../src/chat/transcript/chat-file.ts'
import { answerText } from './text.ts'

export interface Shelf {
  /** How many chats. */
  count: number
  /** Of each, about. */
  bytes: number
  /** Stands in the oldest chat only. */
  needle: string
}

const SECOND_MS = 1_000
/** A name as the plugin gives it: `debugging-17_demo_20260102-030405.txt`. */
const name = (index: number, at: Date) => `debugging-${index}_demo_${stamp(at)}.txt`

/** Writes the chats into Neovim's folder of saved chats, the first one the oldest, a second apart. */
export async function fillShelf(folder: string, { count, bytes, needle }: Shelf): Promise<void> {
  const chats = join(folder, 'data', 'nvim', 'ollama', 'chats')
  await mkdir(chats, { recursive: true, mode: 0o700 })
  const newest = Date.now() - SECOND_MS
  for (let from = 0; from < count; from += AT_ONCE) {
    const indices = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => from + index)
    await Promise.all(
      indices.map(async (index) => {
        const at = new Date(newest - (count - index) * SECOND_MS)
        const path = join(chats, name(index, at))
        await writeFile(path, chatText(index, bytes, index === 0 ? needle : ''), { mode: 0o600 })
        await utimes(path, at, at)
      }),
    )
  }
}

const AT_ONCE = 64
const ANSWER_TOKENS = 1_200

function chatText(index: number, bytes: number, needle: string): string {
  const answer = answerText({ label: `shelf-${index}`, tokens: ANSWER_TOKENS })
  const rounds = Math.max(1, Math.round(bytes / answer.length))
  const at = '2026-01-02 03:04:05'
  const turns = Array.from({ length: rounds }, (_, round) => [
    { role: 'user' as const, text: `Question ${round} of ${index}? ${needle}`, at },
    { role: 'assistant' as const, text: answer, at, model: 'bench:demo', end: 'done' as const },
  ]).flat()
  const meta = { created: at, title: `debugging ${index}`, titled: 'first-line' as const, model: 'bench:demo' }
  return renderChat({ meta, history: historyOf({ turns }) })
}

function stamp(at: Date): string {
  const digits = at.toISOString().replace(/\D/g, '')
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}`
}
