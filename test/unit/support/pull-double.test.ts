// The double's pulls, and what it does with installed models, against the shapes of a real server.
import { afterEach, describe, expect, test } from 'vitest'
import { INSTANT_PACE } from '../../support/ollama-double/behaviour.ts'
import { layersOf } from '../../support/ollama-double/blobs.ts'
import { type ManualClock, manualClock } from '../../support/ollama-double/manual-clock.ts'
import { defineModel } from '../../support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../../support/ollama-double/ollama-double.ts'
import type { OllamaDoubleOptions } from '../../support/ollama-double/options.ts'
import { diskFull, NEEDS_NEWER, NO_SUCH_MODEL } from '../../support/ollama-double/pull-script.ts'
import { exchangeRaw, type RawReply, sendRaw } from '../../support/ollama-double/raw-client.ts'

const open: OllamaDouble[] = []
afterEach(() => Promise.all(open.splice(0).map((double) => double.stop())))

const SMOL = defineModel({ name: 'smollm2:135m', sizeBytes: 1_000_000 })
const NEWER = defineModel({ ...SMOL, digest: 'b'.repeat(64), sizeBytes: 2_000_000 })
const [WEIGHTS, ...SMALL] = layersOf(SMOL) as [{ digest: string; bytes: number }]

async function start(options: OllamaDoubleOptions = {}): Promise<OllamaDouble> {
  const double = await startOllamaDouble({ ...INSTANT_PACE, models: [SMOL], ...options })
  open.push(double)
  return double
}

function pull(double: OllamaDouble, body: object = { model: 'smollm2:135m' }): Promise<RawReply> {
  return exchangeRaw(double.port, { path: '/api/pull', body })
}

function lines(text: string): Array<{ status?: string; total?: number; completed?: number; error?: string }> {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function statuses(text: string): Array<string | undefined> {
  return lines(text).map(({ status, error }) => status ?? error)
}

const barOf = ({ digest }: { digest: string }) => `pulling ${digest.slice(7, 19)}`

/** All that comes of a pull while the clock is moved on tick by tick. */
async function pullByClock(double: OllamaDouble, clock: ManualClock, body?: object): Promise<string> {
  let reply: RawReply | undefined
  void pull(double, body).then((ended) => {
    reply = ended
  })
  await double.waitUntil(() => double.activePulls === 1)
  while (reply === undefined) {
    await new Promise((resolve) => setImmediate(resolve))
    if (clock.timers > 0) clock.advance(60)
  }
  return reply.body
}

describe('a pull', () => {
  test('of a model that is up to date is told at once, a line for each layer', async () => {
    const double = await start()
    const reply = await pull(double)
    expect(reply.head).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Type: application\/x-ndjson\r\n/)
    expect(reply.body).toBe(
      [
        '{"status":"pulling manifest"}',
        ...[WEIGHTS, ...SMALL].map(
          (layer) =>
            `{"status":"${barOf(layer)}","digest":"${layer.digest}","total":${layer.bytes},"completed":${layer.bytes}}`,
        ),
        '{"status":"verifying sha256 digest"}',
        '{"status":"writing manifest"}',
        '{"status":"success"}',
        '',
      ].join('\n'),
    )
  })

  test('ticks every 60 ms, without `completed` at 0, and moves on before the last bytes are told', async () => {
    const clock = manualClock()
    const double = await start({ clock, models: [], pullBytesPerSecond: 5_000_000 })
    double.publish(SMOL)
    const told = lines(await pullByClock(double, clock)).filter(({ status }) => status === barOf(WEIGHTS))
    expect(told[0]).toEqual({ status: barOf(WEIGHTS), digest: WEIGHTS.digest, total: WEIGHTS.bytes })
    expect(told.map(({ completed }) => completed)).toEqual([undefined, 300_000, 600_000, 900_000])
    expect(double.models.map(({ name }) => name)).toEqual(['smollm2:135m'])
  })

  test('of an update shares what it has, tells that it removes the rest, and leaves a loaded copy alone', async () => {
    const double = await start()
    await exchangeRaw(double.port, { path: '/api/generate', body: { model: 'smollm2:135m' } })
    double.publish(NEWER)
    const { body } = await pull(double)
    expect(statuses(body)).toContain('removing unused layers')
    expect(lines(body).filter(({ total, completed }) => total !== undefined && total === completed)).toHaveLength(3)
    expect(double.models[0]).toMatchObject({ digest: NEWER.digest })
    const ps = await exchangeRaw(double.port, { path: '/api/ps' })
    expect(JSON.parse(ps.body).models[0].digest).toBe(SMOL.digest)
  })

  test('goes backwards, stands still, and stays silent while it verifies', async () => {
    const clock = manualClock()
    const double = await start({ clock, models: [], pullBytesPerSecond: 5_000_000 })
    double.publish(SMOL)
    double.scriptPull('smollm2:135m', { setback: { at: 0.5, bytes: 450_000 }, verifyMs: 60_000 })
    const begun = clock.now()
    const told = lines(await pullByClock(double, clock))
    const weights = told.filter(({ status }) => status === barOf(WEIGHTS)).map(({ completed = 0 }) => completed)
    expect(weights).toEqual([0, 300_000, 150_000, 450_000, 750_000])
    expect(clock.now() - begun).toBeGreaterThan(60_000)
    expect(told.filter(({ status }) => status === 'verifying sha256 digest')).toHaveLength(1)
  })

  test('that is left goes on where it was when it is asked for again', async () => {
    const clock = manualClock()
    const double = await start({ clock, models: [], pullBytesPerSecond: 5_000_000 })
    double.publish(SMOL)
    double.scriptPull('smollm2:135m', { stall: { at: 0.4 } })
    const socket = sendRaw(double.port, { path: '/api/pull', body: { model: 'smollm2:135m' } })
    let told = ''
    socket.on('data', (bytes) => {
      told += bytes
    })
    while (!told.includes(`"completed":${Math.round(WEIGHTS.bytes * 0.4)}`)) {
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(60)
    }
    socket.destroy()
    await double.waitUntil(() => double.abortedPulls === 1 && double.activePulls === 0)
    const again = lines(await pullByClock(double, clock)).filter(({ status }) => status === barOf(WEIGHTS))
    expect(again[0]).toMatchObject({ completed: Math.round(WEIGHTS.bytes * 0.4) })
  })

  test.each([
    ['an unknown name', {}, NO_SUCH_MODEL],
    ['an old server', { error: NEEDS_NEWER }, NEEDS_NEWER],
    ['a full disk', { error: diskFull(WEIGHTS.digest), errorAt: 0.5 }, diskFull(WEIGHTS.digest)],
    ['damage', { error: 'digest mismatch', errorAt: 'verified' }, 'digest mismatch'],
  ] as const)('fails under HTTP 200 for %s', async (what, script, words) => {
    const double = await start({ models: [] })
    if (what !== 'an unknown name') double.publish(SMOL)
    double.scriptPull('smollm2:135m', script)
    const reply = await pull(double)
    expect(reply.head).toContain('200 OK')
    expect(reply.complete).toBe(true)
    expect(statuses(reply.body).at(0)).toBe('pulling manifest')
    expect(statuses(reply.body).at(-1)).toBe(words)
    expect(double.models).toEqual([])
  })

  test('of damaged bytes begins anew', async () => {
    const double = await start({ models: [] })
    double.publish(SMOL)
    double.scriptPull('smollm2:135m', { error: 'digest mismatch', errorAt: 'verified' })
    await pull(double)
    const again = lines((await pull(double)).body).find(({ status }) => status === barOf(WEIGHTS))
    expect(again).not.toHaveProperty('completed')
  })

  test('is one answer without a stream, with a status when it fails', async () => {
    const double = await start()
    const done = await pull(double, { model: 'smollm2:135m', stream: false })
    expect(done.head).toContain('Content-Type: application/json\r\n')
    expect(done.body).toBe('{"status":"success"}')
    const failed = await pull(double, { model: 'nope', stream: false })
    expect(failed.head).toContain('500')
    expect(failed.body).toBe(`{"error":"${NO_SUCH_MODEL}"}`)
    const refused = await pull(double, { model: 'no/such/thing/at/all' })
    expect(refused.body).toBe('{"error":"invalid model name"}')
    expect(refused.head).toContain('400')
  })

  test('of an MLX model has a single bar and is not verified', async () => {
    const double = await start({ models: [] })
    double.publish(SMOL, { isMlx: true })
    const { body } = await pull(double)
    expect(statuses(body)).toEqual(['pulling manifest', 'pulling model', 'writing manifest', 'success'])
    expect(lines(body)[1]).toMatchObject({ digest: 'sha256:model', total: 1_000_000 })
  })
})

