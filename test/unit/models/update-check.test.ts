import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { PluginError } from '../../../src/core/errors.ts'
import type { Web } from '../../../src/models/web.ts'
import type { Model } from '../../../src/providers/provider.ts'
import type { UpdateRow } from '../../../src/rpc/shapes.ts'
import { contents, manifestOf } from '../../support/registry-double/published.ts'
import { fakeWeb, memoryFile, updateCheck } from './update-rig.ts'

const OLD = manifestOf(contents('old'))
const NEW = manifestOf(contents('new'))
const HOUR_MS = 3_600_000

const head = (name: string) => `HEAD https://ollama.com/v2/library/${name}/manifests/4b`
const get = (name: string) => `GET https://registry.ollama.ai/v2/library/${name}/manifests/4b`
const listed = (digest: string) => ({ headers: { 'ollama-content-digest': digest } })
const model = (name: string): Model => ({ name: `${name}:4b`, digest: OLD.digest })

/** `current` is up to date, `stale` is not, and nothing else can be reached. */
const ANSWERS = {
  [head('current')]: listed(OLD.digest),
  [head('stale')]: listed(NEW.digest),
  [get('stale')]: { body: NEW.bytes },
}
const MODELS = [model('current'), model('stale')]

function rows() {
  const all: [string, UpdateRow][] = []
  return {
    all,
    onRow: (name: string, row: UpdateRow) => void all.push([name, row]),
    states: () => all.map(([name, { state }]) => `${name} ${state}`),
  }
}

describe('UpdateCheck', () => {
  it('tells that each is looked at, then each verdict, and counts them', async () => {
    const { onRow, states } = rows()
    const counts = await updateCheck({ web: ANSWERS, models: MODELS, onRow }).check({})
    expect(counts).toEqual({ checked: 2, available: 1, unknown: 0, refs: ['gpu:stale:4b'], failures: [] })
    expect(states().slice(0, 2)).toEqual(['gpu:current:4b checking', 'gpu:stale:4b checking'])
    expect(states().slice(2).sort()).toEqual(['gpu:current:4b current', 'gpu:stale:4b available'])
  })

  it('looks at those alone that are named, in any way that names them', async () => {
    const { onRow, states } = rows()
    const check = updateCheck({ web: ANSWERS, models: MODELS, onRow })
    expect(await check.check({ models: ['gpu:library/Stale:4b'] })).toMatchObject({ checked: 1, available: 1 })
    expect(await check.check({ server: 'gpu', models: ['current:4b'] })).toMatchObject({ checked: 1, available: 0 })
    expect(states().filter((state) => !state.endsWith('checking'))).toEqual([
      'gpu:stale:4b available',
      'gpu:current:4b current',
    ])
  })

  it('refuses one that is not installed, and tells nothing of the others', async () => {
    const { onRow, all } = rows()
    const check = updateCheck({ web: ANSWERS, models: MODELS, onRow })
    await expect(check.check({ server: 'gpu', models: ['current:4b', 'nope'] })).rejects.toMatchObject({
      ...{ code: 'MODEL_NOT_FOUND', message: 'gpu has no model nope' },
      hint: expect.stringContaining(':Ollama models'),
    })
    expect(all).toEqual([])
  })

  it('goes on without a server that gives no list, unless it was the one that was meant', async () => {
    const down = new PluginError('API_UNAVAILABLE', 'Nothing listens there')
    const check = updateCheck({ web: ANSWERS, models: { gpu: MODELS, down } })
    expect(await check.check({})).toMatchObject({
      ...{ checked: 2, available: 1 },
      failures: [{ server: 'down', error: { code: 'API_UNAVAILABLE', message: 'Nothing listens there' } }],
    })
    await expect(check.check({ server: 'down' })).rejects.toBe(down)
    const alone = await updateCheck({ models: { down } }).check({})
    expect(alone).toMatchObject({ checked: 0, refs: [], failures: [{ server: 'down' }] })
  })

  it('fails when no registry could be reached, with a verdict on each all the same', async () => {
    const { onRow, all } = rows()
    const check = updateCheck({ web: {}, models: MODELS, onRow })
    const message = 'ollama.com cannot be reached from here (its name is not known)'
    const error = { code: 'REGISTRY_UNREACHABLE', message }
    expect(await check.check({})).toMatchObject({ checked: 0, failures: [{ server: 'gpu', error }] })
    await expect(check.check({ server: 'gpu' })).rejects.toMatchObject(error)
    expect(all.slice(-2).map(([, { state, why }]) => [state, why])).toEqual([
      ['unknown', message],
      ['unknown', message],
    ])
  })

  it('does not fail while one registry answers', async () => {
    const models = [...MODELS, { ...model('x'), name: 'registry.example/team/x:4b' }]
    const { onRow, all } = rows()
    const counts = await updateCheck({ web: ANSWERS, models, onRow }).check({})
    expect(counts).toMatchObject({ checked: 3, available: 1, unknown: 1, failures: [] })
    expect(all.at(-1)?.[1].why ?? all.find(([, row]) => row.state === 'unknown')?.[1].why).toMatch(/registry\.example/)
  })

  it('has many under way at once, but not all of hundreds', async () => {
    let running = 0
    let most = 0
    const web: Web = {
      request: async () => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        return { status: 200, body: new Uint8Array(), ...listed(OLD.digest) }
      },
      close: () => {},
    }
    const models = Array.from({ length: 200 }, (_, index) => model(`m${index}`))
    expect(await updateCheck({ web, models }).check({})).toMatchObject({ checked: 200, available: 0 })
    expect(most).toBe(16)
  })

  it('closes the web with its end, and ends with the host', async () => {
    let closed = 0
    const web: Web = {
      request: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      close: () => void closed++,
    }
    const check = updateCheck({ web, models: MODELS })
    const outcome = check.check({})
    await new Promise((resolve) => setImmediate(resolve))
    check.close()
    expect(await outcome).toMatchObject({ failures: [{ error: { code: 'CANCELLED' } }] })
    expect(closed).toBe(1)
  })
})

