import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { logTo } from '../../../../src/core/log.ts'
import { SecretKeeper } from '../../../../src/tunnel/secrets/keeper.ts'
import { Keyring, type KeyringLibrary } from '../../../../src/tunnel/secrets/keyring.ts'
import { scripted } from '../fakes.ts'

const NAME = 'password of bob@gpu:22'
const OTHER = 'passphrase of /home/bob/.ssh/id_ed25519'
const SECRET = 'correct horse'

/** A keyring by service and name, as the library would show it. */
function fakeKeyring(held = new Map<string, string>()) {
  const state = { held, options: new Set<string>(), locked: false }
  const guard = () => {
    if (state.locked) throw new Error('DBus error: The name org.freedesktop.secrets was not provided')
  }
  class AsyncEntry {
    readonly #id: string
    constructor(service: string, name: string, options?: unknown) {
      this.#id = `${service}/${name}`
      state.options.add(JSON.stringify(options))
      guard()
    }
    async getPassword() {
      guard()
      return held.get(this.#id)
    }
    async setPassword(secret: string) {
      guard()
      held.set(this.#id, secret)
    }
    async deleteCredential() {
      guard()
      return held.delete(this.#id)
    }
  }
  const library = { AsyncEntry } as unknown as KeyringLibrary
  return { ...state, lock: (locked: boolean) => (state.locked = locked), keyring: new Keyring(async () => library) }
}

const NO_KEYRING = new Keyring(async () => {
  throw new Error('Cannot find module')
})

interface Options {
  folder?: string
  keyring?: Keyring
  answers?: (string | undefined)[]
}

/** A host's keeper; with the same folder it is the next host's. */
function host(options: Options = {}) {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'secrets-'))
  if (options.folder === undefined) onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'ollama', 'secrets.json')
  const { asked, prompts } = scripted(...(options.answers ?? []))
  const lines: string[] = []
  const notices: string[] = []
  let hints = 0
  const keeper = new SecretKeeper({
    prompts,
    log: logTo((line) => lines.push(line), 'debug'),
    file: () => file,
    onNotice: (text) => notices.push(text),
    onFirstSecret: () => hints++,
    keyring: options.keyring ?? NO_KEYRING,
    cost: { N: 16, r: 1, p: 1 },
  })
  return { keeper, folder, file, asked, notices, lines, hints: () => hints }
}

async function failureOf(promise: Promise<unknown>) {
  return promise.then(
    () => undefined,
    (error) => error,
  )
}

/** A folder in which an earlier host has kept a password under the passphrase `master`. */
async function keptInFile() {
  const first = host({ answers: ['master', 'master'] })
  first.keeper.set(NAME, SECRET)
  await first.keeper.remember()
  return first
}

describe('secrets of the session', () => {
  it('live in memory, and write nothing', async () => {
    const { keeper, folder, asked } = host()
    keeper.set(NAME, SECRET)
    expect(await keeper.get(NAME)).toBe(SECRET)
    expect(await keeper.get(OTHER)).toBeUndefined()
    keeper.delete(NAME)
    expect(await keeper.get(NAME)).toBeUndefined()
    expect(asked).toEqual([])
    expect(readdirSync(folder)).toEqual([])
  })

  it('are hinted at once, when the first was accepted', () => {
    const { keeper, hints } = host()
    keeper.set(NAME, SECRET)
    keeper.set(NAME, SECRET)
    keeper.set(OTHER, 'x')
    expect(hints()).toBe(1)
  })

  it('are asked for in turn, each by itself, whatever becomes of the turn before', async () => {
    const { keeper } = host()
    const done: string[] = []
    let fail = (_: Error) => {}
    const first = keeper.inTurn(NAME, () => new Promise((_, reject) => (fail = reject)))
    const second = keeper.inTurn(NAME, async () => done.push('second'))
    await keeper.inTurn(OTHER, async () => done.push('other'))
    expect(done).toEqual(['other'])
    fail(new Error('cancelled'))
    await expect(first).rejects.toThrow('cancelled')
    await second
    expect(done).toEqual(['other', 'second'])
  })

  it('that are none are not kept, and nobody is asked', async () => {
    const { keeper, asked } = host()
    expect(await keeper.remember()).toEqual({ names: [], place: '' })
    expect(await keeper.forget()).toEqual({ names: [] })
    expect(asked).toEqual([])
  })
})

