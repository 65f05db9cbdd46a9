import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Turn } from '../../../../src/chat/record/conversation.ts'
import { Ledger } from '../../../../src/chat/record/ledger.ts'
import { type ChatRecord, emptyRecord } from '../../../../src/chat/record/record.ts'
import { readChat, takeUp } from '../../../../src/chat/store/opening.ts'
import { Saver } from '../../../../src/chat/store/saver.ts'
import { renderChat } from '../../../../src/chat/transcript/chat-file.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { FakeClock } from '../fake-clock.ts'
import { claimsIn, setUpStore } from './folder.ts'

const AT = '2025-01-22 09:15:34'
const FILE = 'locks_qwen3-32b_20250122-091534.txt'
const asked = (text: string): Turn => ({ role: 'user', text, at: AT })
const answered = (text: string): Turn => ({ role: 'assistant', text, at: AT, model: 'gpu:qwen3:32b', end: 'done' })

interface Start {
  isAutomatic?: boolean
  pid?: number
  record?: ChatRecord
  store?: Awaited<ReturnType<typeof setUpStore>>
}

async function setUp({ isAutomatic = true, pid = process.pid, record = emptyRecord, store }: Start = {}) {
  const own = store ?? (await setUpStore())
  const clock = new FakeClock()
  const said: string[] = []
  const claims = claimsIn(own.data, pid)
  let told = 0
  /** The files that there were each time that the journal was waited for. */
  const settled: string[][] = []
  const ledger: Ledger = new Ledger((change) => saver.noted(change), record)
  const saver: Saver = new Saver({
    ...{ folder: () => own.chats, claims, clock, log: silentLog },
    isAutomatic: () => isAutomatic,
    record: () => ledger.record,
    settled: async () => void settled.push(await own.files().catch(() => [])),
    note: (set) => {
      told++
      if (Object.keys(set).length > 0) ledger.apply({ type: 'meta', set })
    },
    say: (_, text) => void said.push(text),
  })
  if (record === emptyRecord) ledger.apply({ type: 'meta', set: { model: 'gpu:qwen3:32b' } })
  const ask = (text: string, answer = 'Because.') =>
    ledger.apply({ type: 'append', turns: [asked(text), answered(answer)] })
  /** What the file holds. */
  const kept = async (file: string) =>
    (await readChat(own.chats, file)).record.history.entries.map(({ turn }) => turn.text)
  return { ...own, clock, said, claims, ledger, saver, ask, kept, settled, told: () => told }
}

