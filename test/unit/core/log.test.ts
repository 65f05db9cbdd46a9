import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import { fileLog, type LogLevel, logTo, silentLog } from '../../../src/core/log.ts'

const LEVELS: LogLevel[] = ['debug', 'info', 'warn', 'error']

describe('logTo', () => {
  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
  ] as Array<[LogLevel, LogLevel[]]>)('at level %s writes %j', (level, expected) => {
    const { lines, log } = collecting(level)
    for (const rank of LEVELS) log[rank]('message')
    expect(lines.map((line) => line.split(' ')[1])).toEqual(expected)
  })

  it('writes time, level, message and fields on one line', () => {
    const { lines, log } = collecting('info')
    log.warn('link lost', { server: 'my\nbox', tries: 2, none: undefined, deep: { a: [1] } })
    expect(lines).toEqual([
      expect.stringMatching(
        /^\d{4}-\d\d-\d\dT[\d:.]+Z warn {2}link lost server="my\\nbox" tries=2 none=undefined deep=\{"a":\[1\]\}\n$/,
      ),
    ])
  })

  it('writes an error with its causes', () => {
    const { lines, log } = collecting('info')
    const error = new PluginError('SSH_DISCONNECTED', 'lost', {
      cause: new Error('reset', { cause: new TypeError('odd\nreason') }),
    })
    log.error('failed', { error })
    expect(lines.join('')).toContain('error="PluginError: lost" <- "Error: reset" <- "TypeError: odd\\nreason"\n')
  })

  it('loses no line to a field that cannot be written', () => {
    const { lines, log } = collecting('info')
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const endless = new Error('again')
    endless.cause = endless
    log.info('odd', { circular, big: 1n, endless, after: 1 })
    expect(lines.join('')).toMatch(/ odd circular=\? big=\? endless=\? after=1\n$/)
  })

  it('is silent when it cannot write', () => {
    const log = logTo(() => {
      throw new Error('disk full')
    }, 'debug')
    expect(() => log.error('x')).not.toThrow()
    expect(() => silentLog.error('x')).not.toThrow()
  })
})

describe('fileLog', () => {
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ollama-remote-log-'))
    path = join(folder, 'state', 'host.log')
  })

  afterEach(() => rm(folder, { recursive: true }))

  it('makes folder and file for the user alone, and appends', async () => {
    fileLog(path, 'info').info('one')
    fileLog(path, 'info').info('two')
    expect((await readFile(path, 'utf8')).match(/(one|two)\n/g)).toEqual(['one\n', 'two\n'])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700)
  })

  it('makes nothing before the first line', () => {
    fileLog(path, 'error').info('too quiet')
    expect(existsSync(path)).toBe(false)
  })

  it('moves a grown file away, also while it is being written, and keeps three', async () => {
    const log = fileLog(path, 'info')
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      log.info(name, { filling: 'x'.repeat(1_000_000) })
    }
    log.info('fresh')
    expect(await readFile(path, 'utf8')).toMatch(/^\S+ info {2}fresh\n$/)
    const kept = await Promise.all([1, 2, 3].map((index) => readFile(`${path}.${index}`, 'utf8')))
    expect(kept.map((text) => text.split(' ').filter((word) => /^[a-e]$/.test(word)))).toEqual([['e'], ['d'], ['c']])
    expect(existsSync(`${path}.4`)).toBe(false)
    expect((await stat(`${path}.1`)).mode & 0o777).toBe(0o600)
  })

  it('takes the file from other readers', async () => {
    await mkdir(join(folder, 'state'))
    await writeFile(path, 'old\n', { mode: 0o644 })
    fileLog(path, 'info').info('new')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('is silent where it cannot be', async () => {
    await writeFile(join(folder, 'state'), 'a file where the folder should be')
    await chmod(join(folder, 'state'), 0o600)
    expect(() => fileLog(path, 'debug').error('x')).not.toThrow()
  })
})

function collecting(level: LogLevel) {
  const lines: string[] = []
  return { lines, log: logTo((line) => lines.push(line), level) }
}
