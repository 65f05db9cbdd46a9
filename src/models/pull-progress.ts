// How far a pull is: what the server reports becomes numbers that a person can follow. Pure: time is given, nothing is asked.
import type { PullReport } from '../providers/provider.ts'
import type { PullRow } from '../rpc/shapes.ts'

/** The rate is of the bytes that came in so long. */
const WINDOW_MS = 5_000

/** Sooner than this the rate says nothing of the time left. */
const LEFT_AFTER_MS = 2_000

/** The time left follows a rate that changes so slowly. */
const CALM_MS = 10_000

/** No byte for so long, while bytes should come, is a stall. */
export const STALL_MS = 15_000

/** Samples closer to each other than this are one. */
const SAMPLE_MS = 100

/** What the server says when it has every layer. */
const HAS_ALL = /^(verifying|writing|removing|success)/

interface Layer {
  total: number
  /** As it is shown: never goes backwards. */
  completed: number
  /** As the server told it last; absent until it did in this attempt. */
  told?: number
}

interface Sample {
  at: number
  /** All bytes that came until then. */
  received: number
}

/** What is known of a pull. Moments in milliseconds since the epoch. */
export interface PullProgress {
  status: string
  layers: ReadonlyMap<string, Layer>
  /** The layer that is being fetched. */
  current?: string
  /** Bytes that came over the wire, ones that came twice counted twice; what was there already is not among them. */
  received: number
  samples: readonly Sample[]
  /** Bytes per second, smoothed. */
  calmRate?: number
  /** When something last moved. */
  moved: number
}

export type ShownProgress = Pick<PullRow, 'status' | 'completed' | 'total' | 'rate' | 'left_ms' | 'layers'>

/** The server is asked, for the first time, or again after an attempt was cut: it goes on where it has the layers. */
export function asked(now: number, before?: PullProgress): PullProgress {
  const layers = [...(before?.layers ?? [])].map(
    ([digest, { total, completed }]) => [digest, { total, completed }] as const,
  )
  const received = before?.received ?? 0
  return { status: '', layers: new Map(layers), received, samples: [{ at: now, received }], moved: now }
}

export function afterReport(before: PullProgress, { status, layer }: PullReport, now: number): PullProgress {
  let progress = before
  // The last tick of a layer is often short of its end: that the server is at the next thing tells that it is complete.
  if (layer && before.current !== undefined && layer.digest !== before.current)
    progress = completed(before, before.current)
  if (layer) progress = reported(progress, layer)
  if (HAS_ALL.test(status)) progress = [...progress.layers.keys()].reduce(completed, progress)
  const hasMoved = progress.received > before.received || status !== before.status
  const samples = sampled(before.samples, { at: now, received: progress.received })
  const next = { ...progress, status, samples, moved: hasMoved ? now : before.moved }
  return calmed(layer ? { ...next, current: layer.digest } : next, now - (before.samples.at(-1)?.at ?? now))
}

/** Whether bytes should come: not while the server verifies or writes what came, for which it may be silent for minutes. */
export function isFetching(status: string): boolean {
  return status === '' || status.startsWith('pulling')
}

export function isStalled({ status, moved }: PullProgress, now: number): boolean {
  return isFetching(status) && now - moved >= STALL_MS
}

export function shown(progress: PullProgress, now: number): ShownProgress {
  const { status, calmRate } = progress
  const layers = [...progress.layers].map(([digest, { total, completed }]) => ({ digest, total, completed }))
  if (layers.length === 0) return { status }
  const total = sum(layers.map((layer) => layer.total))
  const figures = { status, total, completed: sum(layers.map((layer) => layer.completed)), layers }
  if (!isFetching(status)) return figures
  const rate = Math.round(rateOf(progress.samples, now))
  if (!calmRate || rate === 0 || now - (progress.samples[0]?.at ?? now) < LEFT_AFTER_MS) return { ...figures, rate }
  const missing = sum([...progress.layers.values()].map((layer) => layer.total - (layer.told ?? layer.completed)))
  return { ...figures, rate, left_ms: Math.round(missing / calmRate) * 1_000 }
}

function reported(
  progress: PullProgress,
  { digest, total, completed }: NonNullable<PullReport['layer']>,
): PullProgress {
  const known = progress.layers.get(digest)
  const told = Math.min(completed, total)
  // A first word of a layer tells only what the server had.
  const came = known?.told === undefined ? 0 : Math.max(0, told - known.told)
  const layer = { total: Math.max(total, known?.total ?? 0), completed: Math.max(told, known?.completed ?? 0), told }
  return { ...progress, layers: new Map(progress.layers).set(digest, layer), received: progress.received + came }
}

function completed(progress: PullProgress, digest: string): PullProgress {
  const known = progress.layers.get(digest)
  return known ? reported(progress, { digest, total: known.total, completed: known.total }) : progress
}

/** Those of the window, and the last one before it, from which the window's bytes are counted. */
function sampled(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1)
  const isClose = samples.length > 1 && last !== undefined && next.at - (samples.at(-2)?.at ?? 0) < SAMPLE_MS
  const all = [...(isClose ? samples.slice(0, -1) : samples), next]
  const first = all.findLastIndex(({ at }) => at <= next.at - WINDOW_MS)
  return first <= 0 ? all : all.slice(first)
}

/** Bytes per second over the window that ends now. */
function rateOf(samples: readonly Sample[], now: number): number {
  const start = now - WINDOW_MS
  const base = samples.findLast(({ at }) => at <= start) ?? samples[0]
  const last = samples.at(-1)
  if (!base || !last) return 0
  const elapsed = now - base.at
  return elapsed <= 0 ? 0 : ((last.received - base.received) * 1_000) / elapsed
}

/** Takes the rate of the moment in, the more the longer it lasts. */
function calmed(progress: PullProgress, elapsed: number): PullProgress {
  const rate = rateOf(progress.samples, progress.samples.at(-1)?.at ?? 0)
  if (rate === 0) return progress
  const { calmRate = rate } = progress
  return { ...progress, calmRate: calmRate + (rate - calmRate) * (1 - Math.exp(-Math.max(0, elapsed) / CALM_MS)) }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
