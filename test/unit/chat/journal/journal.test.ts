import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Journal } from '../../../../src/chat/journal/journal.ts'
import { replay } from '../../../../src/chat/journal/lines.ts'
import { Ledger } from '../../../../src/chat/record/ledger.ts'
import { type ChatRecord, emptyRecord } from '../../../../src/chat/record/record.ts'
import { FakeClock } from '../fake-clock.ts'
import { changes } from './changes.ts'
import { MemoryFile } from './memory-file.ts'

const OWNER = { pid: 1, start: 'then', host: 'here' }
const SECOND = 1_000
const SOUND = { isWhole: true, isDamaged: false, isFiled: false }
const asked = { type: 'append', turns: [{ role: 'user', text: 'q', at: '' }] } as const
const answered = { type: 'append', turns: [{ role: 'assistant', text: '', at: '', model: 's:m' }] } as const
const word = (text: string) => ({ type: 'extend', part: { type: 'text', text } }) as const

function setUp(record: ChatRecord = emptyRecord, there?: number) {
  const clock = new FakeClock()
  const file = new MemoryFile()
  const troubles: unknown[] = []
  const deps = { file, clock, owner: async () => OWNER, onTrouble: (error: unknown) => troubles.push(error) }
  const journal = new Journal('key', record, deps, there)
  const ledger = new Ledger((change, now) => journal.write(change, now), record)
  return { clock, file, journal, ledger, troubles, deps }
}

