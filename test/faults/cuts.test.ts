// All the cuts. doc/reliability.md is made of what is written here; `make test` has a sample of them.
import { expect, test } from 'vitest'
import { describeWithSshd } from '../support/real-parts.ts'
import { type CutsSeen, runCuts } from './cuts.ts'
import { keepResults } from './results.ts'

const SHARE = Number(process.env.CUTS) / 1_000 || 1
const LANES = 4

const RUNS = [
  { name: 'takes up what is begun, `resume = "auto"`', cuts: 500, resume: 'auto', trailing: 'continued' },
  { name: 'begins anew, but takes a raw prompt, `resume = "auto"`', cuts: 250, resume: 'auto', trailing: 'closed' },
  { name: '`resume = "never"`', cuts: 250, resume: 'never', trailing: 'continued' },
] as const

describeWithSshd('cuts of a streamed answer', (openssh) => {
  const seen: CutsSeen[] = []

  test.each(RUNS)(
    '$name',
    async ({ cuts: all, ...how }) => {
      const seed = Number(process.env.CUTS_SEED) || Date.now() % 1_000_000
      process.stdout.write(`CUTS_SEED=${seed}\n`)
      const cuts = Math.ceil(all * SHARE)
      const run = await runCuts({ ...how, cuts, lanes: LANES, seed, openssh })
      seen.push(run)
      keepResults('cuts', seen)
      expect(run).toMatchObject({ wrong: [], leaks: [] })
      expect(run.cuts).toBeGreaterThanOrEqual(cuts)
    },
    3_600_000,
  )
})
