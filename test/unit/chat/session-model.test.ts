// Any life of a chat: whatever is done in whatever order, the laws of a session hold.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { messages } from '../../../src/chat/record/conversation.ts'
import { current, type History, shownEntries } from '../../../src/chat/record/history.ts'
import { changedRecord, emptyRecord } from '../../../src/chat/record/record.ts'
import { shownVariants, variantsOf } from '../../../src/chat/record/variants.ts'
import { parseChat, renderChat } from '../../../src/chat/transcript/chat-file.ts'
import { parse, renderShown } from '../../../src/chat/transcript/format.ts'
import { act, actions, conclude, edits, type Promised, policies } from './any-life.ts'
import { settled } from './fake-clock.ts'
import { type Rig, setUp } from './rig.ts'

test('transcript, conversation and requests stay in step, and everything ends', async () => {
  await fc.assert(
    fc.asyncProperty(actions, policies, async (list, policy) => {
      const rig = setUp({ system: 'Be brief.', resume: policy })
      const { session, clock } = rig
      const promises: Promised[] = []
      expectRequestsInStep(rig)
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
      expect(clock.sleeping).toBe(0)
      expect(rig.ways.waiting).toBe(0)
      expectLaws(rig, promises)
    }),
    { numRuns: 200 },
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
    { numRuns: 200 },
  )
})

test('whatever is edited, regenerated, taken out and stepped through, nothing is lost and all is in step', async () => {
  await fc.assert(
    fc.asyncProperty(edits, async (list) => {
      const rig = setUp()
      const promises: Promised[] = []
      expectRequestsInStep(rig)
      for (const [index, action] of list.entries()) {
        await act(rig, action, index, promises)
        await rig.clock.advance(300)
        expect(rig.surface.text).toBe(renderShown(rig.session.record.history))
      }
      expectLaws(rig, promises)
    }),
    { numRuns: 200 },
  )
})

function expectLaws(rig: Rig, promises: readonly Promised[]): void {
  const { session, surface } = rig
  expect(surface.text).toBe(renderShown(session.record.history))
  expect(parse(surface.text)).toEqual({ conversation: session.conversation, problems: [] })
  expectVariantsTold(rig)
  expectChangesTellAll(rig)
  expectFileTellsAll(rig)
  expectNothingLost(rig, promises)
}

/** Each request is held against what is shown when it is made. */
function expectRequestsInStep({ session, answerer }: Rig): void {
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
}

/** The headings count what may be shown in their place, and all of it can be: it is never shown twice at once. */
function expectVariantsTold({ session, surface }: Rig): void {
  const { history } = session.record
  const told = shownVariants(history)
  for (const [index, mark] of told.entries()) {
    const { entries, shown } = variantsOf(history, index + 1)
    expect([entries.length, entries.length > 1 ? { index: shown + 1, count: entries.length } : undefined]).toEqual([
      mark?.count ?? 1,
      mark,
    ])
  }
  const places = shownEntries(history).map((number) => history.entries[number]?.place)
  expect(new Set(places).size).toBe(places.length)
  const marks = told.flatMap((mark) => (mark ? [`‹${mark.index}/${mark.count}›`] : []))
  expect(surface.text.match(/(?<=^## ◆ .* · )‹\d+\/\d+›$/gm) ?? []).toEqual(marks)
}

/** What was written down of it makes the same record again. */
function expectChangesTellAll({ session, changes }: Rig): void {
  const read = changes.map((change) => JSON.parse(JSON.stringify(change)) as typeof change)
  expect(read.reduce(changedRecord, emptyRecord)).toEqual(session.record)
}

/** Its file holds every version, and what may stand where. */
function expectFileTellsAll({ session }: Rig): void {
  const { history } = session.record
  const { record, problems } = parseChat(renderChat(session.record))
  expect(problems).toEqual([])
  expect(meaningOf(record.history)).toEqual(meaningOf(history))
}

/** By what its turns are, not by their numbers. */
function meaningOf({ shown, ...history }: History): unknown {
  const versions = history.versions.map((_, version) => ({ ...history, shown: version }))
  return { shown, versions: versions.map((version) => [current(version).turns, shownVariants(version)]) }
}

/** Every prompt that was taken stands in some version, and whatever happens, only the version that is shown is changed. */
function expectNothingLost({ session, changes }: Rig, promises: readonly Promised[]): void {
  const { entries, versions } = session.record.history
  const seen = new Set(versions.flat().map((number) => entries[number]?.turn.text))
  for (const { text, outcome } of promises) if (text !== '' && outcome === 'waiting kept') expect(seen).toContain(text)
  changes.reduce((before, change) => {
    const after = changedRecord(before, change)
    const isLeft = change.type === 'branch' || change.type === 'show'
    const others = before.history.versions.filter((_, version) => isLeft || version !== before.history.shown)
    const isAsBefore = (version: readonly number[]) =>
      after.history.versions.includes(version) &&
      version.every((number) => after.history.entries[number] === before.history.entries[number])
    expect(others.every(isAsBefore) || { change, before, after }).toBe(true)
    return after
  }, emptyRecord)
}
