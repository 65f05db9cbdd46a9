// The clock that all processes of one machine share, so that a moment in one can be compared with one in another.

/** Milliseconds, with fractions, of CLOCK_MONOTONIC: the clock of Neovim's `vim.uv.hrtime()` too. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** What `performance.now()` lacks to be that clock, in this process. */
export function offsetOfPerformanceNow(): number {
  return monotonic() - performance.now()
}
