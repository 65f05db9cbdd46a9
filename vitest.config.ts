import { defineConfig } from 'vitest/config'
import { ClosingLineReporter } from './test/support/closing-line-reporter.ts'

/**
 * On a machine that many share, a real editor, a real sshd and a real clock may each be late once. What fails twice is a
 * defect; that a test was tried again stands in the report.
 */
const retry = process.env.CI ? 1 : 0

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
    maxWorkers: 2,
    reporters: ['default', new ClosingLineReporter()],
  },
})
