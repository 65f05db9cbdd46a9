import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { claimsIn, newFolder } from './folder.ts'

/** A process that has ended: what it claimed is nobody's. */
async function endedPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid as number
}

describe('claims', () => {
  it('gives a file to one of two Neovims, until it is released', async () => {
    const data = await newFolder()
    const [ours, theirs] = [claimsIn(data), claimsIn(data, process.ppid)]
    await ours.claim('a.txt')
    await expect(theirs.claim('a.txt')).rejects.toMatchObject({ code: 'CHAT_IN_USE', message: /another Neovim/ })
    await expect(ours.claim('a.txt')).rejects.toMatchObject({ code: 'CHAT_IN_USE', message: /this Neovim/ })
    expect([...(await ours.open())]).toEqual([['a.txt', 'here']])
    expect([...(await theirs.open())]).toEqual([['a.txt', 'elsewhere']])
    await ours.release('a.txt')
    await theirs.claim('a.txt')
    expect([...(await ours.open())]).toEqual([['a.txt', 'elsewhere']])
    expect(await readdir(join(data, 'claims'))).toHaveLength(1)
  })

  it('takes over from an earlier host of the same Neovim', async () => {
    const data = await newFolder()
    await claimsIn(data).claim('a.txt')
    await claimsIn(data).claim('a.txt')
  })

  it('takes what the dead have left, one of many at once', async () => {
    const data = await newFolder()
    const pid = await endedPid()
    const dead = claimsIn(data, process.ppid)
    await dead.claim('a.txt')
    const [file = ''] = await readdir(join(data, 'claims'))
    const owner = { pid, start: 'long ago', host: hostname() }
    await writeFile(join(data, 'claims', file), JSON.stringify({ file: 'a.txt', owner }))
    expect([...(await claimsIn(data).open())]).toEqual([])
    const heirs = [process.pid, process.ppid, 1].map((heir) => claimsIn(data, heir))
    const claimed = await Promise.allSettled(heirs.map((heir) => heir.claim('a.txt')))
    expect(claimed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await readdir(join(data, 'claims'))).toHaveLength(1)
  })

  it('is swept of what the dead have left, and of nothing else', async () => {
    const data = await newFolder()
    const [ours, theirs, earlier] = [claimsIn(data), claimsIn(data, process.ppid), claimsIn(data)]
    const dead = claimsIn(data, 1)
    for (const [claims, file] of [
      [ours, 'a'],
      [theirs, 'b'],
      [earlier, 'c'],
      [dead, 'd'],
    ] as const)
      await claims.claim(`${file}.txt`)
    const owner = { pid: await endedPid(), start: 'long ago', host: hostname() }
    for (const name of await readdir(join(data, 'claims'))) {
      const path = join(data, 'claims', name)
      if ((await readFile(path, 'utf8')).includes('d.txt'))
        await writeFile(path, JSON.stringify({ file: 'd.txt', owner }))
    }
    const [, again] = await Promise.all([ours.sweep(), ours.claim('d.txt').then(() => 'claimed')])
    expect(again).toBe('claimed')
    await ours.release('d.txt')
    expect(await readdir(join(data, 'claims'))).toHaveLength(3)
    await ours.claim('c.txt')
    await expect(theirs.claim('a.txt')).rejects.toMatchObject({ code: 'CHAT_IN_USE' })
  })

  it('waits for a claim that is being written, and not for one that was never finished', async () => {
    const data = await newFolder()
    const claims = claimsIn(data)
    await claims.claim('a.txt')
    const [file = ''] = await readdir(join(data, 'claims'))
    await claims.release('a.txt')
    await writeFile(join(data, 'claims', file), '')
    await expect(claims.claim('a.txt')).rejects.toMatchObject({ code: 'CHAT_IN_USE' })
    const before = new Date(Date.now() - 60_000)
    await utimes(join(data, 'claims', file), before, before)
    await claims.claim('a.txt')
  })
})
