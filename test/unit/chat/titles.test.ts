import { describe, expect, test } from 'vitest'
import { messages } from '../../../src/chat/record/conversation.ts'
import { Session } from '../../../src/chat/session.ts'
import { isTitleWhole, titleIn } from '../../../src/chat/title-text.ts'
import { Titles } from '../../../src/chat/titles.ts'
import { settled } from './fake-clock.ts'
import { setUp } from './rig.ts'

const text = (value: string) => ({ type: 'text', text: value }) as const

/** Chats that share their servers. */
function setUpChats({ count = 1, isWanted = true, settings = {} } = {}) {
  const rig = setUp()
  const chats: Session[] = []
  const { answerer, clock, deps } = rig
  const titles = new Titles({ answerer, clock, log: deps.log, isWanted: () => isWanted, chats: () => chats })
  const own = { ...deps, answerer: titles.answerer, settings: () => ({ ...deps.settings(), ...settings }) }
  for (let chat = 1; chat <= count; chat++) {
    const session = new Session(chat, own, { onIdle: () => titles.idle() })
    session.useModel('gpu:qwen3')
    chats.push(session)
  }
  return { ...rig, chats, titles, first: chats[0] as Session }
}

type Chats = ReturnType<typeof setUpChats>

async function answer({ answerer, clock }: Chats, session: Session, question: string): Promise<void> {
  await session.send(question)
  const asked = answerer.last
  asked.say(text(`${question} indeed`))
  asked.finish()
  await clock.advance(300)
  await settled()
}

async function untilAsked({ clock }: Chats): Promise<void> {
  await clock.advance(1_000)
  await settled()
}

describe('a title', () => {
  test('is asked for through the same prefix and with the same parameters, and is the chat’s from then on', async () => {
    const settings = { options: { num_ctx: 8192 }, think: 'low' as const, keepAlive: '1h', system: 'Be brief.' }
    const rig = setUpChats({ settings })
    await answer(rig, rig.first, 'Locks')
    expect(rig.answerer.answers).toHaveLength(1)
    await untilAsked(rig)
    const { request, model } = rig.answerer.last
    expect(model).toBe('gpu:qwen3')
    expect(request.messages.slice(0, -1)).toEqual(messages(rig.first.conversation))
    expect(request).toMatchObject({ think: 'low', keepAlive: '1h', options: { num_ctx: 8192 } })
    rig.answerer.last.say({ type: 'thinking', text: 'Hm' }, text('**Order of'), text(' locks**\nand more'))
    await settled()
    expect(rig.first.record.meta).toMatchObject({ title: 'Order of locks', titled: 'model' })
    expect(rig.first.conversation.turns.at(-1)?.text).toBe('Locks indeed')
    expect(rig.answerer.last.isLeft).toBe(true)
    await answer(rig, rig.first, 'More')
    await untilAsked(rig)
    expect(rig.answerer.answers).toHaveLength(3)
  })

  test('is given up at once for whatever else is asked of the server, and asked for again after it', async () => {
    const rig = setUpChats({ count: 2 })
    await answer(rig, rig.first, 'Locks')
    await untilAsked(rig)
    const title = rig.answerer.last
    await rig.chats[1]?.send('Other')
    expect(title.signal.aborted).toBe(true)
    title.say(text('Too late\n'))
    await untilAsked(rig)
    expect(rig.first.record.meta.title).toBeUndefined()
    expect(rig.answerer.answers).toHaveLength(3)
    rig.answerer.last.fail(new Error('no'))
    await rig.clock.advance(300)
    await untilAsked(rig)
    expect(rig.answerer.last.request.messages[0]?.content).toBe('Locks')
  })

  test('that a person gives meanwhile stays', async () => {
    const rig = setUpChats()
    await answer(rig, rig.first, 'Locks')
    await untilAsked(rig)
    rig.first.note({ title: 'Mine', titled: 'person' })
    rig.answerer.last.say(text('Other\n'))
    await settled()
    expect(rig.first.record.meta.title).toBe('Mine')
  })

  test.each([
    ['fails', (rig: Chats) => rig.answerer.last.fail(new Error('no'))],
    ['says nothing', (rig: Chats) => rig.answerer.last.finish()],
  ])('is the first line of the chat when the model %s', async (_, does) => {
    const rig = setUpChats()
    await answer(rig, rig.first, 'Locks\nof all kinds')
    await untilAsked(rig)
    does(rig)
    await settled()
    expect(rig.first.record.meta).toMatchObject({ title: 'Locks', titled: 'first-line' })
  })

  test('is asked of nobody when it is not wanted', async () => {
    const rig = setUpChats({ isWanted: false })
    await answer(rig, rig.first, 'Locks')
    await untilAsked(rig)
    expect(rig.answerer.answers).toHaveLength(1)
  })
})

describe('titleIn', () => {
  test.each([
    ['Order of locks', 'Order of locks'],
    ['<think>\nhm\n</think>\n\n# "Order of locks".', 'Order of locks'],
    ['<think>never ended', ''],
    ['Title: **Order** of `locks`', 'Order of locks'],
    ['“Schlösser”', 'Schlösser'],
    ['...\n\n- one\n- two', 'one'],
    ['a\tb\u0007c', 'a b c'],
    [`${'word '.repeat(30)}`, `${'word '.repeat(9)}word…`],
    ['', ''],
  ])('%j', (answered, title) => {
    expect(titleIn(answered)).toBe(title)
  })

  test('knows when it has read enough', () => {
    expect(isTitleWhole('Order of')).toBe(false)
    expect(isTitleWhole('\n\nOrder of locks\n')).toBe(true)
    expect(isTitleWhole('<think>a\nb\n')).toBe(false)
    expect(isTitleWhole('x'.repeat(400))).toBe(true)
  })
})
