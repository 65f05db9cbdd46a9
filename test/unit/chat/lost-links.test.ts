// What becomes of answers and prompts when the way to their server is lost.
import { describe, expect, test } from 'vitest'
import { parse, renderShown } from '../../../src/chat/transcript/format.ts'
import { type ErrorCode, PluginError } from '../../../src/core/errors.ts'
import { settled } from './fake-clock.ts'
import { expectInStep, type Rig, setUp } from './rig.ts'

const text = (value: string) => ({ type: 'text', text: value }) as const
const thinking = (value: string) => ({ type: 'thinking', text: value }) as const
const seam = (method: 'prefill' | 'continue' | 'anew', back = 0) => ({ type: 'seam', method, back }) as const
const failure = (code: ErrorCode, details = {}) => new PluginError(code, `It is ${code}`, { hint: 'gr.', ...details })
const lost = failure('SSH_DISCONNECTED')

async function asked(settings: Parameters<typeof setUp>[0] = { resume: 'auto' }): Promise<Rig> {
  const rig = setUp(settings)
  rig.ways.isBack = false
  await rig.session.send('Why?')
  return rig
}

async function cut(rig: Rig, ...parts: Array<ReturnType<typeof text> | ReturnType<typeof thinking>>): Promise<void> {
  rig.answerer.last.say(...parts)
  rig.answerer.last.fail(lost)
  await expectInStep(rig)
}