describe('saving by hand', () => {
  it('is left to the person also when the host ends', async () => {
    const { saver, ask, ledger } = await setUp({ isAutomatic: false })
    ask('Why?')
    await saver.leave()
    expect(ledger.record.meta.file).toBeUndefined()
  })

  it('makes one file, and lets it grow', async () => {
    const { saver, ask, files, read, ledger } = await setUp({ isAutomatic: false })
    ask('Why?')
    expect(saver.state).toEqual({ title: 'Why?', named: false, unsaved: true, autosave: false })
    expect(await saver.save('locks')).toEqual({ file: FILE, title: 'locks', turns: 2 })
    expect(saver.state).toMatchObject({ title: 'locks', named: true, file: FILE, unsaved: false })
    expect(ledger.record.meta).toMatchObject({ created: AT, titled: 'person' })
    const before = (await read(FILE)).split('<!-- ◆ chat')[0] ?? '?'
    ask('And then?')
    expect(saver.state.unsaved).toBe(true)
    expect(await saver.save('locks')).toEqual({ file: FILE, title: 'locks', turns: 2 })
    expect((await read(FILE)).startsWith(before)).toBe(true)
    expect(await saver.save()).toMatchObject({ turns: 0 })
    expect(await files()).toEqual([FILE])
  })

  it('renames a file that no person has named, and leaves another as it is', async () => {
    const { saver, ask, files, kept, said, claims } = await setUp({ isAutomatic: false })
    ask('Why?')
    expect(await saver.save()).toMatchObject({ title: 'Why?', file: 'Why_qwen3-32b_20250122-091534.txt' })
    expect(await saver.save('locks')).toEqual({ file: FILE, title: 'locks', turns: 0 })
    expect(await files()).toEqual([FILE])
    ask('And then?')
    expect(await saver.save('pools')).toMatchObject({ title: 'pools', turns: 4, left: FILE })
    expect(said).toEqual([])
    expect(await kept(FILE)).toHaveLength(2)
    expect([...(await claims.open()).keys()]).toEqual(['pools_qwen3-32b_20250122-091534.txt'])
    expect(await saver.rename('threads')).toBe('threads_qwen3-32b_20250122-091534.txt')
    expect(await files()).toEqual([FILE, 'threads_qwen3-32b_20250122-091534.txt'])
  })

  it('never takes a file that is there', async () => {
    const store = await setUpStore()
    const [one, other] = [await setUp({ store, isAutomatic: false }), await setUp({ store, isAutomatic: false })]
    one.ask('one')
    other.ask('other')
    await Promise.all([one.saver.save('locks'), other.saver.save('locks')])
    expect(await store.files()).toHaveLength(2)
    expect(await one.kept(one.saver.file ?? '')).toContain('one')
    expect(await other.kept(other.saver.file ?? '')).toContain('other')
  })

  it('has nothing to save of a chat in which nothing was said', async () => {
    const { saver, files } = await setUp()
    await expect(saver.save('locks')).rejects.toMatchObject({ code: 'CHAT_NO_TURN' })
    expect(await saver.end()).toBe(false)
    expect(await files()).toEqual([])
  })
})

describe('saving by itself', () => {
  it('comes after the answer, once for what follows at once', async () => {
    const { ledger, clock, files, kept, ask, told } = await setUp()
    ledger.apply({
      type: 'append',
      turns: [asked('Why?'), { role: 'assistant', text: '', at: AT, model: 'gpu:qwen3' }],
    })
    ledger.apply({ type: 'extend', part: { type: 'text', text: 'Because' } })
    await clock.advance(10_000)
    expect(await files()).toEqual([])
    ledger.apply({ type: 'finish', end: { end: 'done' } })
    await clock.advance(500)
    await vi.waitFor(async () => expect(await files()).toHaveLength(1))
    const [file = ''] = await files()
    await vi.waitFor(async () => expect(await kept(file)).toEqual(['Why?', 'Because']))
    await vi.waitFor(() => expect(told()).toBe(1))
    ask('And?')
    ask('Then?')
    await clock.advance(500)
    await vi.waitFor(async () => expect(await kept(file)).toHaveLength(6))
    await vi.waitFor(() => expect(told()).toBe(2))
    expect(clock.sleeping).toBe(0)
  })

  it('follows a title that nobody gave by hand', async () => {
    const { saver, ledger, files, ask } = await setUp({ isAutomatic: false })
    ask('Why?')
    await saver.save()
    ledger.apply({ type: 'meta', set: { title: 'Lock order', titled: 'model' } })
    await saver.save()
    expect(await files()).toEqual(['Lock order_qwen3-32b_20250122-091534.txt'])
  })

  it('keeps the draft when the chat ends, and lets the file go', async () => {
    const { saver, ledger, ask, claims, data, chats } = await setUp()
    ask('Why?')
    ledger.apply({ type: 'meta', set: { title: 'locks', draft: { text: 'not sent' } } })
    expect(await saver.end()).toBe(true)
    expect((await claims.open()).size).toBe(0)
    const other = claimsIn(data, process.ppid)
    const { record } = await takeUp(chats, FILE, { isCopy: false, claims: other, clock: new FakeClock() })
    expect(record.meta).toMatchObject({ draft: { text: 'not sent' }, title: 'locks', file: join(chats, FILE) })
  })

  it('keeps a draft of a chat in which nothing was asked yet, called by its first line, at its end only', async () => {
    const { saver, ledger, clock, files, chats } = await setUp()
    ledger.apply({ type: 'meta', set: { created: AT, draft: { text: '\nnot sent\nat all' } } })
    await clock.advance(60_000)
    expect(await files()).toEqual([])
    expect(await saver.end()).toBe(true)
    expect(await files()).toEqual(['not sent_qwen3-32b_20250122-091534.txt'])
    const { record } = await readChat(chats, 'not sent_qwen3-32b_20250122-091534.txt')
    expect(record.meta).toMatchObject({ draft: { text: '\nnot sent\nat all' } })
    expect(record.meta.titled).toBeUndefined()
  })

  it('does at the end what a person has said', async () => {
    const byItself = await setUp()
    byItself.ask('Why?')
    await byItself.saver.end('discard')
    expect(await byItself.files()).toEqual([])
    const byHand = await setUp({ isAutomatic: false })
    byHand.ask('Why?')
    expect(await byHand.saver.end('save')).toBe(true)
    expect(await byHand.files()).toHaveLength(1)
  })

  it('is off when that is wanted', async () => {
    const { saver, ask, clock, files } = await setUp({ isAutomatic: false })
    ask('Why?')
    await clock.advance(60_000)
    expect(await saver.end()).toBe(false)
    expect(await files()).toEqual([])
  })
})