/** Its waits are real, and its moments the test's. */
function movable(at: number) {
  let now = at
  return {
    now: () => now,
    sleep: systemClock.sleep,
    pass: (ms: number) => {
      now += ms
    },
  }
}

describe('a verdict', () => {
  async function setUp(kept = {}) {
    const web = fakeWeb(ANSWERS)
    const file = memoryFile(kept)
    const clock = movable(10 * HOUR_MS)
    const options = { web, file, clock, models: MODELS }
    return { web, file, clock, check: updateCheck(options), later: () => updateCheck(options) }
  }

  it('is taken again within the hour, also by a later host', async () => {
    const { check, web, later } = await setUp()
    await check.check({})
    const asked = web.asked.length
    expect(await check.check({})).toMatchObject({ checked: 2, available: 1 })
    expect(await later().check({})).toMatchObject({ checked: 2, available: 1 })
    expect(web.asked.length).toBe(asked)
  })

  it('is given anew after the hour, when it is asked for, and when the model has changed', async () => {
    const { check, web, clock, later } = await setUp()
    await check.check({})
    const asked = web.asked.length
    await check.check({ again: true })
    expect(web.asked.length).toBe(2 * asked)
    clock.pass(HOUR_MS)
    await check.check({})
    expect(web.asked.length).toBe(3 * asked)
    const file = memoryFile({ [`registry.ollama.ai/library/current:4b@${NEW.digest}`]: { state: 'local', checked: 0 } })
    expect(await updateCheck({ web, file, models: MODELS }).check({})).toMatchObject({ checked: 2, available: 1 })
    await later().check({})
    expect(web.asked.length).toBe(4 * asked)
  })

  it('that is none is not kept', async () => {
    const { clock, file } = await setUp()
    const check = updateCheck({ web: {}, file, clock, models: MODELS })
    await check.check({}).catch(() => {})
    expect(file.kept).toEqual({})
  })

  it('of long ago, or of a clock that was wrong, is forgotten', async () => {
    const wrong = { state: 'local' as const, checked: 99 * HOUR_MS }
    const { check, file } = await setUp({
      [`registry.ollama.ai/library/current:4b@${OLD.digest}`]: wrong,
      old: { state: 'local', checked: 1 },
    })
    expect(await check.check({})).toMatchObject({ checked: 2, available: 1 })
    expect(
      Object.values(file.kept)
        .map(({ state }) => state)
        .sort(),
    ).toEqual(['available', 'current'])
  })
})
