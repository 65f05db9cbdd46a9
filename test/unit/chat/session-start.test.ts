import { expect, it } from 'vitest'
import type { Turn } from '../../../src/chat/record/conversation.ts'
import { current, historyOf } from '../../../src/chat/record/history.ts'
import type { Change, ChatRecord } from '../../../src/chat/record/record.ts'
import { Session } from '../../../src/chat/session.ts'
import { settled } from './fake-clock.ts'
import { CHAT, setUp } from './rig.ts'

const RECORD: ChatRecord = {
  meta: { title: 'locks', model: 'gpu:qwen3' },
  history: historyOf({ turns: [{ role: 'user', text: 'Why?', at: '2025-01-22 09:15:34' }] }),
}

it('goes on with what is known of a chat', () => {
  const session = new Session(CHAT, setUp().deps, { record: RECORD })
  expect(session.record).toBe(RECORD)
  expect(session.conversation.turns.map(({ text }) => text)).toEqual(['Why?'])
  expect(session.state()).toMatchObject({ model: 'gpu:qwen3' })
})

it('tells its keeper of every change, and the editor what is kept', () => {
  const { deps, surface } = setUp()
  const changes: Change[] = []
  const onChange = (change: Change) => void changes.push(change)
  const session = new Session(CHAT, deps, { onChange, kept: () => ({ file: 'a.txt', unsaved: true }) })
  session.note({ title: 'locks' })
  expect(changes).toEqual([{ type: 'meta', set: { title: 'locks' } }])
  expect(surface.states.at(-1)).toMatchObject({ file: 'a.txt', unsaved: true })
})

it('takes for sent what was being written, and never what is written behind a prompt that waits', async () => {
  const rig = setUp()
  rig.session.noteDraft({ text: 'on' })
  await rig.session.send('one')
  expect(rig.session.record.meta.draft).toBeUndefined()
  rig.session.noteDraft({ text: 'two' })
  const waiting = rig.session.send('two')
  rig.session.noteDraft({ text: 'three' })
  expect(rig.session.record.meta).toMatchObject({ queue: ['two'], draft: { text: 'three' } })
  rig.answerer.last.finish()
  await waiting
  expect(rig.session.record.meta.queue).toBeUndefined()
  expect(rig.session.record.meta.draft).toEqual({ text: 'three' })
  rig.session.noteDraft({ text: ' \n' })
  expect(rig.session.record.meta.draft).toBeUndefined()
})

it('asks again what had no answer when its host went, or goes on with it, and leaves a whole one alone', async () => {
  const { turns } = current(RECORD.history)
  const cut: Turn = { role: 'assistant', text: 'Half an ', at: '', model: 'gpu:m', end: 'interrupted' }
  const goneOn = (resume: 'auto' | 'ask', ...more: Turn[]) => {
    const rig = setUp({ resume })
    const record = { ...RECORD, history: historyOf({ turns: [...turns, ...more] }) }
    new Session(CHAT, rig.deps, { record }).goOn()
    return rig.answerer.answers.map(({ partial }) => partial?.text)
  }
  expect(goneOn('auto')).toEqual([undefined])
  expect(goneOn('auto', cut)).toEqual(['Half an '])
  expect(goneOn('ask', cut)).toEqual([])
  expect(goneOn('auto', { ...cut, end: 'done' })).toEqual([])
  expect(goneOn('auto', { ...cut, end: 'stopped' })).toEqual([])
})

it('keeps a prompt written down that waits when the host ends, though the answer before it ends then', async () => {
  const rig = setUp()
  void rig.session.send('one').catch(() => {})
  void rig.session.send('two').catch(() => {})
  rig.session.leave()
  rig.answerer.last.say({ type: 'text', text: 'Because.' })
  rig.answerer.last.finish()
  await settled()
  expect(rig.session.state().phase).toBe('idle')
  expect(rig.session.record.meta.queue).toEqual(['two'])
})
