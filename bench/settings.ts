// How much is measured. BENCH_QUICK=1 only shows that everything runs; BENCH_FULL=1 takes its time.

export interface Settings {
  /** Neovim's startups, of each kind. */
  startups: number
  /** Hosts started from nothing. */
  coldStarts: number
  /** Prompts whose latency is taken. */
  prompts: number
  /** Seconds of streaming at each speed. */
  streamSeconds: number
  /** Answers that come as fast as they can. */
  bursts: number
  burstTokens: number
  historyLines: number
  /** Requests after which the host's memory is looked at. */
  memoryRequests: number
  /** Tunnels opened from nothing over a distance. */
  coldTunnels: number
  savedChats: number
}

const DEFAULTS: Settings = {
  startups: 40,
  coldStarts: 12,
  prompts: 20,
  streamSeconds: 4,
  bursts: 5,
  burstTokens: 20_000,
  historyLines: 8_000,
  memoryRequests: 300,
  coldTunnels: 5,
  savedChats: 10_000,
}

const QUICK: Partial<Settings> = {
  startups: 4,
  coldStarts: 2,
  prompts: 3,
  streamSeconds: 1,
  bursts: 1,
  burstTokens: 2_000,
  historyLines: 500,
  memoryRequests: 20,
  coldTunnels: 1,
  savedChats: 200,
}

export function settingsOf({ BENCH_QUICK, BENCH_FULL }: NodeJS.ProcessEnv): Settings {
  if (BENCH_QUICK) return { ...DEFAULTS, ...QUICK }
  if (BENCH_FULL) return { ...DEFAULTS, memoryRequests: 10_000 }
  return DEFAULTS
}
