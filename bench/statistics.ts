// The arithmetic of measurements: values in, a value out.

/** The value that half of the others do not exceed; NaN of nothing. */
export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** Between the two nearest ranks the value is interpolated; NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = ((sorted.length - 1) * percent) / 100
  const below = sorted[Math.floor(rank)] ?? Number.NaN
  const above = sorted[Math.ceil(rank)] ?? Number.NaN
  return below + (above - below) * (rank - Math.floor(rank))
}

export function maximum(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
}

/** Pairs each sending with the receiving of the same rank; what was sent last may not have arrived. */
export function differences(sent: readonly number[], received: readonly number[]): number[] {
  return received.map((at, index) => at - (sent[index] ?? Number.NaN)).filter((value) => !Number.isNaN(value))
}
