import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { giveNameBack, makeFolder, readWhole, replaceFile, takeName } from '../../../../src/chat/store/disk.ts'
import { writeFailure } from '../../../../src/chat/store/failures.ts'
import { newFolder } from './folder.ts'

describe('a file that is replaced', () => {
  it('is for nobody else, and is as it was when nothing is written', async () => {
    const folder = join(await newFolder(), 'a', 'b')
    await makeFolder(folder)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    const path = join(folder, 'a.txt')
    const { stamp, anew } = await replaceFile(path, 'Straße\n', undefined)
    expect(anew).toBe(false)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readWhole(path)).toEqual({ text: 'Straße\n', stamp, isExact: true })
    expect(await readdir(folder)).toEqual(['a.txt'])
  })

  it('is not written over what somebody else wrote', async () => {
    const path = join(await newFolder(), 'a.txt')
    const { stamp } = await replaceFile(path, 'one', undefined)
    await writeFile(path, 'two')
    await expect(replaceFile(path, 'mine', stamp)).rejects.toMatchObject({ code: 'STORE_CHANGED' })
    expect(await readFile(path, 'utf8')).toBe('two')
  })

  it('may have been touched, or put back as it was', async () => {
    const path = join(await newFolder(), 'a.txt')
    const { stamp } = await replaceFile(path, 'one', undefined)
    await utimes(path, new Date(0), new Date(0))
    await replaceFile(path, 'two', stamp)
    expect(await readFile(path, 'utf8')).toBe('two')
  })

  it('is written anew when it is gone', async () => {
    const folder = await newFolder()
    const { stamp } = await replaceFile(join(folder, 'a.txt'), 'one', undefined)
    const { anew } = await replaceFile(join(folder, 'b.txt'), 'one', stamp)
    expect(anew).toBe(true)
  })

  it.runIf(process.getuid?.() === 0)('stays whole on a disk that is full, and leaves nothing behind', async () => {
    const folder = await newFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
    onTestFinished(() => void execFileSync('umount', [folder]))
    const path = join(folder, 'a.txt')
    const { stamp } = await replaceFile(path, 'one', undefined)
    const failure = await replaceFile(path, 'x'.repeat(100_000), stamp).catch((error) => writeFailure(error, path))
    expect(failure).toMatchObject({ code: 'STORE_FULL' })
    expect(await readdir(folder)).toEqual(['a.txt'])
    expect(await readFile(path, 'utf8')).toBe('one')
    await replaceFile(path, 'two', stamp)
  })

  it('tells of a folder that is none', async () => {
    const path = join(await newFolder(), 'file')
    await writeFile(path, '')
    const failure = await replaceFile(join(path, 'a.txt'), 'x', undefined).catch((error) => writeFailure(error, path))
    expect(failure).toMatchObject({ code: 'STORE_UNWRITABLE' })
  })
})

describe('a name', () => {
  it('is taken once', async () => {
    const folder = await newFolder()
    const nameFor = (nth: number) => `a${nth}.txt`
    const taken = await Promise.all(Array.from({ length: 5 }, () => takeName(folder, nameFor)))
    expect(new Set(taken).size).toBe(5)
    expect(await readdir(folder)).toHaveLength(5)
  })

  it('is given back only while nothing stands there', async () => {
    const folder = await newFolder()
    const path = await takeName(folder, () => 'a.txt')
    await writeFile(path, 'x')
    await giveNameBack(path)
    expect(await readdir(folder)).toEqual(['a.txt'])
    await writeFile(path, '')
    await giveNameBack(path)
    expect(await readdir(folder)).toEqual([])
    await mkdir(path)
    await giveNameBack(path)
  })
})