describe('secrets in the keyring', () => {
  it('are kept and found by the next host, without a passphrase, and without the hint', async () => {
    const ring = fakeKeyring()
    const first = host({ keyring: ring.keyring })
    first.keeper.set(NAME, SECRET)
    first.keeper.set(OTHER, 'x')
    expect(await first.keeper.remember()).toEqual({ names: [NAME, OTHER], place: 'keyring' })
    expect(ring.held.get(`ollama-remote.nvim/${NAME}`)).toBe(SECRET)
    expect([...ring.options]).toEqual(['{"linux":{"store":"secret-service"}}'])
    expect(readFileSync(first.file, 'utf8')).not.toContain(SECRET)
    const next = host({ folder: first.folder, keyring: ring.keyring })
    expect(await next.keeper.get(NAME)).toBe(SECRET)
    next.keeper.set(NAME, SECRET)
    expect(next.hints()).toBe(0)
    expect(next.asked).toEqual([])
  })

  it('are forgotten everywhere, and it is said which', async () => {
    const ring = fakeKeyring()
    const { keeper, file } = host({ keyring: ring.keyring })
    keeper.set(NAME, SECRET)
    await keeper.remember()
    keeper.set(OTHER, 'x')
    expect((await keeper.forget()).names.toSorted()).toEqual([OTHER, NAME].toSorted())
    expect(ring.held.size).toBe(0)
    expect(await keeper.get(NAME)).toBeUndefined()
    expect(() => statSync(file)).toThrow('ENOENT')
  })

  it('that a locked keyring does not give are told, and not lost', async () => {
    const ring = fakeKeyring()
    const first = host({ keyring: ring.keyring })
    first.keeper.set(NAME, SECRET)
    await first.keeper.remember()
    ring.lock(true)
    const next = host({ folder: first.folder, keyring: ring.keyring })
    expect(await next.keeper.get(NAME)).toBeUndefined()
    expect(next.notices).toEqual([expect.stringContaining('keyring does not answer')])
    expect(await failureOf(next.keeper.forget())).toMatchObject({
      code: 'SECRETS_UNREADABLE',
      message: expect.stringContaining(NAME),
    })
    ring.lock(false)
    expect((await next.keeper.forget()).names).toEqual([NAME])
    expect(ring.held.size).toBe(0)
  })

  it('are removed even where their list was damaged, as far as it can be read', async () => {
    const ring = fakeKeyring()
    const { keeper, file } = host({ keyring: ring.keyring })
    keeper.set(NAME, SECRET)
    await keeper.remember()
    writeFileSync(file, readFileSync(file, 'utf8').replace('"version": 1', '"version": 2'))
    expect((await keeper.forget()).names).toContain(NAME)
    expect(ring.held.size).toBe(0)
  })

  it('that was refused is dropped there too, and one that was never tried is not', async () => {
    const ring = fakeKeyring()
    const first = host({ keyring: ring.keyring })
    first.keeper.set(NAME, SECRET)
    first.keeper.set(OTHER, 'x')
    await first.keeper.remember()
    const next = host({ folder: first.folder, keyring: ring.keyring })
    await next.keeper.get(NAME)
    next.keeper.delete(NAME)
    next.keeper.delete(OTHER)
    await expect.poll(() => [...ring.held.keys()]).toEqual([`ollama-remote.nvim/${OTHER}`])
    expect(await host({ folder: first.folder, keyring: ring.keyring }).keeper.get(NAME)).toBeUndefined()
  })

  it('are asked of the real library without a throw that escapes, whatever this machine has', async () => {
    const found = await new Keyring().get('a name that nobody has').catch((error: Error) => error)
    expect(found === undefined || found instanceof Error).toBe(true)
  })
})

