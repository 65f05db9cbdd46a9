// What a run's report ends with, for people and machines alike. The run itself is reported by Vitest's own reporter.
import type { Reporter, TestModule } from 'vitest/node'

/**
 * Names each test that was tried again, one a line, then ends with a line that any machine can read:
 * `N passed, N failed, N skipped`.
 */
export class ClosingLineReporter implements Reporter {
  readonly #write: (text: string) => void

  constructor(write: (text: string) => void = (text) => process.stdout.write(text)) {
    this.#write = write
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1
        const tries = 1 + (test.diagnostic()?.retryCount ?? 0)
        if (tries > 1)
          this.#write(
            `\ntried ${tries} times, then ${test.result().state}: ${test.fullName} (${module.relativeModuleId})`,
          )
      }
      // A file that could not be loaded has no tests to fail.
      if (!module.ok() && [...module.children.allTests('failed')].length === 0) count.failed += 1
    }
    this.#write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped\n`)
  }
}
