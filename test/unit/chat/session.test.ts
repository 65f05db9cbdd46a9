import { describe, expect, test } from 'vitest'
import { renderShown } from '../../../src/chat/transcript/format.ts'
import { PluginError } from '../../../src/core/errors.ts'
import { settled } from './fake-clock.ts'
import { expectAsked, expectInStep, setUp } from './rig.ts'

const text = (value: string) => ({ type: 'text', text: value }) as const
const thinking = (value: string) => ({ type: 'thinking', text: value }) as const
const phase = (value: 'connecting' | 'authenticating' | 'loading' | 'reading') =>
  ({ type: 'phase', phase: value }) as const
const lost = new PluginError('SSH_DISCONNECTED', 'The way to gpu was lost', { hint: 'gr asks again.' })

async function asked(question = 'Why?', settings = {}) {
  const rig = setUp(settings)
  await rig.session.send(question)
  return rig
}

describe('a prompt and its answer', () => {
  test('stand in the transcript, with times and figures', async () => {
    const rig = await asked('Why?', { system: 'Be brief.', options: { num_ctx: 8192 }, think: 'low', keepAlive: '1h' })
    const { clock, answerer, surface, session } = rig
    expect(answerer.last.model).toBe('gpu:qwen3')
    expect(answerer.last.request).toEqual({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Why?' },
      ],
      options: { num_ctx: 8192 },
      think: 'low',
      keepAlive: '1h',
    })
    answerer.last.say(phase('authenticating'), phase('loading'), phase('reading'))
    await clock.advance(120)
    answerer.last.say(thinking('Hm'), thinking('.'))
    await clock.advance(1500)
    answerer.last.say(text('Because '), text('so.'))
    answerer.last.finish('stop', { promptTokens: 11, answerTokens: 42, answerMs: 2000 })
    await expectInStep(rig)
    expect(session.conversation.turns[2]).toMatchObject({
      role: 'assistant',
      model: 'gpu:qwen3',
      thinking: 'Hm.',
      thinkingMs: 1500,
      text: 'Because so.',
      end: 'done',
      usage: { promptTokens: 11, answerTokens: 42, answerMs: 2000, firstTokenMs: 120 },
    })
    expect(surface.story).toEqual([
      'idle', 'connecting', 'authenticating', 'loading', 'reading', 'thinking', 'writing', 'done',
    ]) // biome-ignore format: one story, one line
    expect(session.state()).toEqual({ chat: 7, model: 'gpu:qwen3', phase: 'idle', ended: 'done', queued: 0, rate: 21 })
    expect(answerer.last.isLeft).toBe(true)
  })

  test('the prompt is shown at once, and the request waits for no editor', async () => {
    const rig = setUp()
    rig.surface.block()
    let isSent = false
    void rig.session.send('Why?').then(() => {
      isSent = true
    })
    expect(rig.answerer.answers).toHaveLength(1)
    await settled()
    expect(isSent).toBe(false)
    rig.surface.release()
    await settled()
    expect(isSent).toBe(true)
    expect(rig.surface.text).toBe(renderShown(rig.session.record.history))
  })

  test('the first words are shown without waiting for an interval', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('Because'))
    await settled()
    expect(rig.surface.text).toMatch(/\n\nBecause$/)
  })

  test('words that could become a boundary are held back until they cannot', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('## '), text('◆ You'), text('\n## x'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    expect(rig.surface.text).toContain('\n\n\\## ◆ You\n## x\n\n')
  })

  test('thinking amid the text is put where it belongs in the end', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('a'), thinking('late'), text('b'))
    await settled()
    rig.answerer.last.finish()
    await expectInStep(rig)
    expect(rig.session.conversation.turns[1]).toMatchObject({ text: 'ab', thinking: 'late', end: 'done' })
    expect(rig.surface.story.slice(-4)).toEqual(['writing', 'thinking', 'writing', 'done'])
  })

  test('an illegal phase is refused loudly and changes nothing', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('a'), phase('loading'), text('b'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    expect(rig.log.join('')).toContain('illegal move chat=7 from="writing" to="loading"')
    expect(rig.session.conversation.turns[1]?.text).toBe('ab')
  })

  test('the next question is asked with all that is shown but thinking', async () => {
    const rig = await asked()
    rig.answerer.last.say(thinking('Hm'), text('A'))
    rig.answerer.last.finish()
    await rig.clock.advance(300)
    await rig.session.send('And?')
    expect(rig.answerer.last.request.messages.map(({ content }) => content)).toEqual(['Why?', 'A', 'And?'])
  })
})

