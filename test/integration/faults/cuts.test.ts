// A sample of the cuts; `make faults` makes a thousand.
import { expect, test } from 'vitest'
import { runCuts } from '../../faults/cuts.ts'
import { describeWithSshd } from '../../support/real-parts.ts'

const LANES = 2

describeWithSshd('cuts of a streamed answer', (openssh) => {
  test.each([
    { resume: 'auto', cuts: 30 },
    { resume: 'never', cuts: 20 },
  ] as const)(
    'resume = $resume: nothing is lost, and nothing is left behind',
    async ({ resume, cuts }) => {
      const seed = Number(process.env.CUTS_SEED) || Date.now() % 1_000_000
      const how = { name: resume, resume, trailing: 'continued' } as const
      const seen = await runCuts({ ...how, cuts, lanes: LANES, seed, openssh })
      expect(seen, `CUTS_SEED=${seed}`).toMatchObject({ wrong: [], leaks: [] })
      expect(seen.cuts).toBeGreaterThanOrEqual(cuts)
    },
    120_000,
  )
})
