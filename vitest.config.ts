import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { ClosingLineReporter } from './test/support/closing-line-reporter.ts'

/**
 * On a machine that many share, a real editor, a real sshd and a real clock may each be late once. What fails twice is a
 * defect; that a test was tried again stands in the report.
 */
const retry = process.env.CI ? 1 : 0

/**
 * Most tests wait for an editor, a host or an sshd half of the time: one more than there are processors keeps these busy.
 * A container may have fewer than its machine tells of.
 */
const MOST_WORKERS = 4

const globalSetup = ['test/support/global-setup.ts']

export default defineConfig({
  test: {
    projects: [
      {
        // The property tests are long on a loaded machine. No module of ours keeps a state, so all files may share one
        // process: to load the same modules anew for each would take half of the time.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000, isolate: false },
      },
      {
        test: {
          name: 'integration',
          globalSetup,
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 10_000 } },
          retry,
        },
      },
      {
        test: {
          name: 'nvim',
          globalSetup,
          isolate: false,
          include: ['test/nvim/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 10_000 } },
          retry,
        },
      },
      {
        // Long, and of interest as a whole only: `make faults` runs it, `make test` a sample of it from the other projects.
        test: {
          name: 'faults',
          globalSetup,
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
    maxWorkers: Math.min(MOST_WORKERS, availableParallelism() + 1),
    reporters: ['default', new ClosingLineReporter()],
  },
})
