import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { filesIn, LocalManifests, type Run, readCommand } from '../../../src/models/local-manifests.ts'
import { type ModelName, parseModelName } from '../../../src/models/names.ts'
import { contents, manifestOf } from '../../support/registry-double/published.ts'
import { FakeClock } from '../tunnel/fakes.ts'

const NAMES = ['qwen3:4b', 'mira/tuned:v1', 'hf.co/a/B:Q4_K_M', 'localhost:5000/team/x:latest'].map(
  (text) => parseModelName(text) as ModelName,
)
const pathOf = ({ host, namespace, model, tag }: ModelName) => `${host}/${namespace}/${model}/${tag}`

/** What the command prints in a home of a test's own. */
function printed(command: string, home: string, env: Record<string, string> = {}): Buffer {
  return execFileSync('/bin/sh', ['-c', command], { env: { PATH: process.env.PATH ?? '', HOME: home, ...env } })
}

function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'manifests-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return home
}

function put(folder: string, name: ModelName, bytes: Uint8Array): void {
  const path = join(folder, 'manifests', pathOf(name))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

describe('the command that reads manifests', () => {
  it('prints each that is there, whatever bytes it has', () => {
    const home = makeHome()
    const files = [
      manifestOf(contents('a')).bytes,
      Buffer.from('ollama-remote-manifest 0 3\nabc\n'),
      Buffer.from([0, 255]),
    ]
    put(join(home, '.ollama/models'), NAMES[0] as ModelName, files[0] as Buffer)
    put(join(home, '.ollama/models'), NAMES[2] as ModelName, files[1] as Buffer)
    put(join(home, 'elsewhere'), NAMES[3] as ModelName, files[2] as Buffer)
    const output = printed(readCommand(NAMES.map(pathOf)), home, { OLLAMA_MODELS: join(home, 'elsewhere') })
    const found = [...filesIn(output)].map(({ index, bytes }) => [index, Buffer.from(bytes)])
    expect(found).toEqual([
      [0, files[0]],
      [2, files[1]],
      [3, files[2]],
    ])
  })

  it('is one word in quotes for any shell, and takes no path that could end it', () => {
    const command = readCommand(NAMES.map(pathOf))
    expect(command.split("'").filter((_, index) => index % 2 === 0)).toEqual(['sh -c ', ' sh ', ' ', ' ', ' ', ''])
    expect(command).not.toMatch(/[\n\\!]/)
    for (const path of ["a/b/c/d'", '../../../etc', 'a/b/c/$(id)', 'a/b/../d', 'a/b/c/d\n', 'a/b/c', '-a/b/c/d', '']) {
      expect(() => readCommand([path])).toThrow(/cannot be named/)
    }
  })

  it('names whatever parses as a model, and nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const name = parseModelName(text)
        if (name) expect(readCommand([pathOf(name)])).toContain(`'${pathOf(name)}'`)
      }),
    )
  })

  it('is understood among the words of a login, and when it is cut', () => {
    const noise = Buffer.from(
      'Welcome!\nollama-remote-manifest is here\nollama-remote-manifest 1 2\nok\nollama-remote-manifest 2 99\ncut',
    )
    expect([...filesIn(noise)].map(({ index, bytes }) => `${index} ${Buffer.from(bytes)}`)).toEqual(['1 ok'])
  })
})

describe('LocalManifests', () => {
  const reader = (run: Run) => new LocalManifests({ run, signal: new AbortController().signal, clock: systemClock })
  const old = manifestOf(contents('old'))
  const answer = (index: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from(`ollama-remote-manifest ${index} ${bytes.length}\n`), bytes, Buffer.from('\n')])

  it('reads by one command what is wanted at the same time', async () => {
    const commands: string[] = []
    const run = async (command: string) => {
      commands.push(command)
      return Buffer.concat(NAMES.map((_, index) => answer(index, old.bytes)))
    }
    const manifests = reader(run)
    const readAll = () => Promise.all(NAMES.map((name) => manifests.read(name, old.digest)))
    const found = await readAll()
    expect(found.map((manifest) => manifest?.layers.length)).toEqual([3, 3, 3, 3])
    expect(commands).toEqual([readCommand(NAMES.map(pathOf))])
    await readAll()
    expect(commands.length).toBe(2)
  })

  it('takes only a file that has the digest, its last line break aside', async () => {
    const files = [manifestOf(contents('new')).bytes, Buffer.from(`${old.bytes}\n`)]
    const run = async () => Buffer.concat(files.map((bytes) => answer(0, bytes)))
    const manifests = reader(run)
    expect((await manifests.read(NAMES[0] as ModelName, old.digest))?.config.digest).toBe(old.config.digest)
    expect(await manifests.read(NAMES[0] as ModelName, 'ab'.repeat(32))).toBeUndefined()
  })

  it('gives up for good when the command cannot be run', async () => {
    let runs = 0
    const manifests = reader(async () => {
      runs++
      throw new Error('This account may only forward')
    })
    const read = () => Promise.all(NAMES.map((name) => manifests.read(name, old.digest)))
    expect([await read(), await read()].flat()).toEqual(Array(8).fill(undefined))
    expect(runs).toBe(1)
  })

  it('waits no longer than 5 s for a command, which is ended then', async () => {
    const clock = new FakeClock()
    const ended: unknown[] = []
    const run: Run = (_, signal) =>
      new Promise(() => signal.addEventListener('abort', () => ended.push((signal.reason as Error).message)))
    const manifests = new LocalManifests({ run, signal: new AbortController().signal, clock })
    const found = manifests.read(NAMES[0] as ModelName, old.digest)
    await clock.pass(50)
    await clock.pass(5_000)
    expect(await found).toBeUndefined()
    expect([ended, clock.sleepers]).toEqual([['It took too long'], 0])
  })
})
