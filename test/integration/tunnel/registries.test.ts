// Registries as they are seen through a real sshd, and the manifests of the models on its machine.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import { UpdateCheck } from '../../../src/models/update-check.ts'
import { VerdictMemory } from '../../../src/models/verdict-memory.ts'
import type { WebPlace } from '../../../src/models/web.ts'
import type { Model } from '../../../src/providers/provider.ts'
import type { UpdateRow } from '../../../src/rpc/shapes.ts'
import type { Server } from '../../../src/tunnel/server.ts'
import { webPlaces } from '../../../src/tunnel/web-places.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { contents, manifestOf } from '../../support/registry-double/published.ts'
import { type RegistryDouble, startRegistryDouble } from '../../support/registry-double/registry-double.ts'
import { type Sshd, type SshdOptions, startSshd } from '../../support/sshd.ts'
import { type Backend, openRig, person, startBackend } from './tunnel-rig.ts'

const OLD = manifestOf(contents('old'))
const NEW = manifestOf(contents('new'))
/** All is to be fetched but the template and the licence. */
const NEW_BYTES = 2_000_000_485

describeWithSshd('registries through a real sshd', (openssh) => {
  let sshd: Sshd
  let registry: RegistryDouble
  let backend: Backend
  let folder: string
  const open: Server[] = []

  beforeAll(async () => {
    sshd = await startSshd({ openssh })
    registry = await startRegistryDouble({ delayMs: 200 })
    backend = await startBackend()
    folder = mkdtempSync(join(tmpdir(), 'tunnel-'))
    for (const { name } of MODELS) {
      const isOld = OUT_OF_DATE.includes(name)
      registry.publish(`library/${name.replace(':', '/')}`, { published: isOld ? NEW : OLD, pushed: 2_000_000_000 })
    }
    const installed = join(sshd.home, '.ollama/models/manifests/registry.ollama.ai/library')
    for (const name of OUT_OF_DATE) put(join(installed, name.replace(':', '/')), OLD.bytes)
  })
  afterEach(() => {
    for (const server of open.splice(0)) server.close()
  })
  afterAll(async () => {
    await backend.stop()
    await registry.stop()
    await sshd.stop()
    rmSync(folder, { recursive: true })
  })

  async function opened(transport: 'ssh2' | 'openssh' = 'ssh2', of: Sshd = sshd) {
    const asked = person()
    const { host, port, user } = of
    const { server } = await openRig({
      ...{ folder, host, port, user, backend, person: asked },
      ...{ identityFile: of.clientKey.path, knownHosts: of.knownHostsLine(), target: { transport } },
    })
    open.push(server)
    await server.connect()
    return { server, asked: asked.asked }
  }

  function checkOf(server: Server, from: readonly ('here' | 'server' | WebPlace)[], detour = registry.detour) {
    const rows = new Map<string, UpdateRow>()
    const check = new UpdateCheck({
      servers: () => ['test'],
      locate: (model) => ({ server: 'test', model }),
      models: async () => MODELS,
      places: () =>
        from.flatMap((place) =>
          typeof place === 'object' ? [place] : webPlaces(server, [place], { clock: systemClock, detour }),
        ),
      run: () => async (command, signal) => (await server.run(command, signal)).output,
      onModels: () => {},
      onVerdict: (_, model, row) => void rows.set(model, row),
      verdicts: new VerdictMemory({
        file: { read: async () => ({}), write: async () => {} },
        clock: systemClock,
        log: silentLog,
      }),
      clock: systemClock,
      log: silentLog,
    })
    return { check, rows }
  }

  /** One after another they would take 3.8 s. How long they take at once is the machine's matter. */
  async function expectVerdicts(from: 'here' | 'server', server: Server): Promise<void> {
    registry.mostAtOnce = 0
    const { check, rows } = checkOf(server, [from])
    expect(await check.check({})).toMatchObject({ checked: 14, available: 5 })
    const { checked, ...row } = rows.get(OUT_OF_DATE[0] ?? '') ?? {}
    expect([row, typeof checked]).toEqual([{ state: 'available', bytes: NEW_BYTES }, 'number'])
    expect([...rows.values()].filter(({ state }) => state === 'current').length).toBe(9)
    expect(registry.mostAtOnce).toBeGreaterThan(4)
  }

  it('are asked from the server, many at once, over channels and nothing else', async () => {
    const { server, asked } = await opened()
    await expectVerdicts('server', server)
    expect(asked).toEqual([])
  })

  it('are asked from here, many at once', async () => {
    await expectVerdicts('here', (await opened()).server)
  })

  it('are asked from the server by the ssh program too', async () => {
    const { server, asked } = await opened('openssh')
    const { check, rows } = checkOf(server, ['server'])
    expect(await check.check({})).toMatchObject({ checked: 14, available: 5 })
    expect(rows.get(OUT_OF_DATE[0] ?? '')).toMatchObject({ state: 'available', bytes: NEW_BYTES })
    expect(asked).toEqual([])
  })

  it('are asked from the server when that cannot be done from here', async () => {
    const { server } = await opened()
    const nowhere = { places: { 'ollama.com:443': { host: '127.0.0.1', port: 1 } }, authorities: [] }
    const places = [
      ...webPlaces(server, ['here'], { clock: systemClock, detour: nowhere }),
      ...webPlaces(server, ['server'], { clock: systemClock, detour: registry.detour }),
    ]
    const { check } = checkOf(server, places)
    expect(await check.check({})).toMatchObject({ checked: 14, available: 5 })
  })

  it('whose certificate is another host’s are refused, though the server leads there', async () => {
    const { server } = await opened()
    const wrong = await startRegistryDouble({ certifiedHosts: ['evil.example'] })
    onTestFinished(() => wrong.stop())
    const { check, rows } = checkOf(server, ['server'], wrong.detour)
    await expect(check.check({ server: 'test' })).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: 'ollama.com cannot be reached from test (its certificate is that of another host)',
    })
    expect(wrong.requests).toEqual([])
    expect(new Set([...rows.values()].map(({ state }) => state))).toEqual(new Set(['unknown']))
  })

  it('that cannot be reached from anywhere are said so, with both reasons', async () => {
    const { server } = await opened()
    const places = { 'ollama.com:443': { host: '127.0.0.1', port: 1 } }
    const { check } = checkOf(server, ['here', 'server'], { places, authorities: [] })
    await expect(check.check({ server: 'test' })).rejects.toMatchObject({
      message:
        'ollama.com cannot be reached from here (it refuses connections) nor from test (Nothing listens on 127.0.0.1:1 at 127.0.0.1)',
    })
  })

  describe.each<[string, SshdOptions]>([
    ['runs its own command only', { config: ['ForceCommand echo only this'] }],
    ['runs no command at all', { config: ['ForceCommand /bin/false'] }],
  ])('an account that %s', (_, options) => {
    it('has its layers unknown, and nobody is asked', async () => {
      const forced = await startSshd({ openssh, ...options })
      onTestFinished(() => forced.stop())
      const { server, asked } = await opened('ssh2', forced)
      const { check, rows } = checkOf(server, ['server'])
      expect(await check.check({})).toMatchObject({ checked: 14, available: 5 })
      expect(rows.get(OUT_OF_DATE[0] ?? '')).toMatchObject({ state: 'available', at_most: true })
      expect(asked).toEqual([])
    })
  })

  it('a command gives its output and its end, and is left when nobody waits for it', async () => {
    for (const transport of ['ssh2', 'openssh'] as const) {
      const { server } = await opened(transport)
      const live = new AbortController()
      const { code, output } = await server.run("sh -c 'echo out; echo err >&2; exit 3'", live.signal)
      expect([code, Buffer.from(output).toString()]).toEqual([3, 'out\n'])
      const endless = server.run('sleep 600', live.signal)
      live.abort(new Error('Nobody waits'))
      await expect(endless).rejects.toThrow('Nobody waits')
    }
  })
})

const MODELS: Model[] = Array.from({ length: 14 }, (_, index) => ({
  ...{ name: `m${index}:4b`, digest: OLD.digest, modified: Date.UTC(2026, 1, 1) },
}))
const OUT_OF_DATE = MODELS.slice(2, 7).map(({ name }) => name)

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}