describe('ends', () => {
  test('cut by a limit: visible', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('A'))
    rig.answerer.last.finish('length')
    await expectInStep(rig)
    expect(rig.session.conversation.turns[1]).toMatchObject({ end: 'length', note: { code: 'ANSWER_CUT' } })
    expect(rig.session.state()).toMatchObject({ ended: 'done' })
  })

  test.each([
    ['stop', 'The model answered nothing.'],
    ['unload', 'The model answered nothing (the server only unloaded it).'],
  ] as const)('without a word (%s): visible', async (reason, sentence) => {
    const rig = await asked()
    rig.answerer.last.finish(reason)
    await expectInStep(rig)
    expect(rig.surface.text).toContain(`### ◆ note · ANSWER_EMPTY\n\n${sentence}\n`)
  })

  test('failed before a word: a turn with what to do next, and the prompt can be asked again', async () => {
    const rig = await asked()
    rig.answerer.last.fail(lost)
    await expectInStep(rig)
    const [, answer] = rig.session.conversation.turns
    expect(answer).toMatchObject({
      text: '',
      end: 'failed',
      note: { code: 'SSH_DISCONNECTED', text: 'The way to gpu was lost\ngr asks again.' },
    })
    expect(rig.session.state()).toMatchObject({
      phase: 'idle',
      ended: 'failed',
      error: { code: 'SSH_DISCONNECTED', hint: 'gr asks again.' },
    })
    await rig.session.again()
    expect(rig.session.conversation.turns).toHaveLength(1)
    expectAsked(rig)
    expect(rig.session.state().error).toBeUndefined()
    rig.answerer.last.finish()
    await expectInStep(rig)
  })

  test('lost amid the text: interrupted, the text stays', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('```\nlet'))
    rig.answerer.last.fail(lost)
    await expectInStep(rig)
    expect(rig.session.conversation.turns[1]).toMatchObject({
      text: '```\nlet',
      end: 'interrupted',
      note: { code: 'SSH_DISCONNECTED' },
    })
    expect(rig.session.state()).toMatchObject({ ended: 'interrupted', error: { code: 'SSH_DISCONNECTED' } })
  })

  test('a stream without end, one that throws something odd, one that cannot be opened', async () => {
    const rig = await asked()
    rig.answerer.last.breakOff()
    await expectInStep(rig)
    expect(rig.session.state()).toMatchObject({ ended: 'failed', error: { code: 'API_INCOMPLETE' } })
    await rig.session.send('b')
    rig.answerer.last.fail('odd')
    await expectInStep(rig)
    expect(rig.session.state()).toMatchObject({ ended: 'failed', error: { code: 'INTERNAL', message: 'odd' } })
    rig.answerer.refusal = new PluginError('API_INVALID_MODEL', 'There is no such model')
    await rig.session.send('c')
    await expectInStep(rig)
    expect(rig.session.state()).toMatchObject({ ended: 'failed', error: { code: 'API_INVALID_MODEL' } })
  })

  test('stopped: the text stays, late words are dropped, whatever the stream does', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('A'))
    await settled()
    rig.session.stop()
    rig.answerer.last.say(text('too late'))
    await expectInStep(rig)
    expect(rig.answerer.last.signal.aborted).toBe(true)
    expect(rig.session.conversation.turns[1]).toMatchObject({ text: 'A', end: 'stopped' })
    expect(rig.session.state()).toMatchObject({ phase: 'idle', ended: 'stopped' })
    expect(rig.session.state().error).toBeUndefined()
  })

  test('stopped before a word leaves a mark, which is sent to nobody and gives way to the next try', async () => {
    const rig = await asked()
    expect(rig.session.stop()).toEqual({})
    rig.answerer.last.say(text('too late'))
    await expectInStep(rig)
    const mark = { text: '', end: 'stopped', note: { code: 'CHAT_STOPPED' } }
    expect(rig.session.conversation.turns.slice(1)).toMatchObject([mark])
    expect(rig.session.state().ended).toBe('stopped')
    await rig.session.again()
    expectAsked(rig)
    expect(rig.session.record.history.versions).toHaveLength(1)
    rig.session.stop()
    await expectInStep(rig)
    expect(rig.session.conversation.turns.slice(1)).toMatchObject([mark])
    void rig.session.send('And?')
    await settled()
    expect(rig.answerer.last.request.messages.map(({ role }) => role)).toEqual(['user', 'user'])
  })

  test('asked again and stopped before a word: the former answer is back, and no version is left', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('A'))
    rig.answerer.last.finish()
    await settled()
    const before = rig.session.record.history
    await rig.session.again()
    rig.answerer.last.say(text('in the same moment'))
    expect(rig.session.stop()).toEqual({ back: true })
    await expectInStep(rig)
    expect(rig.session.record.history).toEqual(before)
    expect(rig.session.state()).toMatchObject({ phase: 'idle', ended: 'stopped' })
    await rig.session.again()
    rig.answerer.last.say(text('B'))
    await settled()
    expect(rig.session.stop()).toEqual({})
    await expectInStep(rig)
    expect(rig.session.record.history.versions).toHaveLength(2)
    expect(rig.session.conversation.turns[1]).toMatchObject({ text: 'B', end: 'stopped' })
  })

  test('closed amid an answer: ended, and the editor hears no more', async () => {
    const rig = await asked()
    rig.answerer.last.say(text('A'))
    await settled()
    const told = rig.surface.states.length
    const { text: shown } = rig.surface
    rig.session.close()
    await rig.clock.advance(300)
    expect([rig.surface.states.length, rig.surface.text]).toEqual([told, shown])
    expect(rig.answerer.last.signal.aborted).toBe(true)
    await expect(rig.session.send('b')).rejects.toMatchObject({ code: 'CHAT_STOPPED' })
  })
})

