// Whether an installed model is out of date, and why that is thought: digests first, then what it is made of, times last.
import { toPluginError } from '../core/errors.ts'
import type { Model } from '../providers/provider.ts'
import type { UpdateRow } from '../rpc/shapes.ts'
import type { LocalManifests } from './local-manifests.ts'
import { bytesToFetch, hasSameContents, isRewritten, type Manifest } from './manifest.ts'
import { canonicalName, type ModelName, parseModelName, upstreamOf } from './names.ts'
import type { Listed, Refused, Registry } from './registry.ts'

/** Without the moment in which it was given. */
export type Verdict = Omit<UpdateRow, 'checked'>

export interface Evidence {
  registry: Registry
  /** Of the models on the server. */
  manifests: LocalManifests
  /** All models of the server, for one may be a copy of another. */
  installed: readonly Model[]
  signal: AbortSignal
}

type Known = Listed & { manifest?: Manifest }

/**
 * Never rejects for what a registry does or says: that is a verdict too.
 * @throws PluginError REGISTRY_UNREACHABLE; the signal's reason when aborted.
 */
export async function judge(model: Model, evidence: Evidence): Promise<Verdict> {
  const name = parseModelName(model.name)
  const upstream = upstreamOf(model.name)
  if (upstream === 'cloud' || model.remote !== undefined) return inTheCloud(model)
  if (!name) return unknown('no registry could have a model of this name')
  if (model.digest === undefined) return unknown('the server does not tell its digest')
  try {
    const isOllamas = upstream === 'library' || upstream === 'user'
    return await (isOllamas ? byList : byManifest)({ ...model, digest: model.digest }, name, evidence)
  } catch (thrown) {
    evidence.signal.throwIfAborted()
    const error = toPluginError(thrown)
    if (error.code === 'API_PROTOCOL') return unknown(error.message)
    throw error
  }
}

type Digested = Model & { digest: string }

/** One small question; the manifest only when the digests differ. */
async function byList(model: Digested, name: ModelName, evidence: Evidence): Promise<Verdict> {
  const listed = await evidence.registry.list(name, evidence.signal)
  if ('refused' in listed) return refused(model, listed, evidence)
  if (listed.digest === model.digest) return { state: 'current' }
  return byManifest(model, name, evidence, listed)
}

async function byManifest(model: Digested, name: ModelName, evidence: Evidence, listed: Listed = {}): Promise<Verdict> {
  const reading = evidence.manifests.read(name, model.digest)
  const answer = await evidence.registry.manifest(name, evidence.signal)
  if (!('refused' in answer)) {
    if (answer.digest === model.digest) return { state: 'current' }
    return compared(model, { ...listed, manifest: answer.manifest }, await reading)
  }
  // That it differs is known, not in what.
  return listed.digest === undefined ? refused(model, answer, evidence) : compared(model, listed, undefined)
}

function compared(model: Digested, { manifest, pushed }: Known, local: Manifest | undefined): Verdict {
  if (manifest && local) {
    const isSame = hasSameContents(manifest, local)
    return isSame ? { state: 'current' } : { state: 'available', bytes: bytesToFetch(manifest, local) }
  }
  if (manifest && isRewritten(manifest, model.digest)) return { state: 'current' }
  if (pushed !== undefined && model.modified !== undefined && model.modified >= pushed) return { state: 'current' }
  if (!manifest) return { state: 'available' }
  return { state: 'available', bytes: bytesToFetch(manifest, undefined), at_most: true }
}

function refused(model: Digested, { refused: how, why }: Refused, { installed }: Evidence): Verdict {
  if (how !== 'absent') return unknown(why)
  const original = copiedFrom(model, installed)
  if (original !== undefined) return { state: 'local', why: `it is a copy of ${original}` }
  if (model.parent !== undefined) return { state: 'local', why: `it was made here from ${model.parent}` }
  if (upstreamOf(model.name) === 'library')
    return { state: 'local', why: `${why}: it was made here, or withdrawn there` }
  return unknown(`${why}: it was made here, is private, or was withdrawn`)
}

/** A copy has its original's manifest. */
function copiedFrom({ name, digest }: Digested, installed: readonly Model[]): string | undefined {
  return installed.find((other) => other.digest === digest && canonicalName(other.name) !== canonicalName(name))?.name
}

function inTheCloud({ remote }: Model): Verdict {
  return { state: 'cloud', why: `it runs on ${hostOf(remote ?? '') ?? 'ollama.com'}: there is nothing to fetch` }
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined
}

function unknown(why: string): Verdict {
  return { state: 'unknown', why }
}
