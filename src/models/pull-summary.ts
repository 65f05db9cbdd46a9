// What became of the pulls that ran together, as one line. Pure.

export interface EndedPull {
  server: string
  model: string
  state: 'done' | 'failed' | 'cancelled'
  /** Whether an older one was there before. */
  wasInstalled: boolean
  /** Whether any byte had to be fetched. */
  hasFetched: boolean
  /** The one in memory is not the one that was pulled. */
  isOldInMemory: boolean
  /** Why it failed. */
  why?: string
}

export interface PullSummary {
  level: 'info' | 'warn'
  text: string
}

type Outcome = 'updated' | 'pulled' | 'up to date already' | 'failed' | 'cancelled'

const ORDER: readonly Outcome[] = ['updated', 'pulled', 'up to date already', 'failed', 'cancelled']

/** @param pulls at least one */
export function pullSummary(pulls: readonly EndedPull[]): PullSummary {
  const parts = ORDER.flatMap((outcome) => {
    const those = pulls.filter((pull) => outcomeOf(pull) === outcome)
    return those.length === 0 ? [] : [part(outcome, those, pulls.length)]
  })
  const old = pulls.filter(({ isOldInMemory }) => isOldInMemory)
  const warning = old.length === 0 ? '' : `; still the old one in memory: ${namesOf(old)}`
  const hasFailed = pulls.some(({ state }) => state === 'failed')
  return { level: hasFailed ? 'warn' : 'info', text: `${capital(parts.join(', '))}${warning}` }
}

function outcomeOf({ state, wasInstalled, hasFetched }: EndedPull): Outcome {
  if (state !== 'done') return state
  if (!wasInstalled) return 'pulled'
  return hasFetched ? 'updated' : 'up to date already'
}

/** `3 models updated`; of one that is alone, and of what needs a person, with the names. */
function part(outcome: Outcome, pulls: readonly EndedPull[], inAll: number): string {
  const needsNames = outcome === 'failed' || outcome === 'cancelled'
  if (inAll === 1) return `${outcome}: ${reasoned(pulls[0] as EndedPull)}`
  const count = `${pulls.length} ${inAll === pulls.length || outcome === 'updated' ? `${plural(pulls.length)} ` : ''}${outcome}`
  return needsNames ? `${count}: ${pulls.map(reasoned).join('; ')}` : count
}

function reasoned({ server, model, why }: EndedPull): string {
  return why === undefined ? `${server}:${model}` : `${server}:${model} (${why})`
}

function namesOf(pulls: readonly EndedPull[]): string {
  return pulls.map(({ server, model }) => `${server}:${model}`).join(', ')
}

function plural(count: number): string {
  return count === 1 ? 'model' : 'models'
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
