// What is asked to look after models, and what is made of the answers.
import { describe, expect, it } from 'vitest'
import { Ollama } from '../../../src/providers/ollama.ts'
import type { ModelKeeper, PullReport } from '../../../src/providers/provider.ts'
import { digestMismatch, REGISTRY_AWAY, UNAUTHORIZED } from '../../support/ollama-double/pull-script.ts'
import { FakeClock, settle } from '../core/fake-clock.ts'
import { FakeBody, FakeHttp, type Route, type Scripted } from './fake-http.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

describe('loadedModels', () => {
  it('are what the server lists, with `never` for one that stays', async () => {
    const { keeper } = keeperWith({
      'GET /api/ps': () =>
        json({
          models: [
            {
              name: 'qwen3:4b',
              size: 4e9,
              size_vram: 0,
              digest: 'd',
              context_length: 4096,
              expires_at: '1970-01-01T00:05:00.1+00:00',
            },
            { name: 'stays:latest', expires_at: '2318-01-01T00:00:00Z' },
            { name: 'odd:latest', size: '4 GB', digest: null, context_length: 'much', expires_at: 7 },
          ],
        }),
    })
    expect(await keeper.loadedModels()).toEqual([
      { name: 'qwen3:4b', digest: 'd', size: 4e9, vram: 0, context: 4096, expires: 300_100 },
      { name: 'stays:latest', expires: 'never' },
      { name: 'odd:latest' },
    ])
  })

  it('are none where the server says null', async () => {
    const { keeper } = keeperWith({ 'GET /api/ps': () => json({ models: null }) })
    expect(await keeper.loadedModels()).toEqual([])
  })
})

describe('show', () => {
  it('tells texts, capabilities and the trained context, and leaves the tensors out', async () => {
    const model_info = { 'general.architecture': 'qwen3', 'qwen3.context_length': 40_960 }
    const { keeper, http } = keeperWith({
      'POST /api/show': () =>
        json({
          ...{ template: 'T', modelfile: 'FROM x', license: 'MIT', parameters: 'stop "x"', tensors: [{}], model_info },
          capabilities: ['completion'],
        }),
    })
    expect(await keeper.show('qwen3:4b')).toEqual({
      ...{ template: 'T', modelFile: 'FROM x', license: 'MIT', parameters: 'stop "x"', info: model_info },
      ...{ capabilities: ['completion'], trainedContext: 40_960 },
    })
    expect(http.requests[0]).toMatchObject({ body: { model: 'qwen3:4b' }, isSafe: true })
  })

  it.each([
    [{ template: '{{ .Tools }}{{ .Suffix }}' }, ['completion', 'tools', 'insert']],
    [{ projector_info: {} }, ['completion', 'vision']],
    [{ model_info: { 'general.architecture': 'bert', 'bert.pooling_type': 1 } }, ['embedding']],
    [{ model_info: null, template: null, details: null }, ['completion']],
  ])('sees the capabilities in what an old server tells: %o', async (told, capabilities) => {
    const { keeper } = keeperWith({ 'POST /api/show': () => json(told) })
    expect((await keeper.show('m')).capabilities).toEqual(capabilities)
  })

  it('knows a model that is not there by the status', async () => {
    const { keeper } = keeperWith({ 'POST /api/show': () => json({ error: "model 'm' not found" }, 404) })
    await expect(keeper.show('m')).rejects.toMatchObject({ code: 'API_INVALID_MODEL', message: 'box has no model "m"' })
  })
})