describe('prompts that wait', () => {
  test('are asked one after the other', async () => {
    const rig = await asked('a')
    const waiting = [rig.session.send('b'), rig.session.send('c')]
    expect(rig.session.state().queued).toBe(2)
    for (const answer of ['A', 'B', 'C']) {
      rig.answerer.last.say(text(answer))
      rig.answerer.last.finish()
      await expectInStep(rig)
    }
    await Promise.all(waiting)
    expect(rig.session.conversation.turns.map((turn) => turn.text)).toEqual(['a', 'A', 'b', 'B', 'c', 'C'])
    expectAsked(rig)
    expect(rig.session.state().queued).toBe(0)
  })

  test.each([
    ['stop of all', 'before'],
    ['failure', 'failed'],
  ] as const)('are given back at a %s', async (end, why) => {
    const rig = await asked('a')
    const waiting = Promise.allSettled([rig.session.send('b'), rig.session.send('c')])
    if (end === 'stop of all') rig.session.stop({ all: true })
    else rig.answerer.last.fail(lost)
    await expectInStep(rig)
    for (const given of await waiting) {
      expect(given).toMatchObject({
        status: 'rejected',
        reason: { code: 'CHAT_STOPPED', message: expect.stringContaining(why) },
      })
    }
    expect(rig.answerer.answers).toHaveLength(1)
    expect(rig.session.state().queued).toBe(0)
  })

  test('that are given back are written down as being written, and were never in no place', async () => {
    const rig = await asked('a')
    for (const prompt of ['b', 'c']) rig.session.send(prompt).catch(() => {})
    rig.session.noteDraft({ text: 'd' })
    rig.session.unqueue(1)
    expect(rig.session.record.meta).toMatchObject({ draft: { text: 'b\n\nd' }, queue: ['c'] })
    rig.session.noteDraft({ text: 'the turn', editing: 1, aside: 'd' })
    rig.session.stop({ all: true })
    expect(rig.session.record.meta.draft).toEqual({ text: 'the turn', editing: 1, aside: 'c\n\nd' })
    expect(rig.session.record.meta.queue).toBeUndefined()
    await settled()
    await rig.session.send('the turn, otherwise', { replaces: { turn: 1 } })
    expect(rig.session.record.meta.draft).toEqual({ text: 'c\n\nd' })
  })

  test('sent after a stop are asked', async () => {
    const rig = await asked('a')
    rig.session.stop()
    const sent = rig.session.send('b')
    await expectInStep(rig)
    await sent
    expect(rig.answerer.last.request.messages.map(({ content }) => content)).toEqual(['a', 'b'])
  })
})

describe('refusals change nothing', () => {
  test('without a model', async () => {
    const { deps, surface } = setUp()
    const { Session } = await import('../../../src/chat/session.ts')
    const session = new Session(7, deps)
    await expect(session.send('a')).rejects.toMatchObject({ code: 'CHAT_NO_MODEL' })
    expect([session.conversation.turns, surface.text]).toEqual([[], ''])
  })

  test('while an answer comes', async () => {
    const rig = await asked()
    const before = rig.session.conversation
    await expect(rig.session.again()).rejects.toMatchObject({ code: 'CHAT_BUSY' })
    await expect(rig.session.editing.step(-1)).rejects.toMatchObject({ code: 'CHAT_BUSY' })
    await expect(rig.session.send('b', { replaces: { turn: 1 } })).rejects.toMatchObject({ code: 'CHAT_BUSY' })
    expect(rig.session.conversation).toEqual(before)
  })

  test('where there is no such turn or version', async () => {
    const { session } = setUp()
    await expect(session.send('b', { replaces: { turn: 1 } })).rejects.toMatchObject({ code: 'CHAT_NO_TURN' })
    await expect(session.again()).rejects.toMatchObject({ code: 'CHAT_NO_TURN' })
    await expect(session.editing.step(1)).rejects.toMatchObject({ code: 'CHAT_NO_TURN' })
    expect(() => session.editing.take({ turn: 1 })).toThrow(expect.objectContaining({ code: 'CHAT_NO_TURN' }))
    expect(session.conversation.turns).toEqual([])
  })
})

