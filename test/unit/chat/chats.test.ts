import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { readChat } from '../../../src/chat/store/opening.ts'
import { leftOvers } from '../../../src/chat/take-over/left-over.ts'
import { setUpChats } from './chats-rig.ts'
import { settled } from './fake-clock.ts'
import { CHAT } from './rig.ts'
import { setUpStore } from './store/folder.ts'

type Rig = Awaited<ReturnType<typeof setUp>>

/** Of no process. */
const GONE = 2 ** 30

async function setUp({ isAutomatic = true, pid = process.pid } = {}) {
  const store = await setUpStore()
  const rig = setUpChats(store.chats, { data: store.data, isAutomatic, pid })
  return { ...rig, ...store, claims: rig.claims, clock: rig.clock, chatsOfHost: rig.chats }
}

/** Asks, and has it answered. */
async function talk({ handlers, answerer, clock }: Rig, text: string): Promise<void> {
  await handlers['chat.open']({ chat: CHAT })
  await handlers['chat.send']({ chat: CHAT, text })
  answerer.last.say({ type: 'text', text: 'Because.' })
  answerer.last.finish()
  await clock.advance(10)
  await settled()
}

const textsIn = async (folder: string, file: string) =>
  (await readChat(folder, file)).record.history.entries.map(({ turn }) => turn.text)

describe('a chat that is saved', () => {
  it('tells where, and that nothing is unsaved', async () => {
    const rig = await setUp({ isAutomatic: false })
    await talk(rig, 'Why?')
    expect(rig.surface.states.at(-1)).toMatchObject({ title: 'Why?', unsaved: true, autosave: false, named: false })
    const { file, turns } = await rig.handlers['chat.save']({ chat: CHAT, name: 'locks' })
    expect(turns).toBe(2)
    expect(rig.surface.states.at(-1)).toMatchObject({ title: 'locks', file, unsaved: false, named: true })
    expect(await textsIn(rig.chats, file)).toEqual(['Why?', 'Because.'])
    expect(await rig.claims.open()).toEqual(new Map([[file, 'here']]))
  })

  it('takes its file along when it is renamed, whoever named it, and is saved where it was not', async () => {
    const rig = await setUp()
    await talk(rig, 'Why?')
    await rig.handlers['chat.rename']({ chat: CHAT, name: 'locks' })
    const { file } = await rig.handlers['chat.rename']({ chat: CHAT, name: 'pools' })
    expect(file).toMatch(/^pools_/)
    expect(await readdir(rig.chats)).toEqual([file])
    expect(await rig.claims.open()).toEqual(new Map([[file, 'here']]))
  })

  it('is saved by itself when it ends, and goes on when that fails', async () => {
    const rig = await setUp()
    await talk(rig, 'Why?')
    const { file } = await rig.handlers['chat.save']({ chat: CHAT, name: 'locks' })
    await rig.handlers['chat.send']({ chat: CHAT, text: 'And?' })
    rig.answerer.last.say({ type: 'text', text: 'So' })
    await writeFile(join(rig.chats, file), 'theirs')
    await expect(rig.handlers['chat.close']({ chat: CHAT })).rejects.toMatchObject({ code: 'STORE_CHANGED' })
    const { file: other } = await rig.handlers['chat.save']({ chat: CHAT, name: 'pools' })
    await rig.handlers['chat.close']({ chat: CHAT })
    expect(await textsIn(rig.chats, other)).toEqual(['Why?', 'Because.', 'And?', 'So'])
    expect(await readFile(join(rig.chats, file), 'utf8')).toBe('theirs')
    expect(await rig.claims.open()).toEqual(new Map())
    expect(await readdir(join(rig.data, 'journal'))).toEqual([])
  })

  it('keeps what was sent and not asked as a draft', async () => {
    const rig = await setUp()
    await talk(rig, 'Why?')
    await rig.handlers['chat.send']({ chat: CHAT, text: 'And?' })
    const waiting = rig.handlers['chat.send']({ chat: CHAT, text: 'Then?' })
    rig.handlers['chat.draft']({ chat: CHAT, text: 'Or' })
    await Promise.all([rig.handlers['chat.close']({ chat: CHAT }), expect(waiting).rejects.toBeDefined()])
    const [file = ''] = await readdir(rig.chats)
    expect((await readChat(rig.chats, file)).record.meta.draft).toEqual({ text: 'Then?\n\nOr' })
  })

  it('without a word makes no file', async () => {
    const rig = await setUp()
    await rig.handlers['chat.open']({ chat: CHAT })
    await rig.handlers['chat.close']({ chat: CHAT })
    expect(await readdir(rig.chats)).toEqual([])
  })
})