describe('installed models', () => {
  test('are deleted and copied, with empty answers and their own words for what is not there', async () => {
    const double = await start()
    const copy = (body: object) => exchangeRaw(double.port, { path: '/api/copy', body })
    const remove = (model: string) =>
      exchangeRaw(double.port, { method: 'DELETE', path: '/api/delete', body: { model } })
    expect((await copy({ source: 'smollm2:135m', destination: 'mine' })).body).toBe('')
    expect(double.models.map(({ name }) => name)).toEqual(['mine:latest', 'smollm2:135m'])
    expect((await copy({ source: 'nope', destination: 'mine' })).body).toBe('{"error":"model \\"nope\\" not found"}')
    expect((await copy({ source: 'mine', destination: 'a b' })).head).toContain('400')
    expect((await remove('smollm2:135m')).body).toBe('')
    const gone = await remove('smollm2:135m')
    expect(gone.head).toContain('404')
    expect(gone.body).toBe(`{"error":"model 'smollm2:135m' not found"}`)
    expect(double.models.map(({ name }) => name)).toEqual(['mine:latest'])
  })

  test('that embed only are loaded by embedding nothing, and unloaded like all others', async () => {
    const double = await start({ models: [defineModel({ name: 'embed', capabilities: ['embedding'] })] })
    const names = async () => JSON.parse((await exchangeRaw(double.port, { path: '/api/ps' })).body).models.length
    const refused = await exchangeRaw(double.port, { path: '/api/generate', body: { model: 'embed' } })
    expect(refused.body).toContain('does not support generate')
    const body = { model: 'embed', input: [], keep_alive: -1 }
    expect((await exchangeRaw(double.port, { path: '/api/embed', body })).body).toBe(
      '{"model":"embed","embeddings":[]}',
    )
    const ps = await exchangeRaw(double.port, { path: '/api/ps' })
    expect(ps.body).toMatch(/"expires_at":"23\d\d-/)
    await exchangeRaw(double.port, { path: '/api/generate', body: { model: 'embed', keep_alive: 0 } })
    expect(await names()).toBe(0)
  })

  test('that run elsewhere are told with where', async () => {
    const remote = { model: 'gpt-oss:120b', host: 'https://ollama.com:443' }
    const double = await start({ models: [defineModel({ name: 'gpt-oss:120b-cloud', remote, sizeBytes: 384 })] })
    const tags = JSON.parse((await exchangeRaw(double.port, { path: '/api/tags' })).body)
    expect(tags.models[0]).toMatchObject({ remote_model: 'gpt-oss:120b', remote_host: 'https://ollama.com:443' })
  })
})
