// Laws of a connection over lives that chance writes: whatever happens in whatever order, each waiter is told exactly once,
// no move is made that the table does not know, at most one attempt runs, and the end leaves nothing behind.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import { LinkWatch } from '../../../src/tunnel/link-watch.ts'
import { type FakeSession, rig } from './connection-rig.ts'
import { FakeClock, turn } from './fakes.ts'

const CODES = ['SSH_UNREACHABLE', 'SSH_DROPPED_EARLY', 'SSH_AUTH_FAILED', 'SSH_DISCONNECTED', 'INTERNAL'] as const

const event = fc.oneof(
  ...(['need', 'await', 'open', 'measure', 'prepare', 'keepUp', 'letGo', 'leave', 'authenticate'] as const).map(
    (does) => fc.record({ does: fc.constant(does), code: fc.constant(undefined), ms: fc.constant(0) }),
  ),
  ...(['succeed', 'refuse', 'answer', 'disconnect', 'answered', 'stuck'] as const).map((does) =>
    fc.record({ does: fc.constant(does), code: fc.constant(undefined), ms: fc.constant(0) }),
  ),
  fc.record({ does: fc.constant('fail' as const), code: fc.constantFrom(...CODES), ms: fc.constant(0) }),
  fc.record({ does: fc.constant('lose' as const), code: fc.constant('SSH_DISCONNECTED' as const), ms: fc.constant(0) }),
  fc.record({
    does: fc.constant('pass' as const),
    code: fc.constant(undefined),
    ms: fc.constantFrom(100, 500, 2_500, 8_000, 30_000, 3_600_000),
  }),
)

class Life {
  readonly clock = new FakeClock()
  readonly rig = rig({ clock: this.clock, watch: new LinkWatch({ clock: this.clock, addresses: () => '' }) })
  readonly told: number[] = []
  readonly waiting: AbortController[] = []
  sessions: FakeSession[] = []
  illegal: unknown

  #wait(begin: (signal: AbortSignal) => Promise<unknown>): void {
    const index = this.told.push(0) - 1
    const controller = new AbortController()
    this.waiting.push(controller)
    const tell = () => {
      this.told[index] = (this.told[index] ?? 0) + 1
    }
    begin(controller.signal).then(tell, (error) => {
      if (error instanceof PluginError && /cannot go from/.test(error.message)) this.illegal = error
      tell()
    })
  }

  async live({ does, code, ms }: { does: string; code: (typeof CODES)[number] | undefined; ms: number }) {
    const { connection, attempts } = this.rig
    const attempt = attempts.at(-1)
    const session = this.sessions.at(-1)
    switch (does) {
      case 'need':
        return this.#wait((signal) => connection.ready({ signal }))
      case 'await':
        return this.#wait((signal) => connection.whenBack(signal))
      case 'open':
        return this.#wait((signal) => connection.open('h', 1, signal))
      case 'measure':
        return this.#wait((signal) => connection.measure(signal))
      case 'prepare':
        return connection.prepare()
      case 'keepUp':
        return connection.keepUp(true)
      case 'letGo':
        return connection.keepUp(false)
      case 'leave':
        return this.waiting.shift()?.abort(new Error('left'))
      case 'authenticate':
        return attempt?.onPhase('authenticating')
      case 'succeed':
        if (attempt) this.sessions.push(attempt.succeed())
        return
      case 'refuse':
        try {
          return attempt?.refuseUnattended()
        } catch (error) {
          return attempt?.fail(error)
        }
      case 'fail':
        return attempt?.fail(new PluginError(code ?? 'INTERNAL', 'no'))
      case 'lose':
        return session?.lose(new PluginError('SSH_DISCONNECTED', 'gone'))
      case 'stuck':
        if (session) session.openWith = new PluginError('SSH_DISCONNECTED', 'gone')
        return
      case 'answer':
        return session?.probes.at(-1)?.answer()
      case 'answered':
        return connection.answered()
      case 'disconnect':
        return connection.disconnect()
      default:
        await this.clock.pass(ms)
    }
  }
}

describe('the life of a connection', () => {
  it('tells every waiter once, makes legal moves only, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), fc.array(fc.boolean()), async (events, turns) => {
        const life = new Life()
        const { connection, attempts } = life.rig
        for (const [index, each] of events.entries()) {
          await life.live(each)
          if (turns[index % Math.max(1, turns.length)]) await turn()
          const running = attempts.filter(({ signal, isOver }) => !signal.aborted && !isOver())
          expect(running.length).toBeLessThanOrEqual(1)
        }
        connection.close()
        await turn()
        await turn()
        expect(life.illegal).toBeUndefined()
        expect(life.rig.log()).not.toContain('illegal')
        expect(life.told.filter((times) => times !== 1)).toEqual([])
        expect(life.clock.sleepers).toBe(0)
        // Late successes of what was given up are ended too.
        for (const attempt of attempts) life.sessions.push(attempt.succeed())
        await turn()
        expect(life.sessions.filter(({ isTaken, ended }) => isTaken && ended === 0)).toEqual([])
      }),
      { numRuns: 300 },
    )
  }, 60_000)
})