describe('a saved chat that is loaded', () => {
  async function loaded() {
    const rig = await setUp()
    await talk(rig, 'Why?')
    await rig.handlers['chat.again']({ chat: CHAT })
    rig.answerer.last.say({ type: 'text', text: 'So.' })
    rig.answerer.last.finish()
    await rig.clock.advance(10)
    rig.handlers['chat.draft']({ chat: CHAT, text: 'Or' })
    await rig.handlers['chat.save']({ chat: CHAT, name: 'locks' })
    await rig.handlers['chat.close']({ chat: CHAT })
    const [file = ''] = await readdir(rig.chats)
    const { length } = rig.surface.writes
    const opened = await rig.handlers['chat.load']({ chat: CHAT, file })
    await vi.waitFor(() => expect(rig.surface.writes).toHaveLength(length + 1))
    return { ...rig, file, opened }
  }

  it('is read, with its versions, and nothing else', async () => {
    const { handlers, opened, file, chats } = await loaded()
    expect(opened).toMatchObject({ read_only: true, title: 'locks', file, model: 'gpu:qwen3', phase: 'idle' })
    const before = await readFile(join(chats, file), 'utf8')
    const chat = CHAT
    const forbidden = [
      () => handlers['chat.send']({ chat, text: 'x' }),
      () => handlers['chat.again']({ chat }),
      () => handlers['chat.resume']({ chat }),
      () => handlers['chat.take']({ chat, turn: 1 }),
      () => handlers['chat.delete']({ chat, turn: 1 }),
      () => handlers['chat.model']({ chat, model: 'm' }),
      () => handlers['chat.save']({ chat }),
      () => handlers['chat.draft']({ chat, text: 'x' }),
    ]
    for (const ask of forbidden) {
      await expect(async () => ask()).rejects.toMatchObject({ code: 'CHAT_READ_ONLY' })
    }
    expect(await handlers['chat.variants']({ chat, turn: 2 })).toMatchObject({ shown: 2 })
    await handlers['chat.variant']({ chat, turn: 2, by: -1 })
    expect(await handlers['chat.variants']({ chat, turn: 2 })).toMatchObject({ shown: 1 })
    await handlers['chat.close']({ chat })
    expect(await readFile(join(chats, file), 'utf8')).toBe(before)
  })

  it('lives again when it is taken up, with its draft', async () => {
    const { handlers, file, chats, answerer, clock, surface } = await loaded()
    const written = surface.writes.length
    const opened = await handlers['chat.take_up']({ chat: CHAT })
    await clock.advance(10)
    expect(surface.writes.slice(written)).toEqual([])
    expect(opened).toMatchObject({ file, title: 'locks', named: true, unsaved: false, draft: { text: 'Or' } })
    expect(opened.read_only).toBeUndefined()
    await handlers['chat.send']({ chat: CHAT, text: 'And?' })
    answerer.last.finish()
    await clock.advance(500)
    await vi.waitFor(async () => expect(await textsIn(chats, file)).toContain('And?'))
    expect(surface.text).toContain('And?')
    await expect(handlers['chat.take_up']({ chat: CHAT })).rejects.toMatchObject({ code: 'CHAT_NO_TURN' })
  })

  it('is taken up once, and not at all where it was closed meanwhile', async () => {
    const rig = await setUp()
    await talk(rig, 'Why?')
    const { file } = await rig.handlers['chat.save']({ chat: CHAT, name: 'locks' })
    await rig.handlers['chat.close']({ chat: CHAT })
    await rig.handlers['chat.load']({ chat: 2, file })
    const [first, second] = await Promise.allSettled([
      rig.handlers['chat.take_up']({ chat: 2, copy: true }),
      rig.handlers['chat.take_up']({ chat: 2 }),
    ])
    expect(first).toMatchObject({ status: 'fulfilled' })
    expect(second).toMatchObject({ reason: { code: 'CHAT_NO_TURN' } })
    await rig.handlers['chat.load']({ chat: 3, file })
    const [taken] = await Promise.allSettled([
      rig.handlers['chat.take_up']({ chat: 3 }),
      rig.handlers['chat.close']({ chat: 3 }),
    ])
    expect(taken).toMatchObject({ reason: { code: 'CANCELLED' } })
    expect(await rig.claims.open()).toEqual(new Map())
  })

  it('is written anew where its file was changed before it was taken up', async () => {
    const { handlers, file, chats, clock, surface } = await loaded()
    await clock.advance(10)
    const path = join(chats, file)
    await writeFile(path, (await readFile(path, 'utf8')).replace('Why?', 'Why not?'))
    await handlers['chat.take_up']({ chat: CHAT })
    await vi.waitFor(() => expect(surface.text).toContain('Why not?'))
  })

  it('is not opened where it was closed before it was read', async () => {
    const { handlers, file } = await loaded()
    await handlers['chat.close']({ chat: CHAT })
    const loading = handlers['chat.load']({ chat: CHAT, file })
    await handlers['chat.close']({ chat: CHAT })
    await expect(loading).rejects.toMatchObject({ code: 'CANCELLED' })
    await expect(handlers['chat.take_up']({ chat: CHAT })).rejects.toMatchObject({ code: 'CHAT_NO_TURN' })
  })

  it('is read as long as another has it, and can be copied', async () => {
    const { handlers, file, data, chats } = await loaded()
    const other = setUpChats(chats, { data, pid: process.ppid })
    await other.handlers['chat.load']({ chat: CHAT, file })
    await other.handlers['chat.take_up']({ chat: CHAT })
    await expect(handlers['chat.take_up']({ chat: CHAT })).rejects.toMatchObject({ code: 'CHAT_IN_USE' })
    expect(() => handlers['chat.send']({ chat: CHAT, text: 'x' })).toThrow(/only read/)
    const opened = await handlers['chat.take_up']({ chat: CHAT, copy: true })
    expect(opened.file).toBeUndefined()
    await handlers['chat.send']({ chat: CHAT, text: 'And?' })
    expect((await handlers['chat.save']({ chat: CHAT })).file).not.toBe(file)
  })

  it('tells what is not there', async () => {
    const { handlers } = await setUp()
    await expect(handlers['chat.load']({ chat: CHAT, file: 'gone.txt' })).rejects.toMatchObject({
      code: 'STORE_NOT_FOUND',
    })
    await expect(handlers['chat.take_up']({ chat: CHAT })).rejects.toMatchObject({ code: 'CHAT_NO_TURN' })
  })
})

