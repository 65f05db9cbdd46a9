import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Journals } from '../../../../src/chat/journal/journals.ts'
import { headPieces } from '../../../../src/chat/journal/lines.ts'
import { ownerOf } from '../../../../src/chat/journal/owner.ts'
import { historyOf } from '../../../../src/chat/record/history.ts'
import { cleanUp } from '../../../../src/chat/store/cleanup.ts'
import { readChat } from '../../../../src/chat/store/opening.ts'
import { Trash } from '../../../../src/chat/store/trash.ts'
import { chatText, claimsIn, clockAt, DAY_MS, setUpStore } from './folder.ts'

const named = (name: string) => `${name}_qwen3-32b_20250122-091534.txt`
const NOW = Date.UTC(2026, 10, 27, 12)

describe('the trash', () => {
  it('gives back what was removed last, and before that what was removed before', async () => {
    const { trash, write, files, read, data } = await setUpStore({ now: NOW })
    await write(named('a'), 'a')
    await write(named('b'), 'b')
    expect(await trash.take([named('a')], 'delete')).toMatchObject({ files: [named('a')] })
    await write(named('a'), 'another')
    expect(await trash.take([named('b'), 'gone.txt'], 'clear')).toMatchObject({ files: [named('b')] })
    expect(await files()).toEqual([named('a')])
    expect((await stat(join(data, 'trash'))).mode & 0o777).toBe(0o700)
    expect(await trash.restore()).toBe(1)
    expect(await trash.restore()).toBe(1)
    expect(await trash.restore()).toBe(0)
    expect(await files()).toEqual(['a_qwen3-32b_20250122-091534-2.txt', named('a'), named('b')])
    expect(await read(named('a'))).toBe('another')
    expect(await readdir(join(data, 'trash'))).toEqual([])
  })

  it('can give back what a removal that was killed had moved', async () => {
    const { trash, write, files, data } = await setUpStore({ now: NOW })
    await mkdir(join(data, 'trash', '20261127-120000'), { recursive: true })
    await writeFile(join(data, 'trash', '20261127-120000', named('a')), 'a')
    await write(named('b'), 'b')
    expect(await trash.restore()).toBe(1)
    expect(await files()).toEqual([named('a'), named('b')])
  })

  it('loses nothing where it is asked to give back what is still being removed', async () => {
    const { trash, write, files } = await setUpStore({ now: NOW })
    const names = Array.from({ length: 30 }, (_, index) => named(`chat ${index}`))
    for (const name of names) await write(name, name)
    const [taken, back] = await Promise.all([trash.take(names, 'clear'), trash.restore(), trash.restore()])
    expect(taken.files).toEqual(names)
    expect(back).toBe(30)
    expect(await files()).toEqual(names.toSorted())
  })

  it('loses nothing where another Neovim gives back what is still being removed, or both do', async () => {
    const { trash, write, files, data, chats } = await setUpStore({ now: NOW })
    const other = new Trash({ folder: () => join(data, 'trash'), chats: () => chats, clock: clockAt(NOW) })
    const names = Array.from({ length: 60 }, (_, index) => named(`chat ${index}`))
    for (const name of names) await write(name, name)
    let isDone = false
    const taking = trash.take(names, 'clear').finally(() => {
      isDone = true
    })
    while (!isDone) await other.restore()
    await taking
    await Promise.all([trash.restore(), other.restore()])
    await trash.restore()
    expect(await files()).toEqual(names.toSorted())
  })

  it('takes no folder, and is not kept by an empty removal from giving back an earlier one', async () => {
    const { trash, write, files, chats } = await setUpStore({ now: NOW })
    await write(named('a'), 'a')
    await trash.take([named('a')], 'clear')
    await mkdir(join(chats, named('folder')))
    expect(await trash.take([named('folder')], 'delete')).toMatchObject({ files: [] })
    expect(await trash.restore()).toBe(1)
    expect(await files()).toEqual([named('a'), named('folder')])
  })

  it('is emptied after a week', async () => {
    const { trash, write, data, chats } = await setUpStore({ now: NOW })
    await write(named('a'), 'a')
    await trash.take([named('a')], 'clear')
    await mkdir(join(data, 'trash', 'not ours'))
    const later = (days: number) =>
      new Trash({ folder: () => join(data, 'trash'), chats: () => chats, clock: clockAt(NOW + days * DAY_MS) })
    await later(6.9).empty()
    expect(await readdir(join(data, 'trash'))).toHaveLength(2)
    await later(7.1).empty()
    expect(await readdir(join(data, 'trash'))).toEqual(['not ours'])
  })
})