describe('a journal', () => {
  test('has no file before there is a word', async () => {
    const { clock, file, ledger, journal } = setUp()
    ledger.apply({ type: 'meta', set: { model: 's:m', draft: { text: ' \n' } } })
    await clock.advance(SECOND)
    expect(file.calls).toEqual([])
    ledger.apply({ type: 'meta', set: { draft: { text: 'w' } } })
    await clock.advance(SECOND)
    expect(replay(file.synced)).toEqual({ owner: OWNER, record: ledger.record, ...SOUND })
    expect(clock.sleeping).toBe(0)
    await journal.close({ keep: false })
    expect(file.isThere).toBe(false)
  })

  test('is at most a second behind on the disk, and less with the system', async () => {
    const { clock, file, ledger } = setUp()
    ledger.apply(asked)
    ledger.apply(answered)
    const records: Array<{ at: number; record: ChatRecord }> = []
    for (let step = 0; step < 400; step++) {
      ledger.apply(word(`${step} `))
      records.push({ at: clock.now(), record: ledger.record })
      await clock.advance(10)
      const old = records.findLast(({ at }) => at <= clock.now() - SECOND)
      const recent = records.findLast(({ at }) => at <= clock.now() - SECOND / 4)
      if (old) expect(textIn(file.synced).startsWith(textOf(old.record))).toBe(true)
      if (recent) expect(textIn(file.text).startsWith(textOf(recent.record))).toBe(true)
    }
    // Many words make few writes, and those make fewer waits for the disk.
    expect(file.calls.filter((call) => call === 'append').length).toBeLessThan(25)
    expect(file.calls.filter((call) => call === 'sync').length).toBeLessThan(8)
  })

  test('holds what comes while it is looked up whose it is once', async () => {
    const { clock, file, deps } = setUp()
    let found = () => {}
    const owner = () => new Promise<typeof OWNER>((resolve) => (found = () => resolve(OWNER)))
    const journal = new Journal('key', emptyRecord, { ...deps, owner })
    const ledger = new Ledger((change, now) => journal.write(change, now))
    ledger.apply(asked)
    await clock.advance(SECOND / 2)
    ledger.apply(answered)
    found()
    await clock.advance(SECOND)
    expect(replay(file.synced)).toEqual({ owner: OWNER, record: ledger.record, ...SOUND })
  })

  test('tells that all of it was in a file, until the chat goes on', async () => {
    const { file, ledger, journal } = setUp()
    ledger.apply(asked)
    const { record } = ledger
    await journal.flush()
    journal.filed(record)
    await journal.flush()
    expect(replay(file.synced)).toEqual({ owner: OWNER, record, ...SOUND, isFiled: true })
    expect(replay(`${file.synced}{"torn`)).toMatchObject({ isFiled: false })
    ledger.apply(answered)
    journal.filed(record)
    await journal.flush()
    expect(replay(file.synced)).toEqual({ owner: OWNER, record: ledger.record, ...SOUND })
  })

  test('is on the disk when it was flushed', async () => {
    const { file, ledger, journal, clock } = setUp()
    ledger.apply(asked)
    await journal.flush()
    expect(replay(file.synced).record).toEqual(ledger.record)
    ledger.apply(answered)
    ledger.apply(word('a'))
    await journal.flush()
    expect(replay(file.synced).record).toEqual(ledger.record)
    await journal.flush()
    expect(clock.sleeping).toBe(0)
  })

  test('goes on in a file that is there', async () => {
    const first = setUp()
    first.ledger.apply(asked)
    await first.journal.close({ keep: true })
    const { file, ledger, journal } = setUp(replay(first.file.text).record, first.file.text.length)
    file.text = first.file.text
    file.isThere = true
    ledger.apply(answered)
    await journal.flush()
    expect(file.calls).toEqual(['append', 'sync'])
    expect(replay(file.synced)).toEqual({ owner: OWNER, record: ledger.record, ...SOUND })
  })

  test('does not grow without end', async () => {
    const { clock, file, ledger } = setUp()
    ledger.apply(asked)
    for (let length = 1; length < 200; length++) {
      ledger.apply({ type: 'meta', set: { draft: { text: 'x'.repeat(20_000) + length } } })
      await clock.advance(SECOND)
      expect(file.text.length).toBeLessThan(600_000)
      expect(replay(file.text).record).toEqual(ledger.record)
    }
    expect(file.calls.filter((call) => call === 'begin').length).toBeGreaterThan(2)
  })

  test('tells once of a disk that does not take it, and is whole when it does again', async () => {
    const { clock, file, ledger, journal, troubles } = setUp()
    ledger.apply(asked)
    await journal.flush()
    file.refusal = new Error('ENOSPC')
    for (let second = 0; second < 10; second++) {
      ledger.apply({ type: 'meta', set: { draft: { text: String(second) } } })
      await clock.advance(SECOND)
    }
    await journal.flush()
    expect(troubles).toEqual([file.refusal])
    file.refusal = undefined
    await clock.advance(3 * SECOND)
    expect(replay(file.synced)).toEqual({ owner: OWNER, record: ledger.record, ...SOUND })
    file.refusal = new Error('EROFS')
    ledger.apply(answered)
    await clock.advance(SECOND)
    expect(troubles).toHaveLength(2)
    await journal.close({ keep: true })
    expect(clock.sleeping).toBe(0)
  })

  test('begins anew when its file was taken away', async () => {
    const { file, ledger, journal } = setUp()
    ledger.apply(asked)
    await journal.flush()
    file.isThere = false
    ledger.apply(answered)
    await journal.flush()
    expect(replay(file.synced).record).toEqual(ledger.record)
  })

  test('cut at any byte, whenever it was written, tells what once was', async () => {
    const pauses = fc.array(fc.constantFrom(0, 0, 50, 150, 900), { minLength: 30, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(changes, pauses, fc.nat(), async ({ made, records }, pauses, where) => {
        const { clock, file, ledger, journal } = setUp()
        const written: string[] = []
        for (const [index, change] of made.entries()) {
          ledger.apply(change)
          await clock.advance(pauses[index] ?? 0)
          written.push(file.text)
        }
        await journal.close({ keep: true })
        expect(ledger.record).toEqual(records.at(-1))
        if (file.text !== '') expect(replay(file.text)).toEqual({ owner: OWNER, record: ledger.record, ...SOUND })
        const bytes = Buffer.from(file.text)
        const { record } = replay(bytes.subarray(0, where % (bytes.length + 1)).toString('utf8'))
        // Drafts may be ahead of words that came just before them: what is told of either once was.
        const { turns } = record.history.entries.length === 0 ? { turns: [] } : { turns: record.history.entries }
        expect(records.some(({ history }) => isBeginning(history.entries, turns))).toBe(true)
        expect(records.some(({ meta }) => JSON.stringify(meta) === JSON.stringify(record.meta))).toBe(true)
      }),
    )
  })

  test('is read whatever became of it', () => {
    const line = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.constantFrom(
        '{"type":"branch","entries":[7],"turns":[]}',
        '{"type":"show","version":9}',
        '{"type":"append","turns":null}',
        '{"type":"append","turns":[{"role":"user","text":"t","at":""}]}',
        '{"format":1,"record":{"meta":{},"history":{"entries":[],"versions":[[3]],"shown":0}}}',
        '{"format":2,"record":{"meta":{"new":1},"history":{"entries":[],"versions":[[]],"shown":0}}}',
      ),
    )
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const { record } = replay(lines.join('\n'))
        expect(record.history.versions[record.history.shown]).toBeDefined()
      }),
    )
  })

  test('keeps what stands after a damaged line', () => {
    const head = `{"format":1,"owner":{"pid":1,"host":"h"},"record":{"meta":{},"history":{"entries":[],"versions":[[]],"shown":0}}}`
    const { record, isWhole, isDamaged } = replay(
      `${head}\n${JSON.stringify(asked)}\n\u0000\u0000\n${JSON.stringify(answered)}\n`,
    )
    expect(record.history.entries).toHaveLength(2)
    expect([isWhole, isDamaged]).toEqual([false, true])
    // A kill amid a write is no damage.
    expect(replay(`${head}\n{"torn`)).toMatchObject({ isWhole: false, isDamaged: false })
  })
})

function textIn(journal: string): string {
  return textOf(replay(journal).record)
}

function textOf({ history }: ChatRecord): string {
  return history.entries[1]?.turn.text ?? ''
}

/** Whether the turns are those of that time: of the last of them perhaps less was written. */
function isBeginning(whole: readonly unknown[], turns: readonly unknown[]): boolean {
  return JSON.stringify(whole) === JSON.stringify(turns)
}
