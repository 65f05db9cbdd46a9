// The lines of the table that say how an editor fared while something happened in it.
import type { Row } from './rows.ts'
import type { Sample } from './sampling.ts'
import { maximum, percentile } from './statistics.ts'

/** At most so many milliseconds, as the 99th percentile. */
export interface Limits {
  loop?: number
  keys?: number
}

/** Two lines: the main loop's delay and that of keys, each beside the same editor idle. */
export function delayRows(figure: string, sample: Sample<unknown>, idle: Sample<unknown>, limits: Limits = {}): Row[] {
  const row = (name: string, of: 'loop' | 'keys'): Row => ({
    figure: `${figure}: ${name}`,
    unit: 'ms',
    ours: percentile(sample[of], 99),
    also: { p50: percentile(sample[of], 50), max: maximum(sample[of]) },
    beside: [{ what: 'idle', value: percentile(idle[of], 99) }],
    ...(limits[of] === undefined ? {} : { target: { atMost: limits[of] } }),
  })
  return [row('main-loop delay, p99', 'loop'), row('key delay, p99', 'keys')]
}
