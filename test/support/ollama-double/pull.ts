/** `POST /api/pull`: the layers one after another, told every 60 ms by the double's clock, and each way in which it ends. */

import { AnswerStream } from './answer-stream.ts'
import type { Layer, Published } from './blobs.ts'
import { sleep, wallTime } from './clock.ts'
import type { Engine } from './engine.ts'
import { ClientGone, type Exchange } from './exchange.ts'
import { goJson, nonZero } from './go-text.ts'
import { displayName, findModel, isModelName, type ModelDefinition } from './models.ts'
import type { PullScript } from './pull-script.ts'
import { NO_SUCH_MODEL } from './pull-script.ts'
import { BARE_JSON_TYPE, failure, type Reply, send } from './reply.ts'
import { departure } from './run.ts'

const TICK_MS = 60

/** What went wrong on the way: an error line, since the first line was sent at once. */
class PullFailure extends Error {}

interface Pull {
  readonly engine: Engine
  readonly exchange: Exchange
  readonly script: PullScript
  tell(line: object): void
}

export async function pullModel(engine: Engine, exchange: Exchange): Promise<Reply | undefined> {
  const { model, name, stream } = (exchange.request.body ?? {}) as Record<string, unknown>
  const asked = model || name
  if (!isModelName(asked)) return failure(400, 'invalid model name')
  engine.pulls.active += 1
  engine.changed()
  try {
    return await (stream === false ? pullWhole(engine, exchange, asked) : pullStreamed(engine, exchange, asked))
  } catch (cause) {
    if (!(cause instanceof ClientGone)) throw cause
    engine.pulls.aborted += 1
    exchange.response.socket?.destroy()
    return undefined
  } finally {
    engine.pulls.active -= 1
    engine.changed()
  }
}

async function pullStreamed(engine: Engine, exchange: Exchange, asked: string): Promise<undefined> {
  const { splitMode } = engine.pace
  const stream = new AnswerStream(exchange.response, exchange.gone, { splitMode, batched: false })
  const tell = (line: object) => void stream.line(line)
  try {
    await run({ engine, exchange, script: engine.pulls.next(displayName(asked)), tell }, asked)
  } catch (cause) {
    if (!(cause instanceof PullFailure)) throw cause
    tell({ error: cause.message })
  }
  stream.end()
}

async function pullWhole(engine: Engine, exchange: Exchange, asked: string): Promise<undefined> {
  const answer = (status: number, value: object) =>
    send(exchange.response, { status, type: BARE_JSON_TYPE, body: goJson(value) })
  try {
    await run({ engine, exchange, script: engine.pulls.next(displayName(asked)), tell: () => {} }, asked)
    answer(200, { status: 'success' })
  } catch (cause) {
    if (!(cause instanceof PullFailure)) throw cause
    answer(500, { error: cause.message })
  }
}

async function run(pull: Pull, asked: string): Promise<void> {
  const { engine, exchange, script, tell } = pull
  tell({ status: 'pulling manifest' })
  await sleep(engine.options.clock, 0, exchange.gone)
  const { error, errorAt = 'manifest' } = script
  if (error !== undefined && errorAt === 'manifest') throw new PullFailure(error)
  const published = engine.blobs.published(asked, engine.models)
  if (published === undefined) throw new PullFailure(NO_SUCH_MODEL)
  if (published.isMlx) await fetchAsOne(pull, published)
  else for (const [index, layer] of published.layers.entries()) await fetchLayer(pull, layer, index)
  if (!published.isMlx) await verify(pull, published)
  tell({ status: 'writing manifest' })
  const old = findModel(engine.models, asked)
  if (old !== undefined && hasOtherLayers(engine, old, published)) tell({ status: 'removing unused layers' })
  install(engine, published.model)
  tell({ status: 'success' })
}

async function verify({ engine, exchange, script, tell }: Pull, { layers }: Published): Promise<void> {
  tell({ status: 'verifying sha256 digest' })
  await sleep(engine.options.clock, script.verifyMs ?? 0, exchange.gone)
  if (script.error === undefined || script.errorAt !== 'verified') return
  if (layers[0]) engine.blobs.keep(layers[0], 0) // what does not fit its digest is thrown away
  throw new PullFailure(script.error)
}

function fetchLayer(pull: Pull, layer: Layer, index: number): Promise<void> {
  const status = `pulling ${layer.digest.slice('sha256:'.length, 'sha256:'.length + 12)}`
  return fetchBytes(pull, layer, { script: index === 0 ? pull.script : {}, head: { status, digest: layer.digest } })
}

function fetchAsOne(pull: Pull, { layers, model }: Published): Promise<void> {
  const bytes = layers.reduce((total, layer) => total + layer.bytes, 0)
  const whole = { digest: `sha256:model of ${model.digest}`, bytes }
  return fetchBytes(pull, whole, { script: pull.script, head: { status: 'pulling model', digest: 'sha256:model' } })
}

async function fetchBytes(
  { engine, exchange, tell, script: { bytesPerSecond = engine.pace.pullBytesPerSecond } }: Pull,
  layer: Layer,
  { script, head }: { script: PullScript; head: object },
): Promise<void> {
  const { clock } = engine.options
  const total = layer.bytes
  const tick = () => tell({ ...head, total, completed: nonZero(completed) })
  let { setback } = script
  let completed = engine.blobs.fetched(layer, engine.models)
  if (completed >= total) return tick()
  // The last tick of a fresh layer is told before its last bytes.
  for (let at = clock.now(); completed < total; at = clock.now()) {
    tick()
    engine.changed()
    if (script.error !== undefined && completed === markAt(script.errorAt, total)) throw new PullFailure(script.error)
    const isStalled = completed === markAt(script.stall?.at, total)
    if (isStalled && script.stall?.silent) await departure(exchange.gone)
    const isPaced = bytesPerSecond !== 'unbounded'
    await sleep(clock, isPaced || isStalled ? TICK_MS : 0, exchange.gone)
    const fresh = isPaced ? Math.round(((clock.now() - at) / 1_000) * bytesPerSecond) : total
    const marks = [markAt(script.errorAt, total), markAt(script.stall?.at, total), total]
    if (!isStalled) completed = Math.min(completed + fresh, ...marks.filter((mark) => mark > completed))
    if (setback && completed >= setback.at * total) {
      completed = Math.max(0, completed - setback.bytes)
      setback = undefined
    }
    engine.blobs.keep(layer, completed)
  }
}

/** The byte at which a script has something happen; never, when it names no share. */
function markAt(share: unknown, total: number): number {
  return typeof share === 'number' ? Math.round(share * total) : Number.NaN
}

function hasOtherLayers(engine: Engine, old: ModelDefinition, { layers }: Published): boolean {
  const fresh = new Set(layers.map(({ digest }) => digest))
  return engine.blobs.installedLayers(old).some(({ digest }) => !fresh.has(digest))
}

/** A pull that changes nothing writes the manifest anew, too. A copy that is in memory stays as it is. */
function install(engine: Engine, model: ModelDefinition): void {
  const others = engine.models.filter(({ name }) => name.toLowerCase() !== model.name.toLowerCase())
  const modifiedAgoMs = engine.context.startedAt - wallTime(engine.options.clock)
  engine.models = [{ ...model, modifiedAgoMs }, ...others]
}
