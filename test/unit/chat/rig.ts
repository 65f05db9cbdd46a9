// A session with everything around it in memory.
import { expect } from 'vitest'
import type { ChatSettings } from '../../../src/chat/parameters.ts'
import { messages } from '../../../src/chat/record/conversation.ts'
import type { Change } from '../../../src/chat/record/record.ts'
import { Session } from '../../../src/chat/session.ts'
import { renderShown } from '../../../src/chat/transcript/format.ts'
import { type LogLevel, logTo } from '../../../src/core/log.ts'
import { FakeClock, settled } from './fake-clock.ts'
import { MemorySurface } from './memory-surface.ts'
import { ScriptedAnswerer } from './scripted-answerer.ts'
import { ScriptedWays } from './scripted-ways.ts'

export const CHAT = 7

export function setUp(settings: Partial<ChatSettings> = {}, level: LogLevel = 'error') {
  const clock = new FakeClock()
  const surface = new MemorySurface()
  const answerer = new ScriptedAnswerer()
  const ways = new ScriptedWays()
  const log: string[] = []
  const deps = {
    surface,
    answerer,
    clock,
    log: logTo((line) => log.push(line), level),
    ways,
    settings: () => ({ options: {}, resume: 'never' as const, ...settings }),
  }
  const changes: Change[] = []
  const session = new Session(CHAT, deps, { onChange: (change) => changes.push(change) })
  session.useModel('gpu:qwen3')
  return { clock, surface, answerer, ways, log, session, deps, changes }
}

export type Rig = ReturnType<typeof setUp>

/** Lets everything happen that waits for no one, and then holds the picture against the conversation. */
export async function expectInStep({ session, surface, clock }: Rig): Promise<void> {
  await clock.advance(300)
  await settled()
  expect(surface.text).toBe(renderShown(session.record.history))
}

/** The last request carries the conversation before its answer. */
export function expectAsked({ session, answerer }: Rig): void {
  const turns = session.conversation.turns.findLastIndex((turn) => turn.role === 'user') + 1
  expect(answerer.last.request.messages).toEqual(messages({ turns: session.conversation.turns.slice(0, turns) }))
}
