import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Journals } from '../../../../src/chat/journal/journals.ts'
import { isAlive, type Owner, ownerOf } from '../../../../src/chat/journal/owner.ts'
import { Ledger } from '../../../../src/chat/record/ledger.ts'
import { emptyRecord } from '../../../../src/chat/record/record.ts'
import { systemClock } from '../../../../src/core/clock.ts'

const DAY = 24 * 60 * 60 * 1_000
const asked = { type: 'append', turns: [{ role: 'user', text: 'q', at: '' }] } as const
const gone: Owner = { pid: 1, start: 'another start', host: hostname() }

let folder = ''
const troubles: unknown[] = []
const damaged: string[] = []

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'ollama-remote-journals-')), 'journal')
  troubles.length = 0
  damaged.length = 0
})

afterEach(async () => {
  await rm(join(folder, '..'), { recursive: true })
})

function journalsOf(owner: () => Promise<Owner> = () => ownerOf(), now = systemClock.now): Journals {
  const clock = { ...systemClock, now }
  return new Journals({
    folder: () => folder,
    owner,
    clock,
    onDamage: (path) => damaged.push(path),
    onTrouble: (error) => troubles.push(error),
  })
}

/** Leaves a journal with one question. @returns its key */
async function leave(journals: Journals): Promise<string> {
  const journal = journals.begin()
  const ledger = new Ledger((change, record) => journal.write(change, record))
  ledger.apply(asked)
  await journal.close({ keep: true })
  return journal.key
}