describe('what others do to the file', () => {
  it('is never overwritten, and another name saves the chat', async () => {
    const { saver, ask, chats, read, said, clock, files } = await setUp()
    ask('Why?')
    await saver.save('locks')
    await writeFile(join(chats, FILE), 'mine')
    ask('And?')
    await clock.advance(500)
    await vi.waitFor(() => expect(said).toHaveLength(1))
    expect(said[0]).toMatch(/not saved: .* was changed by another program/)
    ask('Then?')
    await clock.advance(120_000)
    expect(said).toHaveLength(1)
    await expect(saver.save('locks')).rejects.toMatchObject({ code: 'STORE_CHANGED' })
    await expect(saver.end()).rejects.toMatchObject({ code: 'STORE_CHANGED' })
    expect(await read(FILE)).toBe('mine')
    expect(await saver.save('pools')).toMatchObject({ turns: 6 })
    expect(await files()).toEqual([FILE, 'pools_qwen3-32b_20250122-091534.txt'])
    expect(await saver.end()).toBe(true)
  })

  it('is told when it was removed, and it is written anew', async () => {
    const { saver, ask, chats, said, files } = await setUp({ isAutomatic: false })
    ask('Why?')
    await saver.save('locks')
    await rm(chats, { recursive: true })
    await saver.save()
    expect(said).toEqual([`${FILE} was gone, and is written anew`])
    expect(await files()).toEqual([FILE])
  })
})