describe('pull', () => {
  it('reports line by line, a missing `completed` as 0, and ends with success', async () => {
    const layer = { status: 'pulling aaaaaaaaaaaa', digest: DIGEST, total: 9 }
    const { keeper, http } = keeperWith({
      'POST /api/pull': () =>
        lines(
          { status: 'pulling manifest' },
          layer,
          { ...layer, completed: 5 },
          { status: 'odd', digest: 7, total: 'x' },
          { status: 'success' },
        ),
    })
    expect(await reportsOf(keeper)).toEqual([
      { status: 'pulling manifest' },
      { status: layer.status, layer: { digest: DIGEST, total: 9, completed: 0 } },
      { status: layer.status, layer: { digest: DIGEST, total: 9, completed: 5 } },
      { status: 'odd' },
      { status: 'success' },
    ])
    expect(http.requests[0]?.body).toEqual({ model: 'm', stream: true })
    expect(http.running).toBe(0)
  })

  it.each([
    ['pull model manifest: file does not exist', 'MODEL_NOT_FOUND'],
    ['write /blobs/x: no space left on device', 'PULL_DISK_FULL'],
    ['pull model manifest: 412: \n\nThe model you are attempting to pull requires a newer version', 'PULL_NEEDS_NEWER'],
    ['unauthorized: access denied', 'REGISTRY_REFUSED'],
    [UNAUTHORIZED, 'REGISTRY_REFUSED'],
    [REGISTRY_AWAY, 'REGISTRY_UNREACHABLE'],
    ['pull model manifest: 429: {"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', 'REGISTRY_REFUSED'],
    ['max retries exceeded: unexpected EOF', 'REGISTRY_UNREACHABLE'],
    [digestMismatch('sha256:1', 'sha256:2'), 'PULL_FAILED'],
    ['this model requires MLX support, which is not there', 'PULL_FAILED'],
    ['', 'API_ERROR'],
  ])('fails under HTTP 200 with the words %j as %s, on one line and with a hint', async (error, code) => {
    const { keeper } = keeperWith({ 'POST /api/pull': () => lines({ status: 'pulling manifest' }, { error }) })
    const failure = await reportsOf(keeper).catch((thrown) => thrown)
    expect(failure).toMatchObject({ code, hint: expect.stringMatching(/\.$/) })
    expect(failure.message).not.toMatch(/[\n{]/)
  })

  it.each([
    ['a bad name', json({ error: 'invalid model name' }, 400), 'MODEL_NOT_FOUND'],
    ['no such route', { status: 404, body: '404 page not found' }, 'API_PROTOCOL'],
    ['a refused host', { status: 403, body: '' }, 'API_FORBIDDEN'],
    ['nonsense', { body: 'hello\n' }, 'API_PROTOCOL'],
    ['an end without success', lines({ status: 'pulling manifest' }), 'API_INCOMPLETE'],
  ] as Array<[string, Scripted, string]>)('fails by name for %s', async (_, answer, code) => {
    const { keeper, http } = keeperWith({ 'POST /api/pull': () => answer })
    await expect(reportsOf(keeper)).rejects.toMatchObject({ code })
    expect(http.running).toBe(0)
  })

  it('tells a name that none can have from one that the registry does not know', async () => {
    const { keeper } = keeperWith({ 'POST /api/pull': () => json({ error: 'invalid model name' }, 400) })
    await expect(reportsOf(keeper)).rejects.toMatchObject({ message: expect.stringContaining('is no name') })
  })

  it('closes its channel when it is aborted or left', async () => {
    const begun = () => ({ body: new FakeBody().write({ status: 'pulling manifest' }) })
    const { keeper, http } = keeperWith({ 'POST /api/pull': begun })
    const life = new AbortController()
    const aborted = reportsOf(keeper, life.signal)
    await settle()
    life.abort('enough')
    await expect(aborted).rejects.toBe('enough')
    expect(http.running).toBe(0)
    for await (const _ of keeper.pull('m', { signal: new AbortController().signal })) break
    expect(http.running).toBe(0)
  })
})

describe('what is done with a model', () => {
  it('is asked for as the server takes it', async () => {
    const done = () => ({ body: '' })
    const { keeper, http } = keeperWith({
      'DELETE /api/delete': done,
      'POST /api/copy': done,
      'POST /api/generate': done,
    })
    await keeper.remove('m')
    await keeper.copy('m', 'n')
    await keeper.load('m', { keepAlive: '10m' })
    await keeper.load('m', {})
    await keeper.unload('m')
    expect(http.requests.map(({ body }) => body)).toEqual([
      { model: 'm' },
      { source: 'm', destination: 'n' },
      { model: 'm', keep_alive: '10m', stream: false },
      { model: 'm', stream: false },
      { model: 'm', keep_alive: 0, stream: false },
    ])
    expect(http.running).toBe(0)
  })

  it('loads a model that only embeds by embedding nothing', async () => {
    const { keeper, http } = keeperWith({
      'POST /api/generate': () => json({ error: '"m" does not support generate' }, 400),
      'POST /api/embed': () => json({ embeddings: [] }),
    })
    await keeper.load('m', { keepAlive: -1 })
    expect(http.requests.at(-1)?.body).toEqual({ model: 'm', keep_alive: -1, input: [] })
  })

  it('fails with what the server says', async () => {
    const gone = () => json({ error: 'model "m" not found' }, 404)
    const { keeper } = keeperWith({ 'DELETE /api/delete': gone, 'POST /api/copy': gone })
    await expect(keeper.remove('m')).rejects.toMatchObject({ code: 'API_INVALID_MODEL' })
    await expect(keeper.copy('m', 'n')).rejects.toMatchObject({ code: 'API_INVALID_MODEL' })
  })
})

function keeperWith(routes: Record<string, Route>): { keeper: ModelKeeper; http: FakeHttp } {
  const http = new FakeHttp(routes)
  return { keeper: new Ollama({ http, clock: new FakeClock(), server: 'box' }).keeper, http }
}

function json(value: unknown, status = 200): Scripted {
  return { status, body: JSON.stringify(value) }
}

function lines(...values: unknown[]): Scripted {
  return { contentType: 'application/x-ndjson', body: values.map((value) => `${JSON.stringify(value)}\n`).join('') }
}

async function reportsOf(keeper: ModelKeeper, signal = new AbortController().signal): Promise<PullReport[]> {
  const reports: PullReport[] = []
  for await (const report of keeper.pull('m', { signal })) reports.push(report)
  return reports
}
