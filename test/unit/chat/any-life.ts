// Any life of a chat: whatever a person, a server, the network and an editor may do to it, in whatever order.
import fc from 'fast-check'
import { PluginError } from '../../../src/core/errors.ts'
import type { SeamMethod } from '../../../src/providers/provider.ts'
import { settled } from './fake-clock.ts'
import { hostileText } from './hostile.ts'
import type { Rig } from './rig.ts'

/** Something that is asked, and its whole answer; of what is asked nothing is left when that is refused. */
interface Exchange {
  do: 'exchange'
  how: 'prompt' | 'again' | 'edit' | 'resume'
  /** The turn that is edited. */
  turn: number
  thinks: boolean
  end: 'done' | 'cut' | 'failed' | 'stopped' | 'silent'
}

export type Action =
  | { do: 'send'; replaces?: number }
  | { do: 'say'; type: 'text' | 'thinking'; text: string }
  | { do: 'phase'; phase: 'connecting' | 'authenticating' | 'loading' | 'reading' }
  | { do: 'finish'; reason: 'stop' | 'length' | 'load' | 'unknown' }
  | { do: 'fail'; code: 'SSH_DISCONNECTED' | 'SSH_UNREACHABLE' | 'API_ERROR' | 'odd' }
  | { do: 'join'; method: SeamMethod; back: number }
  | Exchange
  | { do: 'step'; by: number }
  | { do: 'variant'; turn: number; by: number }
  | { do: 'remove'; turn: number }
  | { do: 'wait'; ms: number }
  | { do: 'away' | 'back' | 'refuseWay' | 'resume' | 'stopAll' | 'unqueue' }
  | { do: 'stop' | 'again' | 'breakOff' | 'model' | 'show' | 'wipe' | 'failWrites' | 'block' | 'refuse' }

const turn = fc.integer({ min: 1, max: 6 })

const exchanges: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('exchange' as const),
  how: fc.constantFrom(...(['prompt', 'prompt', 'prompt', 'again', 'edit', 'resume', 'resume'] as const)),
  turn,
  thinks: fc.boolean(),
  end: fc.constantFrom(...(['done', 'done', 'cut', 'failed', 'stopped', 'silent'] as const)),
})

const historyMoves: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant('step' as const), by: fc.constantFrom(-2, -1, -1, 1, 1, 2) }),
  fc.record({ do: fc.constant('variant' as const), turn, by: fc.constantFrom(-2, -1, 1, 2, 3) }),
  fc.record({ do: fc.constant('remove' as const), turn }),
)

/** A life in which all goes well, and much is thought better of. */
export const edits: fc.Arbitrary<Action[]> = fc.array(fc.oneof(exchanges, historyMoves), { maxLength: 30, size: 'max' })

export const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('send' as const), replaces: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 8, arbitrary: exchanges },
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
    { weight: 9, arbitrary: historyMoves },
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
  { maxLength: 30, size: 'max' },
)

export const policies = fc.constantFrom('auto' as const, 'ask' as const, 'never' as const)

/** What was promised, and what became of it. */
export interface Promised {
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

/** Nothing while another answer comes. */
async function exchange(
  rig: Rig,
  { how, turn, thinks, end }: Exchange,
  index: number,
  promises: Promised[],
): Promise<void> {
  const { session, answerer } = rig
  if (session.state().phase !== 'idle') return
  const before = answerer.answers.length
  const text = `question ${index}`
  const ways = {
    prompt: () => watch(session.send(text), text, promises),
    edit: () => watch(session.send(text, { replaces: { turn } }), text, promises),
    again: () => watch(session.again(), '', promises),
    resume: () => watch(session.resume(), '', promises),
  }
  ways[how]()
  if (answerer.answers.length === before) return settled()
  const answer = answerer.last
  joinFirst(rig, thinks ? 'anew' : 'prefill', index % 3)
  if (thinks && end !== 'silent') answer.say({ type: 'thinking', text: `thought ${index}` })
  if (end !== 'silent') answer.say({ type: 'text', text: `answer ${index}` })
  if (end === 'done' || end === 'cut') answer.finish(end === 'done' ? 'stop' : 'length')
  if (end === 'failed') answer.fail(new PluginError('API_ERROR', 'It failed'))
  await settled()
  if (end === 'stopped' || end === 'silent') takeBack(session.stop(), promises)
  await settled()
}

export async function act(rig: Rig, action: Action, index: number, promises: Promised[]): Promise<void> {
  const { session, surface, answerer, ways, clock } = rig
  const answer = answerer.answers.at(-1)
  if (action.do === 'say' || action.do === 'finish') joinFirst(rig)
  switch (action.do) {
    case 'send': {
      const text = `prompt ${index}\n## ◆ You`
      const options = action.replaces === undefined ? {} : { replaces: { turn: action.replaces } }
      return watch(session.send(text, options), text, promises)
    }
    case 'exchange':
      return exchange(rig, action, index, promises)
    case 'again':
      return watch(session.again(), '', promises)
    case 'step':
      return watch(session.editing.step(action.by), '', promises)
    case 'variant':
      return watch(session.editing.variant(action, action.by), '', promises)
    case 'remove':
      return watch(session.editing.remove(action), '', promises)
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
export async function conclude(rig: Rig): Promise<void> {
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