describe('a disk that takes nothing', () => {
  it('is told once, and the chat is saved when it does again', async () => {
    const { saver, ask, chats, said, clock, files, told } = await setUp()
    await rename(chats, `${chats}-away`)
    await writeFile(chats, 'a file in its place')
    ask('Why?')
    await clock.advance(500)
    await vi.waitFor(() => expect(said).toHaveLength(1))
    expect(said[0]).toMatch(/cannot be written/)
    expect(saver.state).toMatchObject({ unsaved: true, autosave: true, save_fails: true })
    const before = told()
    await clock.advance(31_000)
    await expect(saver.save()).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' })
    expect(said).toHaveLength(1)
    await rm(chats)
    await vi.waitFor(async () => {
      await clock.advance(31_000)
      expect(said).toHaveLength(2)
    })
    expect(said[1]).toMatch(/saved again in /)
    expect(saver.state.save_fails).toBeUndefined()
    expect(told()).toBeGreaterThan(before)
    expect(await files()).toHaveLength(1)
  })

  it('is told with the state when the end of the chat finds it', async () => {
    const { saver, ask, chats, told } = await setUp()
    await rename(chats, `${chats}-away`)
    await writeFile(chats, 'a file in its place')
    ask('Why?')
    await expect(saver.end()).rejects.toMatchObject({ code: 'STORE_UNWRITABLE' })
    expect(saver.state.save_fails).toBe(true)
    expect(told()).toBe(1)
    await saver.end('discard')
  })

  it.runIf(process.getuid?.() === 0)('that is full leaves no half file, and no name taken', async () => {
    const { saver, ask, chats } = await setUp({ isAutomatic: false })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', chats])
    onTestFinished(() => void execFileSync('umount', [chats]))
    ask('Why?', 'x'.repeat(200_000))
    await expect(saver.save('locks')).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(await readdir(chats)).toEqual([])
    expect(saver.state).toMatchObject({ unsaved: true, named: false })
    execFileSync('mount', ['-o', 'remount,size=4m', chats])
    expect(await saver.save('locks')).toMatchObject({ file: FILE })
  })
})

describe('a saved chat that is taken up', () => {
  it('is one chat in two Neovims never, and a copy if it is wanted', async () => {
    const { saver, ask, chats, data } = await setUp({ isAutomatic: false })
    ask('Why?')
    await saver.save('locks')
    const claims = claimsIn(data, process.ppid)
    const clock = new FakeClock()
    await expect(takeUp(chats, FILE, { isCopy: false, claims, clock })).rejects.toMatchObject({ code: 'CHAT_IN_USE' })
    const copy = await takeUp(chats, FILE, { isCopy: true, claims, clock })
    expect(copy.file).toBeUndefined()
    expect(copy.record.meta).toMatchObject({ title: 'locks', created: expect.not.stringMatching(AT) })
    await saver.end()
    expect((await takeUp(chats, FILE, { isCopy: false, claims, clock })).file?.file).toBe(FILE)
  })

  it('that the plugin did not write stays as it is', async () => {
    const { chats, claims, clock, write, read } = await setUp()
    await mkdir(chats, { recursive: true })
    await write('my notes.txt', '## ◆ You\n\nWhy?\n')
    const { file, record, problems } = await takeUp(chats, 'my notes.txt', { isCopy: false, claims, clock })
    expect(file).toBeUndefined()
    expect(problems.at(-1)).toMatch(/my notes\.txt stays as it is/)
    expect(record.meta).toMatchObject({ title: 'my notes', titled: 'person' })
    expect(await read('my notes.txt')).toBe('## ◆ You\n\nWhy?\n')
    await expect(readChat(chats, '../x.txt')).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
  })

  it('stays as it is where it is a link, or holds bytes that are no text', async () => {
    const { saver, ask, chats, data, claims, clock } = await setUp({ isAutomatic: false })
    ask('Why?')
    await saver.save('locks')
    await saver.end()
    const [link, foreign] = ['link', 'foreign'].map((name) => FILE.replace('locks', name))
    await rename(join(chats, FILE), join(data, 'kept elsewhere'))
    await symlink(join(data, 'kept elsewhere'), join(chats, link as string))
    const bytes = await readFile(join(data, 'kept elsewhere'), 'latin1')
    await writeFile(join(chats, foreign as string), bytes.replace('Why?', 'Pourquoi caf\xe9 ?'), 'latin1')
    for (const file of [link, foreign] as string[]) {
      const taken = await takeUp(chats, file, { isCopy: false, claims, clock })
      expect(taken.file).toBeUndefined()
      expect(taken.problems.at(-1)).toContain('stays as it is')
    }
    expect(await claims.open()).toEqual(new Map())
  })

  it('is called as its file is', async () => {
    const { saver, ask, chats } = await setUp({ isAutomatic: false })
    ask('Why?')
    await saver.save('locks')
    await rename(join(chats, FILE), join(chats, FILE.replace('locks', 'my locks')))
    const { record } = await readChat(chats, FILE.replace('locks', 'my locks'))
    expect(record.meta).toMatchObject({ title: 'my locks', titled: 'person' })
  })
})

