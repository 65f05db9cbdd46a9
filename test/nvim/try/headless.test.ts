import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'
import { run } from '../../../scripts/provision/command.ts'
import { freePort } from '../../support/free-port.ts'
import { describeWithNeovim } from '../../support/real-parts.ts'

const PATIENCE_MS = 60_000

// The demonstration answers at a pace to look at, so all of them wait at once.
describe.concurrent('make try', { timeout: PATIENCE_MS }, () => {
  describeWithNeovim('without a terminal', (nvim) => {
    // Both release lines are tried by being what is found on the PATH's place.
    const found = { NVIM_0_12: nvim.path, NVIM_0_10: nvim.path }

    test('prints the transcript of an answer and a line of timings, and succeeds', async () => {
      const { code, stdout } = await tried({ ...found, PROMPT: 'two\nlines, "quoted"' })
      expect(stdout).toMatch(/A demonstration/)
      expect(stdout).toMatch(/^two\nlines, "quoted"$/m)
      expect(stdout).toMatch(/^## ◆ demo:demo-thinking:8b · /m)
      expect(stdout).toMatch(/^timings: first word after \d+\.\d\d s .* \d+ tokens$/m)
      expect(code).toBe(0)
    })

    test('fails at once, and says why, when the server cannot be reached', async () => {
      const { code, stderr } = await tried({ ...found, SSH: `nobody@127.0.0.1:${await freePort()}`, PROMPT: 'hello' })
      expect(stderr).toMatch(/refuses connections/)
      expect(stderr).toMatch(/make try failed: the prompt could not be sent/)
      expect(code).toBe(1)
    })
  })
})

function tried(environment: Record<string, string>) {
  const script = join(PROJECT_ROOT, 'scripts/run.mjs')
  return run(process.execPath, [script, join(PROJECT_ROOT, 'scripts/try.ts')], { environment, timeoutMs: PATIENCE_MS })
}