describe('an answer that is cut', () => {
  test('waits, is marked, and goes on in the same turn when the way is back', async () => {
    const rig = await asked()
    await cut(rig, text('Because wor'))
    expect(rig.session.state()).toMatchObject({
      phase: 'waiting',
      waiting: { server: 'gpu', has_answer: true, error: { code: 'SSH_DISCONNECTED' } },
    })
    expect(rig.session.conversation.turns[1]).toMatchObject({ end: 'interrupted', note: { code: 'SSH_DISCONNECTED' } })
    expect(rig.surface.text).toContain('interrupted · SSH_DISCONNECTED\n\nIt is SSH_DISCONNECTED\nIt goes on by itself')
    rig.ways.comeBack()
    await settled()
    expect(rig.answerer.last.partial).toEqual({ text: 'Because wor', thinking: '' })
    expect(rig.answerer.last.request.messages).toEqual([{ role: 'user', content: 'Why?' }])
    rig.answerer.last.say({ type: 'phase', phase: 'reading' }, { type: 'phase', phase: 'busy' }, seam('prefill', 2))
    rig.answerer.last.say(text('eird '), text('things.'))
    rig.answerer.last.finish('stop', { answerTokens: 2 })
    await expectInStep(rig)
    const [, turn] = rig.session.conversation.turns
    expect(turn).toMatchObject({ text: 'Because weird things.', end: 'done', seams: [{ at: 9, method: 'prefill' }] })
    expect(turn?.note).toBeUndefined()
    expect(rig.surface.story).toEqual([
      'idle', 'connecting', 'writing', 'waiting', 'resuming', 'busy', 'writing', 'done',
    ]) // biome-ignore format: one story, one line
    expect(parse(rig.surface.text).conversation).toEqual(rig.session.conversation)
  })

  test('again and again: every part stays', async () => {
    const rig = await asked()
    await cut(rig, thinking('Hm.'), text('a'))
    for (const word of ['b', 'c']) {
      rig.ways.comeBack()
      await settled()
      rig.answerer.last.say(seam('prefill'))
      rig.ways.isBack = false
      await cut(rig, text(word))
    }
    rig.ways.comeBack()
    await settled()
    expect(rig.answerer.last.partial).toEqual({ text: 'abc', thinking: 'Hm.' })
    rig.answerer.last.say(seam('continue'), text('d'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    expect(rig.session.conversation.turns[1]).toMatchObject({
      thinking: 'Hm.',
      text: 'abcd',
      end: 'done',
      seams: [{ at: 1 }, { at: 2 }, { at: 3, method: 'continue' }],
      note: { code: 'ANSWER_SEAM', text: expect.stringContaining('after “abc” the seam may be imperfect') },
    })
  })

  test('with thinking only it begins anew, and what it was is an earlier version', async () => {
    const rig = await asked()
    await cut(rig, thinking('First thoughts'))
    rig.ways.comeBack()
    await settled()
    rig.answerer.last.say(seam('anew'), thinking('Second thoughts'), text('So.'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    expect(rig.session.conversation.turns[1]).toMatchObject({ thinking: 'Second thoughts', text: 'So.', end: 'done' })
    expect(rig.session.conversation.turns[1]?.note?.text).toContain('asked anew')
    await rig.session.editing.step(-1)
    expect(rig.session.conversation.turns[1]).toMatchObject({ thinking: 'First thoughts', end: 'interrupted' })
  })

  test.each(['ask', 'never'] as const)('with resume = %s it ends, and goes on at a word', async (resume) => {
    const rig = await asked({ resume })
    await cut(rig, text('a'))
    expect(rig.session.state()).toMatchObject({ phase: 'idle', ended: 'interrupted' })
    expect(rig.surface.text.includes('gR, or :Ollama resume')).toBe(resume === 'ask')
    const resumed = rig.session.resume()
    rig.answerer.last.say(seam('prefill'), text('b'))
    rig.answerer.last.finish()
    await resumed
    await expectInStep(rig)
    expect(rig.session.conversation.turns[1]).toMatchObject({ text: 'ab', end: 'done' })
  })

  test('a stop ends the wait and nothing else; it goes on later', async () => {
    const rig = await asked()
    await cut(rig, text('a'))
    expect(rig.session.stop()).toEqual({})
    await expectInStep(rig)
    expect(rig.ways.waiting).toBe(0)
    expect(rig.session.state()).toMatchObject({ phase: 'idle', ended: 'interrupted' })
    expect(rig.surface.text).toContain('gR, or :Ollama resume')
    rig.ways.isBack = true
    await rig.session.resume()
    // Stopped again before a word of it came, it is what it was.
    rig.session.stop()
    await expectInStep(rig)
    expect(rig.session.conversation.turns[1]).toMatchObject({ text: 'a', end: 'interrupted', note: { text: /gR/ } })
  })

  test('why the way does not come back by itself is told', async () => {
    const rig = await asked()
    await cut(rig, text('a'))
    rig.ways.refuse(failure('SSH_AUTH_FAILED'))
    await expectInStep(rig)
    expect(rig.session.state()).toMatchObject({ ended: 'interrupted', error: { code: 'SSH_AUTH_FAILED' } })
    expect(rig.session.conversation.turns[1]).toMatchObject({ text: 'a', note: { code: 'SSH_AUTH_FAILED' } })
  })

  test('an answer that only ended too early is not asked for again by itself', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('a'))
    rig.answerer.last.fail(failure('API_INCOMPLETE'))
    await expectInStep(rig)
    expect(rig.session.state()).toMatchObject({ phase: 'idle', ended: 'interrupted' })
    expect(rig.session.conversation.turns[1]?.note?.text).toContain('gR')
  })

  test('an answer whose connection the user ended is left as it is, and can be gone on with', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('a'))
    rig.answerer.last.fail(failure('CANCELLED'))
    await expectInStep(rig)
    expect(rig.session.state()).toMatchObject({ phase: 'idle', ended: 'interrupted' })
    expect(rig.session.conversation.turns[1]).toMatchObject({ text: 'a', note: { text: expect.stringMatching(/gR/) } })
  })

  test('an answer that breaks off in its first word each time is given up at last, at growing intervals', async () => {
    const rig = await asked()
    rig.ways.isBack = true
    const began = rig.clock.now()
    for (let time = 0; time < 20 && rig.session.state().phase !== 'idle'; time++) {
      if (rig.answerer.last.partial) rig.answerer.last.say(seam('anew'))
      await cut(rig, thinking('Hm'))
      await rig.clock.advance(60_000)
    }
    expect(rig.answerer.answers).toHaveLength(6)
    expect(rig.clock.now() - began).toBeGreaterThan(15_000)
    expect(rig.session.state()).toMatchObject({ phase: 'idle', ended: 'interrupted' })
  })

  test('a server that breaks off without a word each time is given up at last', async () => {
    const rig = await asked()
    rig.ways.isBack = true
    for (let time = 0; time < 9 && rig.session.state().phase !== 'idle'; time++) {
      rig.answerer.last.fail(failure('API_INCOMPLETE', { cause: new Error('reset') }))
      await rig.clock.advance(60_000)
    }
    expect(rig.answerer.answers).toHaveLength(6)
    expect(rig.session.conversation.turns[1]).toMatchObject({ end: 'failed', note: { code: 'API_INCOMPLETE' } })
  })
})