describe('the host that comes after another', () => {
  it('goes on in the same file, also when it was written while an answer came', async () => {
    const first = await setUp()
    first.ask('Why?')
    await first.saver.save('locks')
    first.ask('And?')
    const next = await setUp({ record: first.ledger.record, store: first })
    await next.saver.goOn()
    expect(next.saver.state).toMatchObject({ file: FILE, unsaved: true })
    await next.clock.advance(500)
    await vi.waitFor(async () => expect(await next.kept(FILE)).toHaveLength(4))
    await vi.waitFor(() => expect(next.saver.state.unsaved).toBe(false))
  })

  it('knows what is saved already, and what somebody else wrote', async () => {
    const first = await setUp()
    first.ask('Why?')
    await first.saver.save('locks')
    const next = await setUp({ record: first.ledger.record, store: first })
    await next.saver.goOn()
    expect(next.saver.state.unsaved).toBe(false)
    await writeFile(
      join(first.chats, FILE),
      renderChat({
        ...emptyRecord,
        history: { entries: [{ turn: asked('theirs'), place: 0 }], versions: [[0]], shown: 0 },
      }),
    )
    const last = await setUp({ record: first.ledger.record, store: first })
    await last.saver.goOn()
    await expect(last.saver.save()).rejects.toMatchObject({ code: 'STORE_CHANGED' })
  })

  it('finds the file that was made, or renamed, by a host that was killed before it wrote that down', async () => {
    const first = await setUp()
    first.ask('Why?')
    const unsaved = first.ledger.record
    await first.saver.save()
    const made = first.ledger.record
    const goOnWith = async (record: ChatRecord) => {
      const next = await setUp({ record, store: first })
      await next.saver.goOn()
      expect(next.said).toEqual([])
      return next
    }
    const [name] = await first.files()
    const second = await goOnWith(unsaved)
    expect(second.ledger.record.meta).toEqual({ ...made.meta })
    expect(second.saver.state).toMatchObject({ file: name, unsaved: false })
    await second.saver.rename('locks')
    expect(await first.files()).toEqual([FILE])
    const third = await goOnWith(made)
    expect(third.ledger.record.meta).toMatchObject({ created: AT, title: 'locks', titled: 'person' })
    third.ask('And?')
    await third.saver.save()
    expect(await third.kept(FILE)).toHaveLength(4)
    expect(await third.files()).toEqual([FILE])
  })

  it('finds nothing in the file that the journal did not have before', async () => {
    const { saver, ask, settled, files } = await setUp()
    ask('Why?')
    await saver.save('locks')
    expect(settled).toEqual([[]])
    expect(await files()).toEqual([FILE])
  })

  it('takes no file for its own in which there is something else', async () => {
    const first = await setUp()
    first.ask('Why?')
    const record = first.ledger.record
    first.ask('And?')
    await first.saver.save('locks')
    const next = await setUp({ record, store: first })
    await next.saver.goOn()
    expect(next.saver.file).toBeUndefined()
  })

  it('leaves a file to another Neovim that has it now', async () => {
    const first = await setUp()
    first.ask('Why?')
    await first.saver.save('locks')
    await first.saver.end()
    await claimsIn(first.data, process.ppid).claim(FILE)
    const next = await setUp({ record: first.ledger.record, store: first })
    await next.saver.goOn()
    expect(next.said[0]).toMatch(/saved by this chat no more/)
    expect(next.ledger.record.meta.file).toBeUndefined()
    expect(await next.saver.save()).toMatchObject({ file: 'locks_qwen3-32b_20250122-091534-2.txt' })
  })
})