describe('secrets in the file', () => {
  it('are sealed under a new passphrase, asked twice, in a file of mode 0600', async () => {
    const { keeper, file, asked, folder } = host({ answers: ['master', 'mistyped', '', '', 'master', 'master'] })
    keeper.set(NAME, SECRET)
    expect(await keeper.remember()).toEqual({ names: [NAME], place: file })
    expect(asked.map(({ detail }) => detail.replace(file, 'FILE'))).toEqual([
      ...Array(2).fill('No keyring answers, so the secrets go encrypted into FILE'),
      ...Array(2).fill('The two were not the same'),
      ...Array(2).fill('It must not be empty'),
    ])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'ollama')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(folder, 'ollama'))).toEqual(['secrets.json'])
    const text = readFileSync(file, 'utf8')
    expect(text).toContain(NAME)
    expect(text).not.toMatch(/correct horse|master|Y29ycmVjdCBob3JzZ/)
  })

  it('are opened by the next host, which asks once and only when one is needed', async () => {
    const { folder } = await keptInFile()
    const next = host({ folder, answers: ['master'] })
    expect(await next.keeper.get(OTHER)).toBeUndefined()
    expect(next.asked).toEqual([])
    expect(await Promise.all([next.keeper.get(NAME), next.keeper.get(NAME)])).toEqual([SECRET, SECRET])
    expect(next.asked).toHaveLength(1)
  })

  it('are added to under the same passphrase', async () => {
    const { folder, keeper, asked } = await keptInFile()
    keeper.set(OTHER, 'x')
    await keeper.remember()
    expect(asked).toHaveLength(2)
    const next = host({ folder, answers: ['master'] })
    expect([await next.keeper.get(OTHER), await next.keeper.get(NAME)]).toEqual(['x', SECRET])
  })

  it.each([
    ['wrong three times', ['1', '2', '3', 'master'], 3],
    ['not given', [undefined, 'master'], 1],
  ])('are not used when the passphrase is %s, and stay as they are', async (_, answers, count) => {
    const { folder, file } = await keptInFile()
    const before = readFileSync(file, 'utf8')
    const next = host({ folder, answers })
    expect(await next.keeper.get(NAME)).toBeUndefined()
    expect(await next.keeper.get(NAME)).toBeUndefined()
    expect(next.asked).toHaveLength(count)
    next.keeper.delete(NAME)
    await next.keeper.get(NAME)
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('are neither changed nor added to without the right passphrase', async () => {
    const { folder, file } = await keptInFile()
    const before = readFileSync(file, 'utf8')
    const next = host({ folder, answers: ['1', '2', '3'] })
    next.keeper.set(OTHER, 'x')
    expect(await failureOf(next.keeper.remember())).toMatchObject({ code: 'SECRETS_UNREADABLE' })
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('are not begun when the user cancels', async () => {
    const { keeper, file } = host({ answers: ['master', undefined] })
    keeper.set(NAME, SECRET)
    expect(await failureOf(keeper.remember())).toMatchObject({ code: 'CANCELLED' })
    expect(() => statSync(file)).toThrow('ENOENT')
  })

  it.each([
    ['cut short', (text: string) => text.slice(0, 40)],
    ['of a newer version', (text: string) => text.replace('"version": 1', '"version": 2')],
    ['that would take all memory', (text: string) => text.replace('"N": 16', '"N": 1073741824')],
  ])('%s are told with the path, never overwritten, and removed on a word', async (_, damage) => {
    const { folder, file } = await keptInFile()
    writeFileSync(file, damage(readFileSync(file, 'utf8')))
    const before = readFileSync(file, 'utf8')
    const next = host({ folder, answers: ['master'] })
    expect(await next.keeper.get(NAME)).toBeUndefined()
    expect(next.notices).toEqual([expect.stringContaining(file)])
    next.keeper.set(OTHER, 'x')
    const refused = { code: 'SECRETS_UNREADABLE', message: expect.stringContaining(file), hint: expect.any(String) }
    expect(await failureOf(next.keeper.remember())).toMatchObject(refused)
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(await next.keeper.forget()).toEqual({ names: [OTHER, `the damaged file ${file}`] })
    expect(await next.keeper.get(OTHER)).toBeUndefined()
    expect(() => statSync(file)).toThrow('ENOENT')
  })

  it('that were exchanged for one another are told, and not used', async () => {
    const first = host({ answers: ['master', 'master'] })
    first.keeper.set(NAME, SECRET)
    first.keeper.set(OTHER, 'x')
    await first.keeper.remember()
    const kept = JSON.parse(readFileSync(first.file, 'utf8'))
    kept.sealed.entries = { [NAME]: kept.sealed.entries[OTHER], [OTHER]: kept.sealed.entries[NAME] }
    writeFileSync(first.file, JSON.stringify(kept))
    const next = host({ folder: first.folder, answers: ['master'] })
    expect(await next.keeper.get(NAME)).toBeUndefined()
    expect(next.notices).toEqual([expect.stringContaining('damaged or changed')])
  })

  it('give way to a keyring that answers later', async () => {
    const ring = fakeKeyring()
    const { folder, file } = await keptInFile()
    const next = host({ folder, keyring: ring.keyring, answers: ['master'] })
    await next.keeper.get(NAME)
    expect((await next.keeper.remember()).place).toBe('keyring')
    expect(JSON.parse(readFileSync(file, 'utf8')).sealed.entries).toEqual({})
    expect(await host({ folder, keyring: ring.keyring }).keeper.get(NAME)).toBe(SECRET)
  })

  it('are forgotten without their passphrase', async () => {
    const { folder, file } = await keptInFile()
    const next = host({ folder })
    expect(await next.keeper.forget()).toEqual({ names: [NAME] })
    expect(next.asked).toEqual([])
    expect(() => statSync(file)).toThrow('ENOENT')
  })

  it('are given up with the signal of whoever needs one', async () => {
    const { folder } = await keptInFile()
    const controller = new AbortController()
    const next = host({ folder, answers: ['master'] })
    controller.abort(new Error('enough'))
    await expect(next.keeper.get(NAME, controller.signal)).rejects.toThrow('enough')
    expect(await next.keeper.get(NAME)).toBe(SECRET)
  })
})

it('no secret and no passphrase stands in the log, a notice or an error', async () => {
  const { folder, keeper, lines } = await keptInFile()
  keeper.delete(NAME)
  const next = host({ folder, answers: ['1-wrong', '2-wrong', '3-wrong', '4-wrong', '5-wrong', '6-wrong'] })
  await next.keeper.get(NAME)
  next.keeper.set(OTHER, 'another secret')
  const failure = await failureOf(next.keeper.remember())
  const all = [...lines, ...next.lines, ...next.notices, JSON.stringify(failure), String(failure?.stack)].join('\n')
  expect(all).toContain('secrets are kept')
  expect(all).not.toMatch(/correct horse|master|-wrong|another secret/)
})