describe('a prompt whose server is away', () => {
  test.each([
    'SSH_UNREACHABLE',
    'SSH_HOST_NOT_FOUND',
    'SSH_CONNECTION_TIMEOUT',
    'SSH_DROPPED_EARLY',
    'SSH_DISCONNECTED',
    'API_UNAVAILABLE',
  ] as const)('waits (%s), and is asked when it is back', async (code) => {
    const rig = await asked()
    rig.answerer.last.fail(failure(code))
    await expectInStep(rig)
    expect(rig.session.state()).toMatchObject({ phase: 'waiting', waiting: { has_answer: false, error: { code } } })
    expect(rig.session.conversation.turns).toHaveLength(1)
    rig.ways.comeBack()
    await settled()
    expect(rig.answerer.answers).toHaveLength(2)
    rig.answerer.last.say(text('So.'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    expect(rig.session.conversation.turns.map((turn) => turn.text)).toEqual(['Why?', 'So.'])
  })

  test.each(['SSH_AUTH_FAILED', 'SSH_HOST_KEY_CHANGED', 'API_INVALID_MODEL', 'CONFIG_INVALID'] as const)(
    'fails at once where that does not pass (%s)',
    async (code) => {
      const rig = await asked()
      rig.answerer.last.fail(failure(code))
      await expectInStep(rig)
      expect(rig.session.state()).toMatchObject({ phase: 'idle', ended: 'failed', error: { code } })
    },
  )

  test('a server behind a sound way is asked ever less often, at once on a word', async () => {
    const rig = await asked()
    rig.ways.isBack = true
    const down = failure('API_UNAVAILABLE')
    const delays: number[] = []
    for (let time = 0; time < 7; time++) {
      rig.answerer.last.fail(down)
      await settled()
      const { next_try } = rig.session.state().waiting ?? {}
      if (next_try === undefined) continue
      delays.push(next_try - rig.clock.now())
      await rig.clock.advance(next_try - rig.clock.now())
    }
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000])
    rig.answerer.last.fail(down)
    await settled()
    const before = rig.answerer.answers.length
    await rig.session.resume()
    await settled()
    expect(rig.answerer.answers).toHaveLength(before + 1)
    expect(rig.ways.tries).toBe(1)
  })

  test('when its way is tried next is told whenever that changes', async () => {
    const rig = await asked()
    rig.answerer.last.fail(failure('SSH_UNREACHABLE'))
    await expectInStep(rig)
    rig.ways.tryAt = rig.clock.now() + 4_000
    rig.session.wayChanged()
    await settled()
    expect(rig.surface.states.at(-1)?.waiting?.next_try).toBe(rig.ways.tryAt)
  })

  test('a stop takes it back, and the next one is asked in its place', async () => {
    const rig = await asked()
    rig.answerer.last.fail(failure('SSH_UNREACHABLE'))
    await expectInStep(rig)
    const sent = rig.session.send('And?')
    expect(rig.session.stop()).toEqual({ taken: 'Why?' })
    // As a key that is pressed twice.
    expect(rig.session.stop()).toEqual({})
    await expectInStep(rig)
    await sent
    expect(rig.surface.text).toBe(renderShown(rig.session.record.history))
    expect(rig.session.conversation.turns.map((turn) => turn.text)).toEqual(['And?'])
  })

  test('what is asked again, or was there before, is not taken back', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('So.'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    await rig.session.again()
    rig.answerer.last.fail(failure('SSH_UNREACHABLE'))
    await expectInStep(rig)
    expect(rig.session.stop()).toEqual({ back: true })
    await expectInStep(rig)
    expect(rig.session.conversation.turns.map((turn) => turn.text)).toEqual(['Why?', 'So.'])
  })

  test('the prompts behind it can be taken back one by one, and go out in order', async () => {
    const rig = await asked()
    const fates = ['a', 'b', 'c'].map((prompt) => rig.session.send(prompt).catch((error: PluginError) => error.code))
    const [, second] = rig.session.queue()
    expect(second).toEqual({ prompt: 2, text: 'b' })
    rig.session.unqueue(2)
    expect(() => rig.session.unqueue(2)).toThrow(expect.objectContaining({ code: 'CHAT_NO_TURN' }))
    expect(rig.session.state().queued).toBe(2)
    for (let answers = 1; answers <= 3; answers++) {
      rig.answerer.last.finish()
      await expectInStep(rig)
    }
    expect(await Promise.all(fates)).toEqual([undefined, 'CANCELLED', undefined])
    const questions = rig.session.conversation.turns.filter(({ role }) => role === 'user')
    expect(questions.map((turn) => turn.text)).toEqual(['Why?', 'a', 'c'])
  })

  test('there is nothing to go on with after a whole answer', async () => {
    const rig = await asked()
    await expect(rig.session.resume()).rejects.toMatchObject({ code: 'CHAT_BUSY' })
    rig.answerer.last.say(text('So.'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    await expect(rig.session.resume()).rejects.toMatchObject({ code: 'CHAT_NO_TURN' })
  })
})