describe('edits and versions', () => {
  test('an edited question is asked anew, and nothing is lost', async () => {
    const rig = await asked('a')
    rig.answerer.last.say(text('A'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    expect(rig.session.editing.take({ turn: 1 })).toEqual({ turn: 1, role: 'user', text: 'a' })
    await rig.session.send('b', { replaces: { turn: 1 } })
    expectAsked(rig)
    rig.answerer.last.say(text('B'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    await rig.session.editing.step(-1)
    await expectInStep(rig)
    expect(rig.session.conversation.turns.map((turn) => turn.text)).toEqual(['a', 'A'])
    await rig.session.editing.step(1)
    await expectInStep(rig)
    expect(rig.session.conversation.turns.map((turn) => turn.text)).toEqual(['b', 'B'])
  })

  test('an edited answer becomes the last turn and is not answered', async () => {
    const rig = await asked('a')
    rig.answerer.last.say(text('A'))
    rig.answerer.last.fail(lost)
    await expectInStep(rig)
    await rig.session.send('A, better', { replaces: { turn: 2 } })
    await expectInStep(rig)
    expect(rig.answerer.answers).toHaveLength(1)
    expect(rig.session.conversation.turns[1]).toMatchObject({ role: 'assistant', text: 'A, better', end: 'done' })
    expect(rig.session.conversation.turns[1]?.note).toBeUndefined()
  })
})

describe('an editor that fails', () => {
  test('without a buffer the chat goes on, and is shown when there is one again', async () => {
    const rig = await asked('a')
    rig.surface.isGone = true
    rig.answerer.last.say(text('A'))
    await rig.clock.advance(50)
    rig.surface.isGone = false
    rig.surface.text = ''
    rig.answerer.last.say(text('B'))
    await rig.clock.advance(50)
    expect(rig.surface.text).toBe('')
    await rig.session.show()
    rig.answerer.last.say(text('C'))
    rig.answerer.last.finish()
    await expectInStep(rig)
    expect(rig.session.conversation.turns[1]?.text).toBe('ABC')
  })

  test('shown in mid-answer, the rest is appended', async () => {
    const rig = await asked('a')
    rig.answerer.last.say(text('one\n##'))
    await settled()
    rig.surface.text = 'something else'
    await rig.session.show()
    expect(rig.surface.text).toMatch(/\n\none\n$/)
    rig.answerer.last.say(text(' ◆ x'))
    rig.answerer.last.finish()
    await expectInStep(rig)
  })

  test('a write that failed is made good', async () => {
    const rig = setUp()
    rig.surface.failures = 1
    await rig.session.send('a')
    expect(rig.surface.text).toBe(renderShown(rig.session.record.history))
    rig.answerer.last.say(text('A'))
    await settled()
    rig.surface.failures = 1
    rig.answerer.last.say(text('B'))
    await rig.clock.advance(50)
    rig.answerer.last.finish()
    await expectInStep(rig)
    expect(rig.log.join('')).toContain('the transcript could not be written')
  })

  test('nothing waits for an editor that hears no states', async () => {
    const rig = setUp()
    rig.surface.isDeaf = true
    await rig.session.send('a')
    rig.answerer.last.say(text('A'))
    rig.answerer.last.finish()
    await expectInStep(rig)
  })
})

describe('a chat that another host has left', () => {
  test('is taken over and goes on with its model', async () => {
    const rig = setUp()
    rig.surface.text = '## ◆ You · 2026-11-20 14:02:31\n\na\n\n## ◆ box:m · 2026-11-20 14:02:35\n\n```\nhalf'
    expect(rig.session.adopt({ text: rig.surface.text })).toEqual([])
    await rig.session.show()
    await expectInStep(rig)
    expect(rig.session.conversation.turns[1]).toMatchObject({ text: '```\nhalf', end: 'interrupted' })
    expect(rig.session.state()).toMatchObject({ model: 'box:m', phase: 'idle' })
    await rig.session.again()
    expect(rig.answerer.last.model).toBe('box:m')
    expectAsked(rig)
  })

  test('is put right with the next prompt even when nobody shows it', async () => {
    const rig = setUp()
    rig.surface.text = 'by hand'
    expect(rig.session.adopt({ text: rig.surface.text })).toHaveLength(1)
    await rig.session.send('b')
    expect(rig.surface.text).toBe(renderShown(rig.session.record.history))
  })
})
