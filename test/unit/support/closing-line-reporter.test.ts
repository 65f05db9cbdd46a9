import { expect, test } from 'vitest'
import type { TestCase, TestModule } from 'vitest/node'
import { ClosingLineReporter } from '../../support/closing-line-reporter.ts'

type State = 'passed' | 'failed' | 'skipped' | 'pending'

/** A test that was run so many times, or never. */
function caseOf(name: string, state: State, runs = 1) {
  const diagnostic = runs === 0 ? undefined : { retryCount: runs - 1 }
  return { fullName: name, result: () => ({ state }), diagnostic: () => diagnostic } as unknown as TestCase
}

function moduleOf(name: string, tests: readonly TestCase[], isOk = true): TestModule {
  const allTests = (state?: State) => tests.filter((one) => state === undefined || one.result().state === state)
  return { relativeModuleId: name, ok: () => isOk, children: { allTests } } as unknown as TestModule
}

function reported(modules: readonly TestModule[], errors: readonly unknown[] = []): string[] {
  let written = ''
  new ClosingLineReporter((text) => {
    written += text
  }).onTestRunEnd(modules, errors)
  expect(written.endsWith('\n')).toBe(true)
  return written.slice(0, -1).split('\n')
}

test('a run ends with one line of its counts, alone and last', () => {
  const one = moduleOf('one.test.ts', [caseOf('a', 'passed'), caseOf('b', 'skipped', 0), caseOf('c', 'pending', 0)])
  const other = moduleOf('other.test.ts', [caseOf('d', 'passed'), caseOf('e', 'failed')], false)
  expect(reported([one, other])).toEqual(['', '2 passed, 1 failed, 2 skipped'])
})

test('a file that could not be loaded, and an error outside of all tests, count as failed', () => {
  expect(reported([moduleOf('broken.test.ts', [], false)], [new Error('outside')]).at(-1)).toBe(
    '0 passed, 2 failed, 0 skipped',
  )
})

test('every test that was tried again is named before it', () => {
  const module = moduleOf('test/late.test.ts', [
    caseOf('at once', 'passed'),
    caseOf('late > once', 'passed', 2),
    caseOf('never', 'failed', 2),
  ])
  expect(reported([module])).toEqual([
    '',
    'tried 2 times, then passed: late > once (test/late.test.ts)',
    'tried 2 times, then failed: never (test/late.test.ts)',
    '2 passed, 1 failed, 0 skipped',
  ])
})
