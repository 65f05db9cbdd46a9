// What a person reads of each model, for all that a registry may say or do: the double behind TLS answers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import type { Run } from '../../../src/models/local-manifests.ts'
import type { Model } from '../../../src/providers/provider.ts'
import type { UpdateRow } from '../../../src/rpc/shapes.ts'
import { TunnelWeb } from '../../../src/tunnel/http/web.ts'
import { contents, manifestOf, type Published } from '../../support/registry-double/published.ts'
import { type Entry, type RegistryDouble, startRegistryDouble } from '../../support/registry-double/registry-double.ts'
import { FakeClock } from '../tunnel/fakes.ts'
import { updateCheck } from './update-rig.ts'

const OLD = manifestOf(contents('old'))
const NEW = manifestOf(contents('new'))
/** The same in other white space: what an older Ollama wrote down anew is in one line. */
const SPACED = manifestOf(contents('old'), { spaced: true })
const PUSHED = Date.UTC(2026, 10, 20) / 1000
const BEFORE = PUSHED * 1000 - 1
const AFTER = PUSHED * 1000 + 1

let registry: RegistryDouble
beforeAll(async () => {
  registry = await startRegistryDouble({ hosts: ['registry.example:5000'] })
})
afterAll(() => registry.stop())

let count = 0

interface Case {
  entry?: Entry
  model?: Partial<Model>
  /** What the server's own manifest is, when it can be read. */
  local?: Published
  others?: Model[]
}

/** The row of a model that has the digest of `OLD`, and whose registry has this of it. */
async function rowOf({ entry, model, local, others = [] }: Case): Promise<Omit<UpdateRow, 'checked'>> {
  const name = model?.name ?? `m${++count}:4b`
  if (entry) registry.publish(pathOf(name), entry)
  const web = new TunnelWeb({ clock: systemClock, detour: registry.detour })
  let last: UpdateRow | undefined
  const check = updateCheck({
    web,
    run: printing(local),
    models: [{ digest: OLD.digest, modified: BEFORE, ...model, name }, ...others],
    onRow: (of, row) => {
      if (of === `gpu:${name}`) last = row
    },
  })
  await check.check({ server: 'gpu', models: [name] }).catch(() => {})
  const { checked, ...row } = last as UpdateRow
  expect(checked).toBeTypeOf('number')
  return row
}

function printing(local: Published | undefined): Run {
  return async () => {
    if (!local) throw new Error('It may not be read')
    return Buffer.concat([Buffer.from(`ollama-remote-manifest 0 ${local.bytes.length}\n`), local.bytes])
  }
}