const journalsIn = (data: string) =>
  new Journals({
    ...{ folder: () => join(data, 'journal'), owner: () => ownerOf(process.pid), clock: clockAt(NOW) },
    onDamage: () => {},
    onTrouble: () => {},
  })

describe('the daily look', () => {
  const depsOf = ({ data, chats, claims }: Awaited<ReturnType<typeof setUpStore>>, now = NOW) => ({
    ...{ dataFolder: () => data, chats: () => chats, claims, journals: journalsIn(data) },
    trash: new Trash({ folder: () => join(data, 'trash'), chats: () => chats, clock: clockAt(now) }),
    clock: clockAt(now),
    onJump: (why: string) => void jumps.push(why),
  })
  const jumps: string[] = []

  it('removes nothing by a clock that has jumped, whichever way, until it is believed a day later', async () => {
    const store = await setUpStore({ now: NOW })
    const FAR = NOW + 3_650 * DAY_MS
    await cleanUp(30, depsOf(store))
    await store.write(named('young'), chatText('x'), 1)
    await store.write(named('gone'), chatText('x'), 1)
    await store.trash.take([named('gone')], 'clear')
    const trashed = () => readdir(join(store.data, 'trash')).then(({ length }) => length)
    expect(await cleanUp(30, depsOf(store, FAR))).toBe(0)
    expect(jumps).toEqual([expect.stringMatching(/^the clock is 3650 days after the last look/)])
    expect(await cleanUp(30, depsOf(store, NOW + DAY_MS))).toBe(0)
    expect(jumps).toHaveLength(1)
    expect(await store.files()).toEqual([named('young')])
    expect(await trashed()).toBe(1)
    const log = (await readFile(join(store.data, 'cleanup.log'), 'utf8')).trim().split('\n')
    expect(log).toEqual([expect.stringMatching(/after the last look/), expect.stringMatching(/before the last look/)])
    // A machine that was off for so long.
    expect(await cleanUp(30, depsOf(store, NOW + 40 * DAY_MS))).toBe(0)
    expect(await cleanUp(30, depsOf(store, NOW + 41 * DAY_MS))).toBe(1)
    expect(await trashed()).toBe(1)
  })

  it('moves what is too old, and nothing else, and writes it down', async () => {
    const store = await setUpStore({ now: NOW })
    await store.write(named('old'), chatText('x'), 31)
    await store.write(named('young'), chatText('x'), 29)
    await store.write(named('open'), chatText('x'), 90)
    await store.write(named('elsewhere'), chatText('x'), 90)
    await store.write('by hand.txt', 'x', 90)
    await store.write(named('edited'), 'no block', 90)
    await store.claims.claim(named('open'))
    await claimsIn(store.data, process.ppid).claim(named('elsewhere'))
    expect(await cleanUp(30, depsOf(store))).toBe(1)
    expect(await store.files()).toEqual(
      ['by hand.txt', named('edited'), named('elsewhere'), named('open'), named('young')].toSorted(),
    )
    const log = await readFile(join(store.data, 'cleanup.log'), 'utf8')
    expect(log).toMatch(
      /^\S+ \S+ moved old_qwen3-32b_20250122-091534\.txt, last written 2026-10-2\d \S+, to trash\/\S+\n$/,
    )
    expect((await stat(join(store.data, 'cleanup.log'))).mode & 0o777).toBe(0o600)
    // What comes back from it would else be taken again at once.
    expect(await store.trash.restore()).toBe(1)
    expect((await stat(join(store.chats, named('old')))).mtimeMs).toBe(NOW)
  })

  it('is taken once a day', async () => {
    const store = await setUpStore({ now: NOW })
    await cleanUp(30, depsOf(store))
    await store.write(named('old'), chatText('x'), 31)
    expect(await cleanUp(30, depsOf(store, NOW + DAY_MS / 2))).toBe(0)
    expect(await cleanUp(30, depsOf(store, NOW + DAY_MS + 1))).toBe(1)
  })

  it('keeps all of them when that is wanted, and removes what killed hosts have left', async () => {
    const store = await setUpStore({ now: NOW })
    await store.write(named('old'), chatText('x'), 900)
    await store.write('.1.unfinished', 'x', 2)
    await store.write('.2.unfinished', 'x')
    await store.write(named('killed'), '', 2)
    await store.write(named('just begun'), '')
    await store.write('not ours.txt', '', 2)
    expect(await cleanUp(false, depsOf(store))).toBe(0)
    const kept = ['.2.unfinished', named('just begun'), named('old'), 'not ours.txt']
    expect(await store.files()).toEqual(kept.toSorted())
  })

  it('moves what was left over long ago, as a file that comes back with all of it', async () => {
    const store = await setUpStore({ now: NOW })
    const leave = async (question: string, days: number) => {
      const turn = { role: 'user' as const, text: question, at: '2025-01-22 09:15:34' }
      const meta = { model: 'gpu:qwen3:32b', queue: ['waits'], draft: { text: 'draft' } }
      const record = { meta, history: historyOf({ turns: [turn] }) }
      const owner = { pid: 2 ** 22 + 1, start: 'long ago', host: hostname() }
      const path = join(store.data, 'journal', `${question}.jsonl`)
      await mkdir(join(store.data, 'journal'), { recursive: true })
      await writeFile(path, [...headPieces(owner, record)].join(''))
      const at = new Date(NOW - days * DAY_MS)
      await utimes(path, at, at)
    }
    await leave('old', 31)
    await leave('young', 29)
    expect(await cleanUp(30, depsOf(store))).toBe(1)
    expect(await readdir(join(store.data, 'journal'))).toEqual(['young.jsonl'])
    expect(await readFile(join(store.data, 'cleanup.log'), 'utf8')).toMatch(
      /^\S+ \S+ moved old_qwen3-32b_20250122-091534\.txt, which was left over, last written \S+ \S+, to trash\/\S+\n$/,
    )
    expect(await store.files()).toEqual([])
    expect(await store.trash.restore()).toBe(1)
    expect(await store.files()).toEqual([named('old')])
    const { record } = await readChat(store.chats, named('old'))
    expect(record.meta).toMatchObject({ draft: { text: 'waits\n\ndraft' } })
  })

  it('takes nothing from a left-over chat by moving its file', async () => {
    const store = await setUpStore({ now: NOW })
    await store.write(named('old'), chatText('Why?'), 31)
    const { record } = await readChat(store.chats, named('old'))
    const owner = { pid: 2 ** 22 + 1, start: 'long ago', host: hostname() }
    const meta = { ...record.meta, file: join(store.chats, named('old')) }
    await mkdir(join(store.data, 'journal'))
    await writeFile(join(store.data, 'journal', 'k.jsonl'), [...headPieces(owner, { ...record, meta })].join(''))
    expect(await cleanUp(30, depsOf(store))).toBe(1)
    expect(await readdir(join(store.data, 'journal'))).toEqual([])
  })

  it('does not let its log grow for ever', async () => {
    const store = await setUpStore({ now: NOW })
    await writeFile(join(store.data, 'cleanup.log'), 'x'.repeat(300_000))
    await store.write(named('old'), chatText('x'), 31)
    await cleanUp(30, depsOf(store))
    expect((await stat(join(store.data, 'cleanup.log'))).size).toBeLessThan(1_000)
    await utimes(join(store.data, 'cleanup.log.1'), 0, 0)
  })
})