describe('a Neovim that is gone', () => {
  it('leaves what is saved in its file, and nothing over', async () => {
    const rig = await setUp({ pid: GONE })
    await talk(rig, 'Why?')
    rig.handlers['chat.draft']({ chat: CHAT, text: 'Or' })
    await rig.handlers['chat.save']({ chat: CHAT, name: 'locks' })
    rig.handlers['chat.draft']({ chat: CHAT, text: 'Or else' })
    await rig.chatsOfHost.leave()
    const [file = ''] = await readdir(rig.chats)
    expect((await readChat(rig.chats, file)).record.meta.draft).toEqual({ text: 'Or else' })
    expect(await rig.claims.open()).toEqual(new Map())
    expect(await rig.journals.left()).toMatchObject([{ isFiled: true }])
    // Whatever became of the file since, the chat was not lost.
    await rm(join(rig.chats, file))
    expect(await leftOvers(rig.journals)).toEqual([])
    expect(await readdir(join(rig.data, 'journal'))).toEqual([])
  })

  it('leaves over what its file does not hold, or did not hold any more', async () => {
    const rig = await setUp({ isAutomatic: false, pid: GONE })
    await talk(rig, 'Why?')
    await rig.handlers['chat.save']({ chat: CHAT, name: 'locks' })
    rig.handlers['chat.draft']({ chat: CHAT, text: 'Or else' })
    await rig.chatsOfHost.leave()
    expect(await leftOvers(rig.journals)).toMatchObject([{ title: 'locks', turns: 2, last: 'Or else' }])

    const other = await setUp({ pid: GONE })
    await talk(other, 'Why?')
    const { file } = await other.handlers['chat.save']({ chat: CHAT, name: 'locks' })
    await rm(join(other.chats, file))
    await other.chatsOfHost.leave()
    expect(await leftOvers(other.journals)).toMatchObject([{ title: 'locks', turns: 2 }])
  })

  it('leaves over what only its next host heard of', async () => {
    const rig = await setUp({ pid: GONE })
    await talk(rig, 'Why?')
    const { file } = await rig.handlers['chat.save']({ chat: CHAT, name: 'locks' })
    await rig.chatsOfHost.leave()
    const next = setUpChats(rig.chats, { data: rig.data, isAutomatic: false, pid: GONE })
    await next.handlers['chat.open']({ chat: CHAT, key: await keyIn(rig.data) })
    next.handlers['chat.draft']({ chat: CHAT, text: 'Or else' })
    await next.chats.leave()
    await rm(join(rig.chats, file))
    expect(await leftOvers(next.journals)).toMatchObject([{ title: 'locks', last: 'Or else' }])
  })

  it('has its chats renamed where they live', async () => {
    const rig = await setUp()
    await talk(rig, 'Why?')
    const { file } = await rig.handlers['chat.save']({ chat: CHAT, name: 'locks' })
    expect(await rig.chatsOfHost.rename(file, 'pools')).toMatch(/^pools_/)
    expect(rig.chatsOfHost.rename(file, 'pools')).toBeUndefined()
    expect(rig.surface.states.at(-1)).toMatchObject({ title: 'pools', named: true })
  })
})

async function keyIn(data: string): Promise<string> {
  const [file = ''] = await readdir(join(data, 'journal'))
  return file.replace('.jsonl', '')
}
