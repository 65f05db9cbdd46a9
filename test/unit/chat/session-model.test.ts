// Any life of a chat: whatever is done in whatever order, the laws of a session hold.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { messages } from '../../../src/chat/conversation.ts'
import { parse, renderShown } from '../../../src/chat/transcript/format.ts'
import { PluginError } from '../../../src/core/errors.ts'
import type { SeamMethod } from '../../../src/providers/provider.ts'
import { settled } from './fake-clock.ts'
import { hostileText } from './hostile.ts'
import { type Rig, setUp } from './rig.ts'

type Action =
  | { do: 'send'; replaces?: number }
  | { do: 'say'; type: 'text' | 'thinking'; text: string }
  | { do: 'phase'; phase: 'connecting' | 'authenticating' | 'loading' | 'reading' }
  | { do: 'finish'; reason: 'stop' | 'length' | 'load' | 'unknown' }
  | { do: 'fail'; code: 'SSH_DISCONNECTED' | 'SSH_UNREACHABLE' | 'API_ERROR' | 'odd' }
  | { do: 'join'; method: SeamMethod; back: number }
  | { do: 'step'; by: number }
  | { do: 'variant'; turn: number; by: number }
  | { do: 'remove'; turn: number }
  | { do: 'wait'; ms: number }
  | { do: 'away' | 'back' | 'refuseWay' | 'resume' | 'stopAll' | 'unqueue' }
  | { do: 'stop' | 'again' | 'breakOff' | 'model' | 'show' | 'wipe' | 'failWrites' | 'block' | 'refuse' }

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('send' as const), replaces: fc.integer({ min: 1, max: 5 }) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('say' as const),
        type: fc.constantFrom('text' as const, 'text' as const, 'thinking' as const),
        text: hostileText,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('phase' as const),
        phase: fc.constantFrom(
          'connecting' as const,
          'authenticating' as const,
          'loading' as const,
          'reading' as const,
        ),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('finish' as const),
        reason: fc.constantFrom('stop' as const, 'length' as const, 'load' as const, 'unknown' as const),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('fail' as const),
        code: fc.constantFrom(
          'SSH_DISCONNECTED' as const,
          'SSH_UNREACHABLE' as const,
          'API_ERROR' as const,
          'odd' as const,
        ),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('join' as const),
        method: fc.constantFrom('prefill' as const, 'raw' as const, 'continue' as const, 'anew' as const),
        back: fc.nat(5),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom(...(['away', 'back', 'refuseWay', 'resume', 'stopAll', 'unqueue'] as const)),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('step' as const), by: fc.constantFrom(-2, -1, -1, 1, 1, 2) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('variant' as const),
        turn: fc.integer({ min: 1, max: 5 }),
        by: fc.constantFrom(-2, -1, 1, 2, 3),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('remove' as const), turn: fc.integer({ min: 1, max: 5 }) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(100) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom(
          ...([
            'stop',
            'again',
            'again',
            'breakOff',
            'model',
            'show',
            'wipe',
            'failWrites',
            'block',
            'refuse',
          ] as const),
        ),
      }),
    },
  ),
  { maxLength: 30 },
)

const policies = fc.constantFrom('auto' as const, 'ask' as const, 'never' as const)

/** What was promised, and what became of it. */
interface Promised {
  text: string
  outcome: 'waiting' | 'kept' | string
}

function watch(promise: Promise<unknown>, text: string, promises: Promised[]): void {
  const promised: Promised = { text, outcome: 'waiting' }
  promises.push(promised)
  promise.then(
    () => {
      promised.outcome += ' kept'
    },
    (error: PluginError) => {
      promised.outcome += ` ${error.code}`
    },
  )
}

/** A prompt that was taken back is the person's again. */
function takeBack({ taken }: { taken?: string }, promises: Promised[]): void {
  for (const promised of promises) if (promised.text === taken) promised.text = ''
}

/** A continuation's first part is a seam, whatever comes then. */
function joinFirst(rig: Rig, method: SeamMethod = 'prefill', back = 0): void {
  const answer = rig.answerer.answers.at(-1)
  if (!answer?.partial || answer.isJoined) return
  answer.isJoined = true
  answer.say({ type: 'seam', method, back: Math.min(back, answer.partial.text.length) })
}

