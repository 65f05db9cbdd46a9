// A server's models as they are shown: what its lists say, what is known of each digest, verdicts and pulls, as one row each.
// Pure; who asks for it all is server-watch.ts's, and how a row looks is Lua's.
import type { LoadedModel, Model, ModelDetails } from '../providers/provider.ts'
import type { ModelRow, PullRow, UpdateRow } from '../rpc/shapes.ts'

/** What never changes of a digest, short enough to be kept of every model. */
export interface Facts {
  capabilities?: readonly string[]
  /** Contexts in tokens: the one it was trained with, and the one that its parameters set. */
  trainedContext?: number
  context?: number
}

export interface Known {
  models: readonly Model[]
  loaded: readonly LoadedModel[]
  facts: (digest: string) => Facts | undefined
  verdict: (model: Model) => UpdateRow | undefined
  /** By model, tag included. */
  pulls: ReadonlyMap<string, PullRow>
}

/** The installed models in the server's order, and after them those that are being fetched for the first time. */
export function rowsOf(server: string, known: Known): ModelRow[] {
  const installed = known.models.map((model) => rowOf(server, model, known))
  const names = new Set(known.models.map(({ name }) => name))
  const coming = [...known.pulls].filter(([name, { state }]) => !names.has(name) && state !== 'done')
  return [...installed, ...coming.map(([name, pull]) => ({ ref: `${server}:${name}`, server, name, pull }))]
}

/** The name as servers list it: its tag is always there. */
export function tagged(name: string): string {
  return /:[^/:]+$/.test(name) ? name : `${name}:latest`
}

export function factsOf({ capabilities, trainedContext, parameters }: ModelDetails): Facts {
  const context = Number(/^num_ctx\s+(\d+)/m.exec(parameters ?? '')?.[1])
  return defined({ capabilities, trainedContext, context: context > 0 ? context : undefined })
}

function rowOf(server: string, model: Model, { loaded, facts, verdict, pulls }: Known): ModelRow {
  const known = model.digest === undefined ? undefined : facts(model.digest)
  const inMemory = loaded.find(({ name }) => name === model.name)
  return {
    ref: `${server}:${model.name}`,
    server,
    ...model,
    ...defined({
      capabilities: model.capabilities ?? known?.capabilities,
      trained_context: known?.trainedContext,
      context: known?.context,
      loaded: inMemory && loadedOf(inMemory),
      update: verdict(model),
      pull: pulls.get(model.name),
    }),
  }
}

function loadedOf({ size, vram, context, expires }: LoadedModel): NonNullable<ModelRow['loaded']> {
  return defined({ size, vram, context, expires: expires === 'never' ? undefined : expires })
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
