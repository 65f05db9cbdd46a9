import { describe, expect, test } from 'vitest'
import { settled } from './fake-clock.ts'
import { setUp } from './rig.ts'

const configured = { system: 'Be brief.', options: { num_ctx: 8192 }, think: 'low', keepAlive: '1h' } as const

describe("a chat's own parameters", () => {
  test('begin as they are configured, and are kept when the configuration changes', async () => {
    const settings = { ...configured, options: { num_ctx: 8192 } }
    const rig = setUp(settings)
    expect(rig.session.parameters.set({})).toEqual({
      options: { num_ctx: 8192 },
      think: 'low',
      keep_alive: '1h',
      system: 'Be brief.',
    })
    await rig.session.send('Why?')
    settings.options = { num_ctx: 4096 }
    expect(rig.session.record.meta.parameters).toEqual(configured)
    expect(rig.session.parameters.set({}).options).toEqual({ num_ctx: 8192 })
  })

  test('are what the next request is made with, and stand in its turn', async () => {
    const rig = setUp(configured)
    rig.session.parameters.set({ options: { num_ctx: null, seed: 1 }, think: null, keep_alive: -1, system: 'Think.' })
    await rig.session.send('Why?')
    expect(rig.answerer.last.request).toEqual({
      messages: [
        { role: 'system', content: 'Think.' },
        { role: 'user', content: 'Why?' },
      ],
      options: { seed: 1 },
      think: undefined,
      keepAlive: -1,
    })
    rig.answerer.last.say({ type: 'text', text: 'So.' })
    rig.answerer.last.finish()
    await rig.clock.advance(300)
    await settled()
    expect(rig.session.conversation.turns.at(-1)?.parameters).toEqual({ options: { seed: 1 }, keepAlive: -1 })
    expect(rig.session.parameters.set({ options: null })).toEqual({ keep_alive: -1, system: 'Think.' })
  })

  test('hold the system prompt only until it stands in the chat', async () => {
    const rig = setUp(configured)
    await rig.session.send('Why?')
    expect(() => rig.session.parameters.set({ system: 'x' })).toThrow(expect.objectContaining({ code: 'CHAT_BUSY' }))
    expect(rig.session.parameters.set({}).system).toBe('Be brief.')
  })

  test('are none where nothing is configured', async () => {
    const rig = setUp()
    await rig.session.send('Why?')
    rig.answerer.last.say({ type: 'text', text: 'So.' })
    expect(rig.session.record.meta.parameters).toBeUndefined()
    expect(rig.session.conversation.turns.at(-1)?.parameters).toBeUndefined()
  })
})