describe('journals', () => {
  test('go on for the next host of the same Neovim', async () => {
    const key = await leave(journalsOf())
    const { journal, record } = await journalsOf().resume(key)
    expect(journal.key).toBe(key)
    expect(record.history.entries).toHaveLength(1)
    const ledger = new Ledger((change, now) => journal.write(change, now), record)
    ledger.apply(asked)
    await journal.close({ keep: true })
    const again = await journalsOf().resume(key)
    expect(again.record).toEqual(ledger.record)
    expect(await readdir(folder)).toEqual([`${key}.jsonl`])
    await again.journal.close({ keep: false })
    expect(await readdir(folder)).toEqual([])
    expect(troubles).toEqual([])
  })

  test('are the user’s alone', async () => {
    const key = await leave(journalsOf())
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder, `${key}.jsonl`))).mode & 0o777).toBe(0o600)
  })

  test('of a living Neovim are never offered, taken or removed', async () => {
    const key = await leave(journalsOf())
    const other = journalsOf(async () => gone)
    expect(await other.left()).toEqual([])
    expect(await other.take(key)).toBeUndefined()
    expect(await other.drop(key)).toBe(false)
    expect((await other.resume(key)).journal.key).not.toBe(key)
    expect(await readdir(folder)).toEqual([`${key}.jsonl`])
  })

  test('of a Neovim that is gone are offered, and taken by one only', async () => {
    const key = await leave(journalsOf(async () => gone))
    const journals = journalsOf()
    expect(await journals.left()).toMatchObject([{ key, record: { history: { entries: [{}] } } }])
    const [one, other] = await Promise.all([journals.take(key), journals.take(key)])
    const taken = one ?? other
    expect([one, other].filter(Boolean)).toHaveLength(1)
    await taken?.journal.flush()
    expect(await journalsOf(async () => gone).left()).toEqual([])
    await taken?.journal.close({ keep: false })
    expect(await readdir(folder)).toEqual([])
  })

  test('that are left over are removed for good when that is wanted', async () => {
    const key = await leave(journalsOf(async () => gone))
    expect(await journalsOf().drop(key)).toBe(true)
    expect(await journalsOf().left()).toEqual([])
    expect(await journalsOf().drop('../../etc/passwd')).toBe(true)
  })

  test('are offered as far as they can be read', async () => {
    const key = await leave(journalsOf())
    const path = join(folder, `${key}.jsonl`)
    const text = `damaged${(await readFile(path, 'utf8')).slice(7)}${JSON.stringify(asked)}\n{"torn`
    await writeFile(path, text)
    expect(await journalsOf().left()).toMatchObject([{ key }])
    const taken = await journalsOf().take(key)
    expect(taken?.record.history.entries).toHaveLength(1)
    await taken?.journal.close({ keep: false })
    // The file as it was is never written over.
    expect(damaged).toEqual([join(folder, `${taken?.journal.key}.jsonl.damaged`)])
    expect(await readFile(damaged[0] ?? '', 'utf8')).toBe(text)
    expect(await journalsOf().left()).toEqual([])
  })

  test('of which nothing can be read are kept, and told of once', async () => {
    const key = await leave(journalsOf(async () => gone))
    await writeFile(join(folder, `${key}.jsonl`), 'nothing of this')
    expect(await journalsOf().left()).toEqual([])
    expect(await journalsOf().left()).toEqual([])
    expect(damaged).toEqual([join(folder, `${key}.jsonl.damaged`)])
    expect(await readdir(folder)).toEqual([`${key}.jsonl.damaged`])
    expect(await readFile(damaged[0] ?? '', 'utf8')).toBe('nothing of this')
  })

  test('that are damaged are removed only from the list', async () => {
    const key = await leave(journalsOf(async () => gone))
    await appendFile(join(folder, `${key}.jsonl`), 'damage\n')
    expect(await journalsOf().left()).toMatchObject([{ key }])
    // When it cannot be kept aside, it stays.
    await writeFile(join(folder, `${key}.jsonl.damaged`), 'another')
    expect(await journalsOf().drop(key)).toBe(false)
    await rm(join(folder, `${key}.jsonl.damaged`))
    expect(await journalsOf().drop(key)).toBe(true)
    expect(await readdir(folder)).toEqual([`${key}.jsonl.damaged`])
  })

  describe('that were being begun anew at a kill', () => {
    async function unfinished(journals: Journals, cut = Number.POSITIVE_INFINITY): Promise<string> {
      const key = await leave(journals)
      const path = join(folder, `${key}.jsonl`)
      await writeFile(`${path}.new`, (await readFile(path, 'utf8')).slice(0, cut))
      return key
    }

    test('are removed when all of it is in a journal', async () => {
      const key = await unfinished(journalsOf(async () => gone))
      expect(await journalsOf().left()).toMatchObject([{ key }])
      expect(await readdir(folder)).toEqual([`${key}.jsonl`])
    })

    test('are offered when something is nowhere else', async () => {
      const key = await unfinished(journalsOf(async () => gone))
      await rm(join(folder, `${key}.jsonl`))
      const [left] = await journalsOf().left()
      expect(left?.record.history.entries).toMatchObject([{ turn: { text: 'q' } }])
      expect(await readdir(folder)).toEqual([`${left?.key}.jsonl`])
    })

    test('are left alone while their Neovim lives', async () => {
      const key = await unfinished(journalsOf())
      await rm(join(folder, `${key}.jsonl`))
      expect(await journalsOf().left()).toEqual([])
      expect(await readdir(folder)).toEqual([`${key}.jsonl.new`])
    })

    test('are left alone for a day when they do not tell whose they are', async () => {
      const keys = [await unfinished(journalsOf(), 20), await unfinished(journalsOf(), 20)]
      await rm(join(folder, `${keys[1]}.jsonl`))
      const before = (await readdir(folder)).toSorted()
      expect(await journalsOf().left()).toEqual([])
      expect((await readdir(folder)).toSorted()).toEqual(before)
      const later = () => Date.now() + 2 * DAY
      expect(await journalsOf(undefined, later).left()).toEqual([])
      expect(damaged).toHaveLength(1)
      const kept = [`${keys[0]}.jsonl`, basename(damaged[0] ?? '')]
      expect((await readdir(folder)).toSorted()).toEqual(kept.toSorted())
    })
  })

  test('that cannot be written are told of', async () => {
    await writeFile(folder, 'no folder')
    await leave(journalsOf())
    expect(troubles).toHaveLength(1)
    expect(await journalsOf().left()).toEqual([])
    expect((await journalsOf().resume('key')).record).toBe(emptyRecord)
  })
})

describe('an owner', () => {
  test('lives as long as its process, and not in another one of its number', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'])
    const owner = await ownerOf(child.pid)
    const now = { touched: 0, now: 0 }
    expect(await isAlive(owner, now)).toBe(true)
    expect(await isAlive({ ...owner, start: 'another start' }, now)).toBe(process.platform !== 'linux')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await isAlive(owner, now)).toBe(false)
    expect(await isAlive({ pid: owner.pid, host: owner.host }, now)).toBe(false)
  })

  test('on another machine lives for a day after it has written', async () => {
    const owner = { pid: process.pid, start: 'x', host: 'another machine' }
    expect(await isAlive(owner, { touched: 0, now: DAY - 1 })).toBe(true)
    expect(await isAlive(owner, { touched: 0, now: DAY })).toBe(false)
  })
})