/** As the double knows it: without the host, with the namespace and the tag. */
function pathOf(name: string): string {
  const [path = '', tag = 'latest'] = name.replace(/^[^/]+\.[^/]+\//, '').split(':')
  return `${path.includes('/') ? path : `library/${path}`}/${tag}`
}

describe('a model of the library', () => {
  it('is current when its digest is the registry’s, and only that is asked', async () => {
    const before = registry.requests.length
    expect(await rowOf({ entry: { published: OLD, pushed: PUSHED } })).toEqual({ state: 'current' })
    const asked = registry.requests.slice(before).map(({ method, host }) => `${method} ${host}`)
    expect(asked).toEqual(['HEAD ollama.com'])
  })

  it('is out of date when it is made of other layers, and only those are to be fetched', async () => {
    const entry = { published: NEW, pushed: PUSHED }
    const fetched = 2_000_000_000 + 485
    expect(await rowOf({ entry, local: OLD })).toEqual({ state: 'available', bytes: fetched })
  })

  it('is out of date though it was written later, when it is known to be made of other layers', async () => {
    const entry = { published: NEW, pushed: PUSHED }
    expect(await rowOf({ entry, local: OLD, model: { modified: AFTER } })).toMatchObject({ state: 'available' })
  })

  it('is current when it is made of the same layers, whatever its manifest looks like', async () => {
    const entry = { published: OLD, pushed: PUSHED }
    const model = { digest: SPACED.digest }
    expect(await rowOf({ entry, model, local: SPACED })).toEqual({ state: 'current' })
  })

  it('is current when an older Ollama wrote the same manifest down anew, though that cannot be read', async () => {
    expect(await rowOf({ entry: { published: SPACED, pushed: PUSHED } })).toEqual({ state: 'current' })
  })

  it('is taken for current by its date where its layers cannot be read', async () => {
    const entry = { published: NEW, pushed: PUSHED }
    expect(await rowOf({ entry, model: { modified: AFTER } })).toEqual({ state: 'current' })
  })

  it('is out of date by its digest and date where its layers cannot be read, and how much is to be fetched at most', async () => {
    const entry = { published: NEW, pushed: PUSHED }
    const all = 2_000_000_000 + 1_500 + 11_000 + 485
    expect(await rowOf({ entry })).toEqual({ state: 'available', bytes: all, at_most: true })
  })

  it('does not take the manifest of another Ollama on the same machine for its own', async () => {
    const entry = { published: NEW, pushed: PUSHED }
    expect(await rowOf({ entry, local: NEW })).toMatchObject({ state: 'available', at_most: true })
  })

  it('is judged by the manifest where the headers are missing', async () => {
    expect(await rowOf({ entry: { published: OLD, answers: 'no headers' } })).toEqual({ state: 'current' })
    const row = await rowOf({ entry: { published: NEW, answers: 'no headers' }, local: OLD })
    expect(row).toMatchObject({ state: 'available' })
  })

  it('without a digest cannot be compared', async () => {
    const model = { digest: undefined } as unknown as Partial<Model>
    expect(await rowOf({ model })).toEqual({ state: 'unknown', why: 'the server does not tell its digest' })
  })
})

describe('what a registry does not have', () => {
  it('was made here, when it has a library name', async () => {
    expect(await rowOf({})).toEqual({
      state: 'local',
      why: 'ollama.com has no model of this name: it was made here, or withdrawn there',
    })
  })

  it('was made here from another model', async () => {
    expect(await rowOf({ model: { parent: 'qwen3:4b' } })).toEqual({
      state: 'local',
      why: 'it was made here from qwen3:4b',
    })
  })

  it('is a copy, when another model has its digest', async () => {
    const others = [{ name: 'qwen3:4b', digest: OLD.digest }]
    expect(await rowOf({ others })).toEqual({ state: 'local', why: 'it is a copy of qwen3:4b' })
  })

  it('may be private, when it has a user’s name', async () => {
    expect(await rowOf({ model: { name: 'mira/gone:v1' } })).toEqual({
      state: 'unknown',
      why: 'ollama.com has no model of this name: it was made here, is private, or was withdrawn',
    })
  })
})

it.each<[string, Entry['answers'], string]>([
  ['401', 'private', 'it is private: ollama.com tells only the server itself, when it pulls'],
  ['403', 'forbidden', 'it is private: ollama.com tells only the server itself, when it pulls'],
  ['412', 'needs newer', 'ollama.com says that it needs a newer Ollama'],
  ['503', 'broken', 'ollama.com answered with 503'],
  ['a page in place of a manifest', 'nonsense', 'registry.ollama.ai sent something that is no manifest'],
  ['429 without end', { busy: 99 }, 'ollama.com was asked too often and wants to be left alone for a while'],
  [
    '429 with a long wait',
    { busy: 1, retryAfter: '3600' },
    'ollama.com was asked too often and wants to be left alone for a while',
  ],
  [
    'a way out of encryption',
    { redirect: 'http://ollama.com/elsewhere' },
    'ollama.com leads on to http://ollama.com, where nothing is encrypted',
  ],
  ['a way that is none', { redirect: 'https://' }, 'ollama.com leads on to something that is no address'],
])('%s is said to be unknown, and why', async (_, answers, why) => {
  expect(await rowOf({ entry: { published: NEW, answers: answers as NonNullable<typeof answers> } })).toEqual({
    state: 'unknown',
    why,
  })
})

it('a circle of redirects is left', async () => {
  const name = 'circle:4b'
  const entry = { answers: { redirect: 'https://ollama.com/v2/library/circle/manifests/4b' } }
  expect(await rowOf({ entry, model: { name } })).toEqual({ state: 'unknown', why: 'ollama.com leads on and on' })
})

it('a redirect within https is followed, to another host too', async () => {
  registry.publish('library/moved/4b', { published: OLD })
  const entry = { answers: { redirect: 'https://registry.example/v2/library/moved/manifests/4b' } }
  expect(await rowOf({ entry, model: { name: 'moving:4b' } })).toEqual({ state: 'current' })
})

it('who is told to wait a moment waits once', async () => {
  const before = registry.requests.length
  const entry = { published: OLD, answers: { busy: 1, retryAfter: '0' } }
  expect(await rowOf({ entry })).toEqual({ state: 'current' })
  expect(registry.requests.length - before).toBe(2)
})

describe('a model of another registry', () => {
  it('of Hugging Face is judged by its manifest', async () => {
    const name = 'hf.co/bartowski/Llama-GGUF:Q4_K_M'
    expect(await rowOf({ model: { name }, entry: { published: OLD } })).toEqual({ state: 'current' })
    expect(registry.requests.at(-1)).toMatchObject({
      ...{ method: 'GET', host: 'hf.co', path: '/v2/bartowski/Llama-GGUF/manifests/Q4_K_M' },
      headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' },
    })
    const row = await rowOf({ model: { name }, entry: { published: NEW }, local: OLD })
    expect(row).toEqual({ state: 'available', bytes: 2_000_000_485 })
  })

  it('is asked of that one, by its port', async () => {
    const name = 'registry.example:5000/team/tuned:v1'
    expect(await rowOf({ model: { name }, entry: { published: OLD } })).toEqual({ state: 'current' })
    expect(registry.requests.at(-1)).toMatchObject({
      host: 'registry.example:5000',
      path: '/v2/team/tuned/manifests/v1',
    })
  })

  it('that is private says so', async () => {
    const name = 'hf.co/me/secret:Q8_0'
    expect(await rowOf({ model: { name }, entry: { answers: 'private' } })).toEqual({
      state: 'unknown',
      why: 'it is private: hf.co tells only the server itself, when it pulls',
    })
  })

  it('on the server itself is not looked for on this machine', async () => {
    expect(await rowOf({ model: { name: 'localhost:5000/team/tuned:v1' } })).toEqual({
      state: 'unknown',
      why: 'localhost:5000 cannot be reached from where updates.from allows',
    })
  })
})

it.each<[string, Partial<Model>, string]>([
  ['by its name', { name: 'gpt-oss:120b-cloud' }, 'it runs on ollama.com: there is nothing to fetch'],
  ['by its server', { remote: 'https://other.example:443' }, 'it runs on other.example: there is nothing to fetch'],
])('a model of the cloud is known %s, and nobody is asked', async (_, model, why) => {
  const before = registry.requests.length
  expect(await rowOf({ model })).toEqual({ state: 'cloud', why })
  expect(registry.requests.length).toBe(before)
})

it('a registry that does not answer is given up after 5 s', async () => {
  const clock = new FakeClock()
  registry.publish('library/silent/4b', { answers: 'silent' })
  const rows: UpdateRow[] = []
  const check = updateCheck({
    ...{ clock, web: new TunnelWeb({ clock, detour: registry.detour }) },
    models: [{ name: 'silent:4b', digest: OLD.digest }],
    onRow: (_, row) => rows.push(row),
  })
  const before = registry.requests.length
  const outcome = check.check({ server: 'gpu' }).catch((error) => error)
  while (registry.requests.length === before) await new Promise((resolve) => setImmediate(resolve))
  await clock.pass(5_000)
  expect(await outcome).toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
    message: 'ollama.com cannot be reached from here (it did not answer in 5 s)',
  })
  expect(rows.at(-1)).toMatchObject({
    ...{ state: 'unknown', why: 'ollama.com cannot be reached from here (it did not answer in 5 s)' },
  })
})
