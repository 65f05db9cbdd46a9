// Pulls through a real sshd: a tunnel that is cut in the middle, and a person who has enough.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import { Pulls } from '../../../src/models/pulls.ts'
import { Ollama } from '../../../src/providers/ollama.ts'
import type { PullRow } from '../../../src/rpc/shapes.ts'
import { INSTANT_PACE } from '../../support/ollama-double/behaviour.ts'
import { defineModel } from '../../support/ollama-double/models.ts'
import { startOllamaDouble } from '../../support/ollama-double/ollama-double.ts'
import { diskFull } from '../../support/ollama-double/pull-script.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import { openRig } from '../tunnel/tunnel-rig.ts'

const BIG = defineModel({ name: 'big:1b', sizeBytes: 600_000_000 })
/** After 150 MB nothing comes any more: however slow the machine is, what is done then is done in mid-pull. */
const STANDS_STILL = { stall: { at: 0.25, silent: true } } as const
const MODEL = { server: 'gpu', model: 'big:1b' }

describeWithSshd('a pull through the tunnel', (openssh) => {
  let sshd: Sshd
  let folder: string

  beforeAll(async () => {
    sshd = await startSshd({ openssh })
    folder = mkdtempSync(join(tmpdir(), 'pulls-'))
  })
  afterAll(async () => {
    await sshd.stop()
    rmSync(folder, { recursive: true })
  })

  async function start() {
    const double = await startOllamaDouble({ ...INSTANT_PACE, models: [], pullBytesPerSecond: 400_000_000 })
    double.publish(BIG)
    const { host, user, port } = sshd
    const { server } = await openRig({
      ...{ folder, host, user, port, backend: { url: new URL(double.url) }, identityFile: sshd.clientKey.path },
      knownHosts: `[127.0.0.1]:${port} ${sshd.hostKey.publicLine}`,
    })
    const ollama = new Ollama({ http: server.http, clock: systemClock, server: 'gpu' })
    const rows: PullRow[] = []
    const messages: string[] = []
    let look = () => {}
    let tellWaiting = () => {}
    const waiting = new Promise<void>((resolve) => {
      tellWaiting = resolve
    })
    const pulls = new Pulls({
      surface: {
        pull: async (row) => {
          rows.push(row)
          if (row.state === 'waiting') tellWaiting()
          look()
        },
        notify: async (_, text) => {
          messages.push(text)
          look()
        },
      },
      locate: (model) => ({ server: 'gpu', model }),
      server: () => ({
        keeper: ollama.keeper,
        digestOf: async () => undefined,
        // Here a link is back sooner than a row is told: it comes when the person has seen that it is gone.
        whenBack: async (signal) => {
          await waiting
          await server.whenBack(signal)
        },
      }),
      ...{ atOnce: () => 1, isInstalled: () => false, onRow: () => {}, clock: systemClock, log: silentLog },
    })
    onTestFinished(async () => {
      pulls.close()
      server.close()
      await double.stop()
    })
    const until = (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        look = () => condition() && resolve()
        look()
      })
    return { pulls, double, rows, messages, until }
  }

  test('goes on where the server has it after the tunnel was cut, and never back', async () => {
    const { pulls, double, rows, messages, until } = await start()
    double.scriptPull('big:1b', STANDS_STILL)
    pulls.handlers['pulls.start'](MODEL)
    await until(() => (rows.at(-1)?.completed ?? 0) > 100_000_000)
    await sshd.killSessions()
    await until(() => messages.length > 0 && rows.at(-1)?.state === 'done')
    expect(messages).toEqual(['Pulled: gpu:big:1b'])
    expect(rows.map(({ state }) => state)).toContain('waiting')
    expect(double.abortedPulls).toBe(1)
    expect(double.requests.filter(({ path }) => path === '/api/pull')).toHaveLength(2)
    const bars = rows.map(({ completed = 0 }) => completed)
    expect(bars).toEqual(bars.toSorted((one, other) => one - other))
    expect(Math.max(...rows.map(({ rate = 0 }) => rate))).toBeLessThan(800_000_000)
    expect(double.models.map(({ name }) => name)).toEqual(['big:1b'])
  })

  test('ends on the server when it is cancelled, and goes on from there when it is asked for again', async () => {
    const { pulls, double, rows, messages, until } = await start()
    double.scriptPull('big:1b', STANDS_STILL)
    pulls.handlers['pulls.start'](MODEL)
    await until(() => (rows.at(-1)?.completed ?? 0) > 100_000_000)
    pulls.handlers['pulls.cancel'](MODEL)
    await double.waitUntil(() => double.abortedPulls === 1 && double.activePulls === 0)
    await until(() => messages.length === 1 && rows.at(-1)?.state === 'cancelled')
    expect(messages).toEqual(['Cancelled: gpu:big:1b'])
    const told = rows.length
    pulls.handlers['pulls.start'](MODEL)
    await until(() => messages.length === 2)
    const first = rows.slice(told).find(({ completed }) => completed !== undefined)
    expect(first?.completed).toBeGreaterThan(100_000_000)
  })

  test('that fails under HTTP 200 says why, and what to do', async () => {
    const { pulls, double, messages, until } = await start()
    double.scriptPull('big:1b', { error: diskFull('sha256:abc'), errorAt: 0.2 })
    pulls.handlers['pulls.start'](MODEL)
    await until(() => messages.length === 1)
    expect(messages).toEqual(['Failed: gpu:big:1b (The disk of gpu is full: big:1b does not fit)'])
    expect(pulls.rows[0]).toMatchObject({
      state: 'failed',
      error: { code: 'PULL_DISK_FULL', hint: expect.stringContaining('Delete a model') },
    })
  })
})