async function act(rig: Rig, action: Action, index: number, promises: Promised[]): Promise<void> {
  const { session, surface, answerer, ways, clock } = rig
  const answer = answerer.answers.at(-1)
  if (action.do === 'say' || action.do === 'finish') joinFirst(rig)
  switch (action.do) {
    case 'send': {
      const text = `prompt ${index}\n## ◆ You`
      const options = action.replaces === undefined ? {} : { replaces: action.replaces }
      return watch(session.send(text, options), text, promises)
    }
    case 'again':
      return watch(session.again(), '', promises)
    case 'step':
      return watch(session.editing.step(action.by), '', promises)
    case 'variant':
      return watch(session.editing.variant(action.turn, action.by), '', promises)
    case 'remove':
      return watch(session.editing.remove(action.turn), '', promises)
    case 'show':
      surface.isGone = false
      return watch(session.show(), '', promises)
    case 'say':
      return answer?.say(action)
    case 'phase':
      return answer?.say({ type: 'phase', phase: action.phase })
    case 'finish':
      return answer?.finish(action.reason, { answerTokens: index })
    case 'fail':
      return answer?.fail(action.code === 'odd' ? 'odd' : new PluginError(action.code, 'It failed', { hint: 'Do so.' }))
    case 'breakOff':
      return answer?.breakOff()
    case 'join':
      return joinFirst(rig, action.method, action.back)
    case 'away':
      ways.isBack = false
      return
    case 'back':
      return ways.comeBack()
    case 'refuseWay':
      return ways.refuse(new PluginError(index % 2 === 0 ? 'SSH_AUTH_FAILED' : 'SSH_UNREACHABLE', 'No way back'))
    case 'resume':
      return watch(session.resume(), '', promises)
    case 'stopAll':
      return takeBack(session.stop({ all: true }), promises)
    case 'unqueue':
      for (const { prompt } of session.queue().slice(0, 1)) session.unqueue(prompt)
      return
    case 'stop':
      return takeBack(session.stop(), promises)
    case 'model':
      return void session.useModel(`gpu:m${index}`)
    case 'wipe':
      surface.isGone = true
      surface.text = ''
      return
    case 'failWrites':
      surface.failures = 3
      return
    case 'block':
      surface.block()
      return
    case 'refuse':
      answerer.refusal = answerer.refusal === undefined ? new PluginError('API_UNAVAILABLE', 'No way') : undefined
      return
    case 'wait':
      surface.release()
      return clock.advance(action.ms)
  }
}

/** Ends everything that still goes on, as the servers and the editor would. */
async function conclude(rig: Rig): Promise<void> {
  const { session, surface, answerer, ways, clock } = rig
  answerer.refusal = undefined
  ways.comeBack()
  surface.release()
  surface.failures = 0
  surface.isGone = false
  for (let round = 0; round < 80 && session.state().phase !== 'idle'; round++) {
    joinFirst(rig)
    answerer.answers.at(-1)?.finish()
    await clock.advance(session.state().phase === 'waiting' ? 30_000 : 300)
  }
  await clock.advance(300)
}

test('transcript, conversation and requests stay in step, and everything ends', async () => {
  await fc.assert(
    fc.asyncProperty(actions, policies, async (list, policy) => {
      const rig = setUp({ system: 'Be brief.', resume: policy })
      const { session, answerer, surface, clock } = rig
      const promises: Promised[] = []
      const stream = answerer.stream.bind(answerer)
      answerer.stream = (model, request, options) => {
        expect(request.messages).toEqual(messages(session.conversation))
        expect(request.messages.at(-1)?.role).toBe('user')
        return stream(model, request, options)
      }
      const resume = answerer.resume.bind(answerer)
      answerer.resume = (model, request, partial, options) => {
        const { turns } = session.conversation
        expect(request.messages).toEqual(messages({ turns: turns.slice(0, -1) }))
        expect(partial).toEqual({ text: turns.at(-1)?.text, thinking: turns.at(-1)?.thinking ?? '' })
        return resume(model, request, partial, options)
      }
      for (const [index, action] of list.entries()) {
        await act(rig, action, index, promises)
        if (index % 3 === 0) await settled()
      }
      await conclude(rig)
      expect(session.state()).toMatchObject({ phase: 'idle', queued: 0 })
      for (const { outcome } of promises) {
        expect(outcome).toMatch(/^waiting (?:kept|CANCELLED|CHAT_(?:STOPPED|BUSY|NO_TURN))$/)
      }
      await session.show()
      expect(surface.text).toBe(renderShown(session.record.history))
      expect(parse(surface.text)).toEqual({ conversation: session.conversation, problems: [] })
      expect(clock.sleeping).toBe(0)
      expect(rig.ways.waiting).toBe(0)
      await expectNothingLost(rig, promises)
    }),
    { numRuns: 400 },
  )
})

test('while the editor is well, it is in step after the last answer by itself', async () => {
  const calm = actions.map((list) => list.filter(({ do: name }) => !['wipe', 'failWrites'].includes(name)))
  await fc.assert(
    fc.asyncProperty(calm, policies, async (list, resume) => {
      const rig = setUp({ resume })
      for (const [index, action] of list.entries()) await act(rig, action, index, [])
      await conclude(rig)
      expect(rig.surface.text).toBe(renderShown(rig.session.record.history))
    }),
    { numRuns: 300 },
  )
})

/** Every prompt that was taken stands in some version. */
async function expectNothingLost({ session }: Rig, promises: readonly Promised[]): Promise<void> {
  const seen = new Set<string>()
  const look = () => {
    for (const turn of session.conversation.turns) seen.add(turn.text)
  }
  for (const by of [-1, 1] as const) {
    look()
    while (
      await session.editing.step(by).then(
        () => true,
        () => false,
      )
    )
      look()
  }
  for (const { text, outcome } of promises) if (text !== '' && outcome === 'waiting kept') expect(seen).toContain(text)
}
